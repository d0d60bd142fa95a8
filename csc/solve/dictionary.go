package solve

import (
	"fmt"

	"sdref/conv"
	"sdref/tensor"
)

// Boundary says what A z is near the signal's borders. The problem's solution depends on it.
type Boundary int

const (
	// ZeroBoundary: A is the transposed convolution of a CSC layer, with its stride, padding and dilation.
	// The parts of atoms that lie outside the signal are cut off.
	ZeroBoundary Boundary = iota
	// FullBoundary: A z is the full convolution, larger than z by the kernel less 1: every atom lies inside
	// the signal.
	FullBoundary
	// CircularBoundary: the signal is a torus, A z[a] = sum of w[u] z[(a-u) mod H], and the code has the
	// signal's size.
	CircularBoundary
)

var boundaryNames = []string{"zero", "full", "circular"}

func (b Boundary) String() string {
	if b < 0 || int(b) >= len(boundaryNames) {
		return fmt.Sprintf("Boundary(%d)", int(b))
	}
	return boundaryNames[b]
}

// ParseBoundary is the inverse of String.
func ParseBoundary(name string) (Boundary, error) {
	for b, s := range boundaryNames {
		if s == name {
			return Boundary(b), nil
		}
	}
	return 0, fmt.Errorf("unknown boundary %q (zero, full, circular)", name)
}

// MarshalText returns the name, for files and flags.
func (b Boundary) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// UnmarshalText is ParseBoundary.
func (b *Boundary) UnmarshalText(text []byte) (err error) {
	*b, err = ParseBoundary(string(text))
	return err
}

// Dictionary is the linear map A from codes to signals, made by ZeroPadded, Full or Circular.
type Dictionary[T tensor.Float] struct {
	Atoms    *tensor.Tensor[T] // (M, C, KH, KW)
	Geometry conv.Geometry     // of A*; the zero value unless the boundary is ZeroBoundary
	Boundary Boundary
}

// ZeroPadded is a CSC layer's dictionary.
func ZeroPadded[T tensor.Float](w *tensor.Tensor[T], g conv.Geometry) Dictionary[T] {
	return Dictionary[T]{Atoms: w, Geometry: g, Boundary: ZeroBoundary}
}

// Full is the full convolution.
func Full[T tensor.Float](w *tensor.Tensor[T]) Dictionary[T] {
	return Dictionary[T]{Atoms: w, Boundary: FullBoundary}
}

// Circular is the convolution on the torus.
func Circular[T tensor.Float](w *tensor.Tensor[T]) Dictionary[T] {
	return Dictionary[T]{Atoms: w, Boundary: CircularBoundary}
}

// CodeShape is the shape (N, M, Ho, Wo) of the codes of signals of the given shape (N, C, H, W).
func (d Dictionary[T]) CodeShape(signal []int) []int {
	if d.Boundary == CircularBoundary {
		return []int{signal[0], d.Atoms.Shape[0], signal[2], signal[3]}
	}
	return d.Geometry.CodeShape(signal, d.Atoms.Shape)
}

// Synthesize sets x = A z. The shape of x decides how large the signal is.
func (d Dictionary[T]) Synthesize(x, z *tensor.Tensor[T]) {
	newOperator(d, x.Shape).synthesize(x, z, nil)
}

// Analyze sets c = A* r.
func (d Dictionary[T]) Analyze(c, r *tensor.Tensor[T]) {
	newOperator(d, r.Shape).analyze(c, r, nil)
}

// check returns an error if the dictionary cannot synthesize signals of a shape.
func (d Dictionary[T]) check(signal []int) error {
	g, w := d.Geometry, d.Atoms.Shape
	plain := conv.Geometry{Algorithm: g.Algorithm}
	switch {
	case len(signal) != 4 || tensor.Size(signal) == 0:
		return fmt.Errorf("signal of shape %v: want (N, C, H, W), none of them 0", signal)
	case len(w) != 4 || tensor.Size(w) == 0:
		return fmt.Errorf("atoms of shape %v: want (M, C, KH, KW), none of them 0", w)
	case w[1] != signal[1]:
		return fmt.Errorf("atoms %v have %d channels, the signal %v has %d", w, w[1], signal, signal[1])
	case g.Stride < 0 || g.Padding < 0 || g.Dilation < 0 || g.OutputPadding != 0:
		return fmt.Errorf("%v: a setting is out of range", g)
	case d.Boundary < ZeroBoundary || d.Boundary > CircularBoundary:
		return fmt.Errorf("no such boundary: %v", d.Boundary)
	case d.Boundary != ZeroBoundary && g != plain:
		return fmt.Errorf("boundary %v has no stride, padding or dilation, got %v", d.Boundary, g)
	case d.Boundary == CircularBoundary && (w[2] > signal[2] || w[3] > signal[3]):
		return fmt.Errorf("atoms %v are larger than the torus %v", w, signal)
	case d.Boundary == CircularBoundary:
		return nil
	}
	if code := d.CodeShape(signal); code[2] < 1 || code[3] < 1 {
		return fmt.Errorf("atoms %v do not fit into the signal %v with %v", w, signal, g)
	}
	return nil
}
