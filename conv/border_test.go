package conv

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"sdref/internal/kernel"
	"sdref/tensor"
)

// hazard is a change of the operands after which links with the border's zeros matter, or might.
type hazard[T tensor.Float] struct {
	name string
	one  bool // whether only one of the three operands is changed
	set  func(r *rand.Rand, x []T)
}

// hazards lists such changes. Products of two tiny numbers are less than half the smallest number, products
// of huge ones infinite.
func hazards[T tensor.Float](tiny, huge T) []hazard[T] {
	return []hazard[T]{
		{"one infinity", true, func(r *rand.Rand, x []T) {
			x[r.IntN(len(x))] = T(math.Inf(1 - 2*r.IntN(2)))
		}},
		{"one NaN", true, func(r *rand.Rand, x []T) { x[r.IntN(len(x))] = T(math.NaN()) }},
		{"products that are no numbers", false, func(r *rand.Rand, x []T) { scale(x, tiny) }},
		{"few of them", false, func(r *rand.Rand, x []T) {
			scale(x, tiny)
			for i := range x {
				if r.IntN(20) > 0 {
					x[i] = 0
				}
			}
		}},
		{"zeros of both signs", false, func(r *rand.Rand, x []T) {
			for i := range x {
				x[i] = T(math.Copysign(0, float64(x[i])))
			}
		}},
		{"an overflow", false, func(r *rand.Rand, x []T) { scale(x, huge) }},
	}
}

func scale[T tensor.Float](x []T, s T) {
	for i := range x {
		x[i] *= s
	}
}

// TestBorderLinksSkipped compares with the definition where links with the border's zeros change the results,
// or nearly do: on images so small that these links are skipped at first, interleaved and not.
func TestBorderLinksSkipped(t *testing.T) {
	t.Run("float32", func(t *testing.T) { testBorderLinksSkipped(t, hazards[float32](1e-24, 1e19)) })
	t.Run("float64", func(t *testing.T) { testBorderLinksSkipped(t, hazards(1e-170, 1e154)) })
}

func testBorderLinksSkipped[T tensor.Float](t *testing.T, list []hazard[T]) {
	defer kernel.Use(kernel.ActiveName())
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	r := rand.New(rand.NewPCG(31, 7))
	shapes := []shape{
		{x: []int{18, 2, 4, 4}, w: []int{5, 2, 3, 3}, g: Geometry{Padding: 1}},
		{x: []int{33, 3, 2, 3}, w: []int{2, 3, 3, 3}, g: Geometry{Padding: 1}},
		{x: []int{2, 2, 6, 16}, w: []int{5, 2, 3, 3}, g: Geometry{Padding: 1}},
		{x: []int{17, 2, 8, 8}, w: []int{3, 2, 3, 3}, g: Geometry{Padding: 1, Stride: 2}},
		{x: []int{16, 2, 6, 5}, w: []int{3, 2, 5, 3}, g: Geometry{Padding: 2, Dilation: 2}},
		// so many links that WeightGradient skips some
		{x: []int{40, 9, 4, 4}, w: []int{5, 9, 3, 3}, g: Geometry{Padding: 1}},
		{x: []int{70, 8, 5, 4}, w: []int{5, 8, 3, 4}, g: Geometry{Padding: 2, Stride: 2}},
		{x: []int{300, 9, 1, 1}, w: []int{3, 9, 3, 3}, g: Geometry{Padding: 1}},
		{x: []int{17, 3, 1, 1}, w: []int{3, 3, 3, 3}, g: Geometry{Padding: 1}}, // most taps are never inside
	}
	for _, s := range some(shapes) {
		s.y = s.g.CodeShape(s.x, s.w)
		for _, c := range list {
			for which := range 3 {
				if testing.Short() && !c.one && which > 0 {
					continue // the same again with other numbers
				}
				x, w, y := random[T](r, s.x), random[T](r, s.w), random[T](r, s.y)
				for i, v := range []*tensor.Tensor[T]{x, w, y} {
					if !c.one || i == which {
						c.set(r, v.Data)
					}
				}
				everyRow(t, fmt.Sprintf("%s, x %v, w %v, %v", c.name, s.x, s.w, s.g), s, x, w, y)
			}
		}
	}
}
