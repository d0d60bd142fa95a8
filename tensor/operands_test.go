package tensor

import (
	"errors"
	"testing"
)

// recovered is what f panics with.
func recovered(f func()) (err error) {
	defer func() { err, _ = recover().(error) }()
	f()
	return nil
}

func TestOperandsThatShareMemory(t *testing.T) {
	memory := make([]float64, 20)
	at := func(i int) *Tensor[float64] { return From(memory[i:i+9], 3, 3) }
	for name, f := range map[string]func(){
		"shifted sum":       func() { AddScaled(at(1), at(0), at(10), 1) },
		"shifted scale":     func() { Scale(at(0), at(8), 2) },
		"shifted gradient":  func() { ShrinkGrad(at(3), at(11), at(2), 2) },
		"product in place":  func() { MatMul(at(0), at(0), at(10), false, false) },
		"product over b":    func() { MatMul(at(4), New[float64](3, 3), at(11), true, false) },
		"product of itself": func() { MatMul(at(0), New[float64](3, 3), at(0), false, true) },
	} {
		var e *MisuseError
		if err := recovered(f); !errors.As(err, &e) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := recovered(func() {
		AddScaled(at(0), at(0), at(10), 1)
		AddScaled(at(10), at(0), at(10), 1)
		Scale(at(9), at(0), 2)
		MatMul(at(0), at(9), at(9), false, true)
		Scale(From(memory[:0], 0), From(memory[:0], 0), 1)
	}); err != nil {
		t.Error(err)
	}
}

// A tensor that was written down as a literal may have too few elements, or too many.
func TestElementsThatDoNotFillTheShape(t *testing.T) {
	good := New[float32](2, 3)
	for _, n := range []int{0, 5, 7} {
		bad := &Tensor[float32]{Shape: []int{2, 3}, Data: make([]float32, n)}
		for name, f := range map[string]func(){
			"destination": func() { AddScaled(bad, good, good, 1) },
			"operand":     func() { AddScaled(good, good, bad, 1) },
			"scale":       func() { Scale(good, bad, 1) },
			"gradient":    func() { ShrinkGrad(good, bad, good, 1) },
			"product":     func() { MatMul(New[float32](2, 2), good, bad, false, true) },
			"result":      func() { MatMul(bad, New[float32](2, 2), good, false, false) },
			"dot":         func() { Dot(good, bad) },
			"sign":        func() { DotSign(bad, good) },
		} {
			var e *ShapeError
			if err := recovered(f); !errors.As(err, &e) {
				t.Errorf("%s of %d elements: %v", name, n, err)
			}
		}
	}
}
