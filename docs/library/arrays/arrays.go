// Package arrays brings an array of NumPy's into a safetensors file.
package arrays

import (
	"sdref/tensor/npy"
	"sdref/tensor/safetensors"
)

// Convert writes the array of a .npy file, in float32, as the named tensor of a safetensors file.
func Convert(from, name, to string) error {
	a, err := npy.Read(from)
	if err != nil {
		return err
	}
	x := npy.ToTensor[float32](a)
	return safetensors.Write(to, &safetensors.File{Tensors: []safetensors.Tensor{safetensors.FromTensor(name, x)}})
}
