package safetensors

import (
	"io"
	"io/fs"

	"sdref/internal/filekind"
	"sdref/tensor"
)

// FromTensor makes a named tensor of t, whose elements it keeps and does not copy.
func FromTensor[T tensor.Float](name string, t *tensor.Tensor[T]) Tensor {
	return New(name, t.Shape, t.Data)
}

// ToTensor returns t with elements of type T: its own memory if it holds that type, otherwise a copy, each element rounded to nearest.
// An integer that float64 cannot hold is an error.
func ToTensor[T tensor.Float](t Tensor) (*tensor.Tensor[T], error) {
	if values, err := Values[T](t); err == nil {
		return tensor.From(values, t.Shape...), nil
	}
	values, err := t.Float64s()
	if err != nil {
		return nil, err
	}
	return tensor.Convert[T](tensor.From(values, t.Shape...)), nil
}

// ReadFrom reads a file from r up to its end.
func ReadFrom(r io.Reader) (*File, error) { return filekind.DecodeFrom(r, Decode) }

// ReadFS reads the named file of a file system, such as one that is embedded in the program. Every error names it.
func ReadFS(fsys fs.FS, name string) (*File, error) {
	f, err := filekind.Decode(fsys, name, Decode)
	if err == nil {
		f.Path = name
	}
	return f, err
}
