package solve

import (
	"fmt"
	"math"
	"testing"

	"sdref/conv"
	"sdref/internal/random"
	"sdref/tensor"
)

// fill returns a tensor with elements of (-scale, scale).
func fill[T tensor.Float](seed uint64, scale float64, shape ...int) *tensor.Tensor[T] {
	t := tensor.New[T](shape...)
	tensor.FillUniform(t, seed, scale, 0)
	return t
}

// randomProblem draws a small problem: sizes, kernel, and for ZeroBoundary stride, padding and dilation too.
// The atoms have norm 1, lambda is a share of lambda_max, and every third problem has mu > 0.
func randomProblem(seed uint64, b Boundary, nonnegative bool) *Problem[float64] {
	s := random.New(seed).Sub(b.String())
	draw := func(i uint64, least, most int) int { return least + s.Intn(i, most-least+1) }
	kh, kw := draw(0, 1, 4), draw(1, 2, 4)
	c, m := draw(2, 1, 3), draw(3, 2, 6)
	w := fill[float64](s.At(4), 1, m, c, kh, kw)
	for i := range m {
		atom := w.Row(i)
		tensor.Scale(atom, atom, 1/norm(atom))
	}
	p := &Problem[float64]{Nonnegative: nonnegative}
	switch b {
	case ZeroBoundary:
		p.A = ZeroPadded(w, conv.Geometry{Stride: draw(5, 1, 2), Padding: draw(6, 0, 2),
			Dilation: draw(7, 1, 2)})
	case FullBoundary:
		p.A = Full(w)
	case CircularBoundary:
		p.A = Circular(w)
	}
	p.X = fill[float64](s.At(8), 2, draw(9, 1, 2), c, draw(10, 7, 10), draw(11, 7, 10))
	if seed%3 == 2 {
		p.Mu = 0.1
	}
	p.Lambda = (0.35 + 0.3*s.Float(12)) * lambdaMax(p)
	return p
}

// lambdaMax is the least lambda for which the code of some image is 0. It does not depend on the problem's own, which is not that of least
// squares: those take a certificate that needs A's singular values.
func lambdaMax(p *Problem[float64]) float64 {
	q := *p
	q.Lambda = 1
	return Certify(&q, tensor.New[float64](p.CodeShape()...)).LambdaMax
}

func describe(p *Problem[float64]) string {
	return fmt.Sprintf("x %v, w %v, %v, boundary %v, lambda %.3g, mu %g, nonnegative %t", p.X.Shape,
		p.A.Atoms.Shape, p.A.Geometry, p.A.Boundary, p.Lambda, p.Mu, p.Nonnegative)
}

// relative is max|a - b| over max|b|.
func relative(a, b *tensor.Tensor[float64]) float64 {
	worst, scale := 0.0, 0.0
	for i := range a.Data {
		worst = max(worst, math.Abs(a.Data[i]-b.Data[i]))
		scale = max(scale, math.Abs(b.Data[i]))
	}
	if worst == 0 {
		return 0
	}
	return worst / scale
}

// mustPanic reports an error unless call panics.
func mustPanic(t *testing.T, what string, call func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Errorf("%s: no panic", what)
		}
	}()
	call()
}
