package conv

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"

	"sdref/tensor"
)

// TestThen: the epilogue gets every plane of a result once, finished, with planes of the same image only, and
// with its channel.
func TestThen(t *testing.T) {
	r := rand.New(rand.NewPCG(22, 7))
	shapes := []shape{ // all paths of a contraction: staged, interleaved, reordered, zeros inserted
		shapeOf(3, 5, 7, 9, 16, 3, Geometry{Padding: 1}),
		shapeOf(18, 5, 7, 4, 4, 3, Geometry{Padding: 1}),
		shapeOf(3, 5, 7, 32, 32, 3, Geometry{Stride: 2, Padding: 1, OutputPadding: 1}),
		shapeOf(18, 5, 7, 6, 6, 3, Geometry{Stride: 2, Padding: 1, OutputPadding: 1}),
		shapeOf(3, 5, 7, 32, 64, 1, Geometry{Stride: 2, OutputPadding: 1}),
		shapeOf(18, 13, 7, 16, 16, 1, Geometry{Stride: 2, OutputPadding: 1}),
		shapeOf(18, 5, 14, 8, 8, 1, Geometry{Stride: 2, OutputPadding: 1}),
		shapeOf(2, 5, 7, 4, 2, 1, Geometry{Stride: 2, OutputPadding: 1}),
		shapeOf(2, 5, 7, 7, 8, 1, Geometry{Stride: 2}),
	}
	for range 20 {
		shapes = append(shapes, shapes[1], drawFewerAxes(r))
	}
	for _, s := range shapes {
		x, w, y := random[float32](r, s.x), random[float32](r, s.w), random[float32](r, s.y)
		if r.IntN(3) == 0 { // sums of -0, for which a contraction is computed twice
			scale(x.Data, 1e-24)
			scale(w.Data, 1e-24)
			scale(y.Data, 1e-24)
		}
		got, want := tensor.New[float32](s.y...), tensor.New[float32](s.y...)
		DefineForward(want, x, w, s.g)
		checkThen(t, fmt.Sprint("Forward, ", s), got, want, func(then Then) {
			ForwardThen(got, x, w, s.g, then)
		})
		got, want = tensor.New[float32](s.x...), tensor.New[float32](s.x...)
		DefineTranspose(want, y, w, s.g)
		checkThen(t, fmt.Sprint("Transpose, ", s), got, want, func(then Then) {
			TransposeThen(got, y, w, s.g, then)
		})
	}
}

// shapeOf is a convolution of n images with c channels of h x w pixels with m square kernels.
func shapeOf(n, c, m, h, w, kernel int, g Geometry) shape {
	x, k := []int{n, c, h, w}, []int{m, c, kernel, kernel}
	return shape{g: g, x: x, w: k, y: g.CodeShape(x, k)}
}

func checkThen(t *testing.T, what string, got, want *tensor.Tensor[float32], run func(then Then)) {
	t.Helper()
	channels, plane := want.Shape[1], tensor.Size(want.Shape[2:])
	shown := make([]atomic.Int32, want.Shape[0]*channels)
	run(func(c, lo, hi int) {
		if lo%plane != 0 || hi%plane != 0 || lo >= hi || lo/plane%channels != c ||
			lo/plane/channels != (hi-1)/plane/channels {
			t.Errorf("%s: elements %d to %d shown as channel %d", what, lo, hi, c)
		}
		if !slices.Equal(got.Data[lo:hi], want.Data[lo:hi]) {
			t.Errorf("%s: elements %d to %d shown unfinished", what, lo, hi)
		}
		for p := lo / plane; p < hi/plane; p++ {
			shown[p].Add(1)
		}
	})
	for p := range shown {
		if n := shown[p].Load(); n != 1 {
			t.Errorf("%s: plane %d was shown %d times", what, p, n)
		}
	}
	same(t, what, got, want)
}
