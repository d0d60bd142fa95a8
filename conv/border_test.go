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

// spoil is data for which links with the border's zeros matter, or might.
var spoil = []struct {
	name string
	set  func(r *rand.Rand, x []float32)
}{
	{"one infinity", func(r *rand.Rand, x []float32) { x[r.IntN(len(x))] = float32(math.Inf(1 - 2*r.IntN(2))) }},
	{"one NaN", func(r *rand.Rand, x []float32) { x[r.IntN(len(x))] = float32(math.NaN()) }},
	{"products that are no numbers", func(r *rand.Rand, x []float32) { scale(x, 1e-24) }},
	{"few of them", func(r *rand.Rand, x []float32) {
		scale(x, 1e-24)
		for i := range x {
			if r.IntN(20) > 0 {
				x[i] = 0
			}
		}
	}},
	{"zeros of both signs", func(r *rand.Rand, x []float32) {
		for i := range x {
			x[i] = float32(math.Copysign(0, float64(x[i])))
		}
	}},
	{"an overflow", func(r *rand.Rand, x []float32) { scale(x, 1e19) }},
}

func scale(x []float32, s float32) {
	for i := range x {
		x[i] *= s
	}
}

// TestBorderSpared compares with the definition where links with the border's zeros change the results, or nearly do: on images so
// small that these links are left out at first, alone and side by side.
func TestBorderSpared(t *testing.T) {
	defer kernel.Use(kernel.ActiveName())
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	r := rand.New(rand.NewPCG(31, 7))
	shapes := []shape{
		{x: []int{18, 2, 4, 4}, w: []int{5, 2, 3, 3}, g: Geometry{Padding: 1}},
		{x: []int{33, 3, 2, 3}, w: []int{2, 3, 3, 3}, g: Geometry{Padding: 1}},
		{x: []int{2, 2, 6, 16}, w: []int{5, 2, 3, 3}, g: Geometry{Padding: 1}},
		{x: []int{17, 2, 8, 8}, w: []int{3, 2, 3, 3}, g: Geometry{Padding: 1, Stride: 2}},
		{x: []int{16, 2, 6, 5}, w: []int{3, 2, 5, 3}, g: Geometry{Padding: 2, Dilation: 2}},
		{x: []int{40, 9, 4, 4}, w: []int{5, 9, 3, 3}, g: Geometry{Padding: 1}}, // so many links that Filter leaves some out
		{x: []int{70, 8, 5, 4}, w: []int{5, 8, 3, 4}, g: Geometry{Padding: 2, Stride: 2}},
		{x: []int{300, 9, 1, 1}, w: []int{3, 9, 3, 3}, g: Geometry{Padding: 1}},
		{x: []int{17, 3, 1, 1}, w: []int{3, 3, 3, 3}, g: Geometry{Padding: 1}}, // most taps are never inside
	}
	for _, s := range shapes {
		s.y = s.g.CodeShape(s.x, s.w)
		for _, spoiled := range spoil {
			for which := range 3 {
				x, w, y := random[float32](r, s.x), random[float32](r, s.w), random[float32](r, s.y)
				for i, v := range []*tensor.Tensor[float32]{x, w, y} {
					if spoiled.name != "one infinity" && spoiled.name != "one NaN" || i == which {
						spoiled.set(r, v.Data)
					}
				}
				everyRow(t, fmt.Sprintf("%s, x %v, w %v, %v", spoiled.name, s.x, s.w, s.g), s, x, w, y)
			}
		}
	}
}

// everyRow compares the three functions with the definition on every row, with 1 and 3 goroutines.
func everyRow(t *testing.T, what string, s shape, x, w, y *tensor.Tensor[float32]) {
	t.Helper()
	wantY, wantX, wantW := tensor.New[float32](s.y...), tensor.New[float32](s.x...), tensor.New[float32](s.w...)
	DefineForward(wantY, x, w, s.g)
	DefineTranspose(wantX, y, w, s.g)
	DefineFilter(wantW, x, y, s.g)
	for _, row := range kernel.Rows[float32]() {
		for _, procs := range []int{1, 3} {
			if err := kernel.Use(row.Name); err != nil {
				t.Fatal(err)
			}
			runtime.GOMAXPROCS(procs)
			gotY, gotX, gotW := poisoned[float32](s.y), poisoned[float32](s.x), poisoned[float32](s.w)
			Forward(gotY, x, w, s.g)
			Transpose(gotX, y, w, s.g)
			Filter(gotW, x, y, s.g)
			where := fmt.Sprintf("%s, row %s, %d goroutines", what, row.Name, procs)
			same(t, "Forward, "+where, gotY, wantY)
			same(t, "Transpose, "+where, gotX, wantX)
			same(t, "Filter, "+where, gotW, wantW)
		}
	}
}
