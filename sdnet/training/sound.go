package training

import (
	"fmt"
	"strings"

	"sdref/sdnet"
	"sdref/tensor/safetensors"
)

// CheckValues tells which tensor of a checkpoint makes its network give numbers without meaning (see
// sdnet.CheckTensor). The velocities of a run's optimiser must be finite too.
func CheckValues(f *safetensors.File) error {
	for _, t := range f.Tensors {
		if err := checkValues(t); err != nil {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
	}
	return nil
}

func checkValues(t safetensors.Tensor) error {
	shape := t.Shape
	if strings.HasPrefix(t.Name, velocity) {
		shape = nil // atoms are not allowed to be 0, their velocities are
	}
	if values, err := safetensors.Values[float32](t); err == nil {
		return sdnet.CheckTensor(t.Name, shape, values)
	}
	values, err := t.Float64s()
	if err != nil {
		return err
	}
	return sdnet.CheckTensor(t.Name, shape, values)
}
