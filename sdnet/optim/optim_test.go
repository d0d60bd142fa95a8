package optim_test

import (
	"fmt"
	"math"
	"testing"

	"sdref/internal/kernel"
	"sdref/sdnet/optim"
	"sdref/tensor"
)

// reference is SGD as PyTorch's documentation writes it, nesterov=True, dampening=0: the velocity of the
// first step is the gradient itself.
type reference[T tensor.Float] struct {
	rate, momentum, decay T
	buffer                []T
}

func (r *reference[T]) step(p, g []T) {
	first := r.buffer == nil
	if first {
		r.buffer = make([]T, len(p))
	}
	for i := range p {
		d := g[i] + T(r.decay*p[i])
		if first {
			r.buffer[i] = d
		} else {
			r.buffer[i] = T(r.momentum*r.buffer[i]) + d
		}
		d += T(r.momentum * r.buffer[i])
		p[i] -= T(r.rate * d)
	}
}

func testSGD[T tensor.Float](t *testing.T, bound float64) {
	shapes := [][]int{{1}, {7, 3}, {2, 3, 5, 5}, {40_000}}
	for _, c := range []struct{ momentum, decay float64 }{{0, 0}, {0.9, 0}, {0, 0.01}, {0.9, 5e-4}} {
		var parameters []*tensor.Tensor[T]
		var want [][]T
		references := make([]reference[T], len(shapes))
		for i, shape := range shapes {
			p := noise[T](uint64(i), shape...)
			parameters, want = append(parameters, p), append(want, p.Clone().Data)
		}
		s := optim.NewSGD(parameters, c.momentum, c.decay)
		for step := range 6 {
			rate := 0.1 / float64(1+step)
			for i, p := range parameters {
				g := noise[T](uint64(100*step+i), p.Shape...)
				keep := g.Clone()
				s.Step(i, p, g, rate)
				references[i].rate, references[i].momentum, references[i].decay = T(rate), T(c.momentum),
					T(c.decay)
				references[i].step(want[i], keep.Data)
				if !tensor.SameBits(g, keep) {
					t.Fatal("a step changed the gradient")
				}
				compare(t, fmt.Sprintf("momentum %g, decay %g, step %d, parameter %v", c.momentum, c.decay,
					step, p.Shape), p.Data, want[i], bound)
				compare(t, "velocity", s.Velocity[i].Data, references[i].buffer, bound)
			}
		}
	}
}

// The reference rounds after each operation; SGD fuses some, a difference of a few units in the last place.
func TestSGDFloat32(t *testing.T) { testSGD[float32](t, 1e-6) }
func TestSGDFloat64(t *testing.T) { testSGD[float64](t, 1e-14) }

func noise[T tensor.Float](seed uint64, shape ...int) *tensor.Tensor[T] {
	x := tensor.New[T](shape...)
	tensor.FillUniform(x, seed, 1, 0)
	return x
}

// compare allows differences of bound, the numbers being near 1.
func compare[T tensor.Float](t *testing.T, what string, got, want []T, bound float64) {
	t.Helper()
	for i, v := range want {
		if !(math.Abs(float64(got[i])-float64(v)) <= bound*(1+math.Abs(float64(v)))) {
			t.Errorf("%s: element %d is %v, want %v", what, i, got[i], v)
			return
		}
	}
}

// TestSGDOnEveryRow compares the kernel rows bit for bit, at a length that no vector divides.
func TestSGDOnEveryRow(t *testing.T) {
	sameOnEveryRow(t, func() *tensor.Tensor[float32] {
		p := noise[float32](1, 40_003)
		s := optim.NewSGD([]*tensor.Tensor[float32]{p}, 0.9, 5e-4)
		for step := range 3 {
			s.Step(0, p, noise[float32](uint64(step), 40_003), 0.1)
		}
		return p
	})
}

// sameOnEveryRow compares what compute returns on each kernel row bit for bit.
func sameOnEveryRow(t *testing.T, compute func() *tensor.Tensor[float32]) {
	defer func(name string) {
		if err := kernel.Use(name); err != nil {
			t.Error(err)
		}
	}(kernel.ActiveName())
	var first *tensor.Tensor[float32]
	for _, row := range kernel.Rows[float32]() {
		if err := kernel.Use(row.Name); err != nil {
			t.Fatal(err)
		}
		p := compute()
		if first == nil {
			first = p
		} else if at := tensor.FirstDifference(p, first); at >= 0 {
			t.Errorf("%s: element %d is %g, on the generic row %g", row.Name, at, p.Data[at], first.Data[at])
		}
	}
}

// A factor on a parameter's rate is another rate for it, with a decay that takes as much in a step.
func TestRates(t *testing.T) {
	for _, plain := range []bool{false, true} {
		a, b := noise[float64](1, 50), noise[float64](2, 50)
		wantA, wantB := a.Clone(), b.Clone()
		s := optim.NewSGD([]*tensor.Tensor[float64]{a, b}, 0.9, 0.02)
		s.Rates, s.Plain = []float64{1, 64}, plain
		plainly := optim.NewSGD([]*tensor.Tensor[float64]{wantA}, 0.9, 0.02)
		faster := optim.NewSGD([]*tensor.Tensor[float64]{wantB}, 0.9, 0.02/64)
		plainly.Plain, faster.Plain = plain, plain
		for step := range 4 {
			g := noise[float64](uint64(10+step), 50)
			s.Step(0, a, g, 0.01)
			s.Step(1, b, g, 0.01)
			plainly.Step(0, wantA, g, 0.01)
			faster.Step(0, wantB, g, 0.64)
		}
		if !tensor.SameBits(a, wantA) || !tensor.SameBits(b, wantB) {
			t.Errorf("plain %t: another step", plain)
		}
	}
}

func Example() {
	w := tensor.From([]float64{1, -2}, 2)
	sgd := optim.NewSGD([]*tensor.Tensor[float64]{w}, 0.9, 0)
	var schedule optim.Schedule = optim.Cosine{Base: 0.1}
	const steps = 100
	for i := range steps {
		gradient := w.Clone() // of |w|^2/2
		sgd.Step(0, w, gradient, schedule.Rate(i, steps, steps))
	}
	fmt.Println(tensor.SumSquares(w) < 1e-5)
	// Output: true
}
