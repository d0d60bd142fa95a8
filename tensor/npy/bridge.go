package npy

import (
	"fmt"
	"io"
	"io/fs"

	"sdref/internal/filekind"
	"sdref/tensor"
)

// FromTensor returns the array of t, to be written in t's type.
func FromTensor[T tensor.Float](t *tensor.Tensor[T]) Array {
	var zero T
	return Array{Shape: t.Shape, DType: fmt.Sprintf("%T", zero), Data: tensor.Convert[float64](t).Data}
}

// ToTensor returns the array with elements of type T, each rounded to nearest.
func ToTensor[T tensor.Float](a Array) *tensor.Tensor[T] {
	return tensor.Convert[T](tensor.From(a.Data, a.Shape...))
}

// ReadFrom reads a .npy file from r up to its end.
func ReadFrom(r io.Reader) (Array, error) { return filekind.DecodeFrom(r, Decode) }

// ReadFS reads the named .npy file of a file system, such as one that is embedded in the program. Errors name it.
func ReadFS(fsys fs.FS, name string) (Array, error) { return filekind.Decode(fsys, name, Decode) }
