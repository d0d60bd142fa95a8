package tensor

import (
	"math/rand/v2"
	"testing"

	"sdref/internal/kernel"
)

// elementwiseShapes: small ones, and sizes below, at and above those from which several goroutines share the work, which
// leave a tail for every vector length.
var elementwiseShapes = [][]int{{}, {0}, {1}, {3, 5, 7}, {2, 2*Grain - 1}, {2*Grain + 13}, {3, 5, Grain}}

// elementwise is one operation: called on inputs, and as its definition for one element. inPlace lists the inputs that
// may be the destination.
type elementwise[T Float] struct {
	name    string
	call    func(dst *Tensor[T], in []*Tensor[T])
	one     func(in []T) T
	inputs  int
	inPlace []int
}

const scale = 0.7

func elementwiseTable[T Float]() []elementwise[T] {
	return []elementwise[T]{
		{"AddScaled", func(dst *Tensor[T], in []*Tensor[T]) { AddScaled(dst, in[0], in[1], T(-0.3)) },
			func(in []T) T { return kernel.FMA(T(-0.3), in[1], in[0]) }, 2, []int{0, 1}},
		{"sum", func(dst *Tensor[T], in []*Tensor[T]) { AddScaled(dst, in[0], in[1], 1) },
			func(in []T) T { return in[0] + in[1] }, 2, []int{0, 1}},
		{"difference", func(dst *Tensor[T], in []*Tensor[T]) { AddScaled(dst, in[0], in[1], -1) },
			func(in []T) T { return in[0] - in[1] }, 2, []int{0, 1}},
		{"Scale", func(dst *Tensor[T], in []*Tensor[T]) { Scale(dst, in[0], T(1.7)) },
			func(in []T) T { return T(1.7) * in[0] }, 1, []int{0}},
		{"ReLUGrad", func(dst *Tensor[T], in []*Tensor[T]) { ReLUGrad(dst, in[0], in[1]) },
			func(in []T) T {
				if in[0] > 0 {
					return in[1]
				}
				return 0
			}, 2, []int{1}},
		{"ShrinkGrad", func(dst *Tensor[T], in []*Tensor[T]) { ShrinkGrad(dst, in[0], in[1], T(scale)) },
			func(in []T) T {
				if in[0] != 0 {
					return T(scale) * in[1]
				}
				return 0
			}, 2, []int{1}},
	}
}

func TestElementwiseEqualsItsDefinition(t *testing.T) {
	bothTypes(t, testElementwise[float32], testElementwise[float64])
}

func testElementwise[T Float](t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, shape := range elementwiseShapes {
		in := []*Tensor[T]{special[T](r, shape...), special[T](r, shape...)}
		for _, op := range elementwiseTable[T]() {
			want := New[T](shape...)
			for i := range want.Data {
				want.Data[i] = op.one([]T{in[0].Data[i], in[1].Data[i]})
			}
			everywhere(t, func(where string) {
				dst := New[T](shape...)
				dst.Fill(12345)
				op.call(dst, in[:op.inputs])
				mustEqual(t, op.name+" on "+where, dst, want)
				for _, i := range op.inPlace {
					alias := []*Tensor[T]{in[0], in[1]}
					alias[i] = in[i].Clone()
					op.call(alias[i], alias[:op.inputs])
					mustEqual(t, op.name+" in place on "+where, alias[i], want)
				}
			})
		}
	}
}

func TestMomentumEqualsItsDefinition(t *testing.T) {
	bothTypes(t, testMomentum[float32], testMomentum[float64])
}

func testMomentum[T Float](t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	rate, momentum, decay := T(0.1), T(0.9), T(5e-4)
	for _, shape := range elementwiseShapes {
		w, velocity, g := normal[T](r, shape...), normal[T](r, shape...), normal[T](r, shape...)
		wantW, wantV := w.Clone(), velocity.Clone()
		for i := range g.Data {
			d := kernel.FMA(decay, w.Data[i], g.Data[i])
			wantV.Data[i] = kernel.FMA(momentum, velocity.Data[i], d)
			wantW.Data[i] = kernel.FMA(-rate, kernel.FMA(momentum, wantV.Data[i], d), w.Data[i])
		}
		everywhere(t, func(where string) {
			gotW, gotV, gradient := w.Clone(), velocity.Clone(), g.Clone()
			Momentum(gotW, gotV, gradient, rate, momentum, decay)
			mustEqual(t, "w on "+where, gotW, wantW)
			mustEqual(t, "velocity on "+where, gotV, wantV)
			mustEqual(t, "g on "+where, gradient, g)
		})
	}
}

// One step by hand: d = 2 + 0.5*4 = 4, velocity = 0.5*8 + 4 = 8, w = 4 - 0.25*(4 + 0.5*8) = 2.
func TestMomentumByHand(t *testing.T) {
	w, velocity, g := From([]float64{4}, 1), From([]float64{8}, 1), From([]float64{2}, 1)
	Momentum(w, velocity, g, 0.25, 0.5, 0.5)
	if w.Data[0] != 2 || velocity.Data[0] != 8 {
		t.Errorf("w %v, velocity %v, want 2 and 8", w.Data[0], velocity.Data[0])
	}
}
