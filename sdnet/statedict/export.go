package statedict

import (
	"encoding/json"
	"fmt"
	"strings"

	"sdref/sdnet"
	"sdref/sdnet/data"
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

// Settings are what a network's tensors do not say: the images that it is made for, with the names of their
// classes, and the problem of its CSC layers. They are written beside exported tensors, where other programs do not look, so that nothing is
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
	// Images are those that the network was trained on; nil in files of older versions.
	Images *data.Description `json:"images,omitempty"`
	// Spec is the network where sdnet.Lookup does not know it.
	Spec *sdnet.Spec `json:"spec,omitempty"`
}

// SettingsOf are a network's, which was trained on images as described.
func SettingsOf(s sdnet.Spec, images *data.Description) Settings {
	o := Settings{Network: s.Name, Data: s.Data.Name, Classes: s.Data.Classes, Size: s.Data.Image, Lambda: s.CSC.Lambda, Mu: s.CSC.Mu,
		Iterations: s.CSC.Iterations, Variant: s.CSC.Variant.String(), Images: images}
	if _, err := sdnet.Lookup(s.Name, s.Data.Name); err != nil {
		o.Spec = &s
	}
	return o
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
	maxSettings        = 1 << 24 // what ImageNet's classes take is a hundredth of it
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
	if s.Size < 1 || s.Size > maxRecalledSize || s.Classes < 1 || s.Classes > maxRecalledClasses {
		return nil, fmt.Errorf("images of side %d, %d classes", s.Size, s.Classes)
	}
	if s.Spec != nil {
		if err := s.Spec.Check(); err != nil {
			return nil, err
		}
		if d := s.Spec.Data; d.Classes != s.Classes || d.Image != s.Size || d.Width > maxRecalledSize {
			return nil, fmt.Errorf("%s beside images of side %d, %d classes", s.Spec, s.Size, s.Classes)
		}
	}
	if s.Images != nil {
		if err := s.Images.Check(); err != nil {
			return nil, fmt.Errorf("images: %w", err)
		}
		if n := len(s.Images.Classes); n != 0 && n != s.Classes {
			return nil, fmt.Errorf("images: %d names of %d classes", n, s.Classes)
		}
	}
	return &s, nil
}
