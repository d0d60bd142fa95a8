package training

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"sdref/sdnet"
	"sdref/sdnet/data"
	"sdref/tensor"
	"sdref/tensor/safetensors"
)

// sourceKey is the key of a checkpoint's metadata that says where weights that were not trained here come
// from.
const sourceKey = "source"

// Weights returns a checkpoint of a network that another program trained, in that many steps. LoadNetwork
// reads it; Resume does not, because it lacks the optimiser's velocities. Of c only the network, its data and
// its CSC settings matter; the rest is unknown and only has to pass Check. The tensors share the network's
// memory. If it is known which images the network was trained on, images says so.
func Weights[T tensor.Float](net *sdnet.Network[T], c Config, steps int, source string,
	images *data.Description) (*safetensors.File, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	config, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	f := &safetensors.File{Metadata: map[string]string{
		formatKey: formatValue, configKey: string(config), iterationKey: strconv.Itoa(steps),
		historyKey: "[]", currentKey: "{}", sourceKey: source,
	}}
	if images != nil {
		if err := describe(f, *images); err != nil {
			return nil, fmt.Errorf("images: %w", err)
		}
	}
	for _, s := range net.State() {
		f.Tensors = append(f.Tensors, safetensors.New(s.Name, s.Shape, s.Data))
	}
	return f, nil
}

// Stripped returns a checkpoint without what only Resume needs, the optimiser's velocities and slow weights: LoadNetwork reads it. The
// tensors are those of f.
func Stripped(f *safetensors.File) *safetensors.File {
	s := &safetensors.File{Path: f.Path, Metadata: f.Metadata}
	for _, t := range f.Tensors {
		if !strings.HasPrefix(t.Name, velocity) && !strings.HasPrefix(t.Name, slow) {
			s.Tensors = append(s.Tensors, t)
		}
	}
	return s
}

// Source tells where the weights of a checkpoint come from; it is "" if they come from a run of this program.
func Source(f *safetensors.File) string { return f.Metadata[sourceKey] }
