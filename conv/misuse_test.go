package conv

import (
	"errors"
	"testing"

	"sdref/tensor"
)

// A result that would overwrite what is still read is refused by all three functions, and so are tensors without the elements of their
// shapes and settings out of range.
func TestMisuse(t *testing.T) {
	memory := make([]float32, 1000)
	x, w, y := tensor.From(memory[:72], 1, 2, 6, 6), tensor.From(memory[100:136], 2, 2, 3, 3), tensor.From(memory[200:272], 1, 2, 6, 6)
	over := tensor.From(memory[71:143], 1, 2, 6, 6) // the last element of x, and all of w
	short := &tensor.Tensor[float32]{Shape: x.Shape, Data: memory[:71]}
	g := Geometry{Padding: 1}
	for name, f := range map[string]func(){
		"forward onto w":    func() { Forward(over, x, w, g) },
		"transpose onto y":  func() { Transpose(over, x, w, g) },
		"gradient onto x":   func() { WeightGradient(w, over, y, g) },
		"matrices in place": func() { Forward(over.Reshape(9, 8), over.Reshape(9, 8), tensor.New[float32](8, 8), Geometry{}) },
	} {
		var e *tensor.MisuseError
		if err := recovered(f); !errors.As(err, &e) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var e *tensor.ShapeError
	for name, f := range map[string]func(){
		"forward": func() { Forward(y, short, w, g) }, "transpose": func() { Transpose(short, y, w, g) },
		"gradient": func() { WeightGradient(w, short, y, g) },
	} {
		if err := recovered(f); !errors.As(err, &e) {
			t.Errorf("%s of too few elements: %v", name, err)
		}
	}
	for _, g := range []Geometry{{Stride: -1}, {Padding: -1}, {Dilation: -2}, {OutputPadding: 1}, {Algorithm: 7}} {
		var e *GeometryError
		if err := recovered(func() { Forward(tensor.New[float32](g.CodeShape(x.Shape, w.Shape)...), x, w, g) }); !errors.As(err, &e) {
			t.Errorf("%+v: %v", g, err)
		}
	}
}

// recovered is what f panics with.
func recovered(f func()) (err error) {
	defer func() { err, _ = recover().(error) }()
	f()
	return nil
}
