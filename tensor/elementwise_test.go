package tensor

import (
	"math/rand/v2"
	"testing"

	"sdref/internal/kernel"
)

// elementwiseShapes: small ones, and sizes below, at and above those from which several goroutines share the
// work, which leave a tail for every vector length.
var elementwiseShapes = [][]int{{}, {0}, {1}, {3, 5, 7}, {2, 2*Grain - 1}, {2*Grain + 13}, {3, 5, Grain}}

// elementwise is one operation: called on inputs, and as its definition for one element. inPlace lists the
// inputs that may be the destination.
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
