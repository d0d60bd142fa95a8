package statedict

import (
	"encoding/json"
	"fmt"
	"strings"

	"sdref/sdnet"
	"sdref/tensor"
	"sdref/tensor/safetensors"
)

// Export lists a network's tensors as the published checkpoints have them: with the number of batches that
// each BatchNorm has seen, and without power-iteration vectors, which the published networks do not save. The
// tensors share the network's memory.
func Export[T tensor.Float](net *sdnet.Network[T], batches int) []safetensors.Tensor {
	var list []safetensors.Tensor
	for _, s := range net.State() {
		if strings.HasSuffix(s.Name, ".dn.v0") {
			continue
		}
		list = append(list, safetensors.New(s.Name, s.Shape, s.Data))
		if norm, ok := strings.CutSuffix(s.Name, ".running_var"); ok {
			list = append(list, safetensors.New(norm+".num_batches_tracked", nil, []int64{int64(batches)}))
		}
	}
	return list
}

// SettingsKey is the key under which a safetensors file has Settings in its metadata.
const SettingsKey = "sdref"

// Settings are what a network's tensors do not say: the images that it is made for, and the problem of its
// CSC layers. They are written beside exported tensors, where other programs do not look, so that nothing is
// lost when the tensors come back.
type Settings struct {
	Network    string  `json:"network"`
	Data       string  `json:"data"`
	Classes    int     `json:"classes"`
	Size       int     `json:"size"` // height and width of the images
	Lambda     float64 `json:"lambda"`
	Mu         float64 `json:"mu"`
	Iterations int     `json:"iterations"`
	Variant    string  `json:"variant"`
}

// SettingsOf are a network's.
func SettingsOf(s sdnet.Spec) Settings {
	return Settings{s.Name, s.Data.Name, s.Data.Classes, s.Data.Image, s.CSC.Lambda, s.CSC.Mu, s.CSC.Iterations, s.CSC.Variant.String()}
}

// String is the text that is written.
func (s Settings) String() string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // of numbers that are not finite, which no network has
	}
	return string(text)
}

// What a file may say: bytes of the text, the height of images, the number of classes.
const (
	maxSettings        = 1 << 12
	maxRecalledSize    = 4096
	maxRecalledClasses = 1 << 20
)

func parseSettings(text string) (*Settings, error) {
	if len(text) > maxSettings {
		return nil, fmt.Errorf("%d bytes", len(text))
	}
	var s Settings
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return nil, err
	}
	// A network of these sizes is made before its tensors are compared.
	if s.Size < 1 || s.Size > maxRecalledSize || s.Classes < 1 || s.Classes > maxRecalledClasses {
		return nil, fmt.Errorf("images of side %d, %d classes", s.Size, s.Classes)
	}
	return &s, nil
}
