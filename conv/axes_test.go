package conv

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"sdref/tensor"
)

// drawFewerAxes returns a random geometry of signals with one axis, or none.
func drawFewerAxes(r *rand.Rand) shape {
	s := draw(r)
	for range 1 + r.IntN(2) { // the rows go, then the columns
		s.x, s.w, s.y = without(s.x), without(s.w), without(s.y)
	}
	return s
}

// without is a shape without its first axis.
func without(shape []int) []int { return append([]int{shape[0], shape[1]}, shape[3:]...) }

func TestFewerAxesEqualDefinitionFloat32(t *testing.T) {
	testEqualsDefinition[float32](t, 100, drawFewerAxes)
}

func TestFewerAxesEqualDefinitionFloat64(t *testing.T) {
	testEqualsDefinition[float64](t, 100, drawFewerAxes)
}

// TestFewerAxesAgainstLoops compares all three functions with loops over a single axis. A vector is a line of
// one element with a kernel of one tap, without padding.
func TestFewerAxesAgainstLoops(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 7))
	seen := map[int]int{}
	for range 200 {
		s := drawFewerAxes(r)
		seen[len(s.x)]++
		x, w, y := integers(r, s.x), integers(r, s.w), integers(r, s.y)
		gotY, gotX, gotW := tensor.New[float64](s.y...), tensor.New[float64](s.x...),
			tensor.New[float64](s.w...)
		Forward(gotY, x, w, s.g)
		Transpose(gotX, y, w, s.g)
		WeightGradient(gotW, x, y, s.g)
		wantY, wantX, wantW := tensor.New[float64](s.y...), tensor.New[float64](s.x...),
			tensor.New[float64](s.w...)
		line := func(shape []int) int { return tensor.Size(shape[2:]) } // the axis' length, 1 for a vector
		padding := s.g.Padding * (len(s.x) - 2)
		for n := range s.x[0] {
			for m := range s.w[0] {
				for c := range s.w[1] {
					for i := range line(s.y) {
						for v := range line(s.w) {
							from := i*s.g.Stride + v*s.g.Dilation - padding
							if from < 0 || from >= line(s.x) {
								continue
							}
							atX, atW, atY := (n*s.x[1]+c)*line(s.x)+from, (m*s.w[1]+c)*line(s.w)+v,
								(n*s.y[1]+m)*line(s.y)+i
							wantY.Data[atY] += w.Data[atW] * x.Data[atX]
							wantX.Data[atX] += w.Data[atW] * y.Data[atY]
							wantW.Data[atW] += y.Data[atY] * x.Data[atX]
						}
					}
				}
			}
		}
		same(t, fmt.Sprint("Forward, ", s), gotY, wantY)
		same(t, fmt.Sprint("Transpose, ", s), gotX, wantX)
		same(t, fmt.Sprint("WeightGradient, ", s), gotW, wantW)
	}
	if seen[2] < 50 || seen[3] < 50 {
		t.Errorf("drawn %d vectors and %d lines, want at least 50 of each", seen[2], seen[3])
	}
}

// integers returns a tensor of random integers, so that sums of products are exact in any order.
func integers(r *rand.Rand, shape []int) *tensor.Tensor[float64] {
	t := tensor.New[float64](shape...)
	for i := range t.Data {
		t.Data[i] = float64(r.IntN(9) - 4)
	}
	return t
}

func TestShapesOfFewerAxes(t *testing.T) {
	g := Geometry{Stride: 2, Padding: 1}
	for _, c := range []struct{ x, w, y []int }{
		{[]int{5, 3, 9}, []int{4, 3, 3}, []int{5, 4, 5}},
		{[]int{5, 3}, []int{4, 3}, []int{5, 4}},
	} {
		if y, x := g.CodeShape(c.x, c.w), g.SignalShape(c.y, c.w); fmt.Sprint(y, x) != fmt.Sprint(c.y, c.x) {
			t.Errorf("x %v, w %v: code %v, want %v; signal of that %v", c.x, c.w, y, c.y, x)
		}
	}
	for _, c := range []struct{ x, w []int }{
		{[]int{5, 3, 9}, []int{4, 3, 3, 3}}, {[]int{5}, []int{4}},
		{[]int{5, 3, 9, 9, 9}, []int{4, 3, 3, 3, 3}},
	} {
		func() {
			defer func() {
				if _, ok := recover().(*tensor.ShapeError); !ok {
					t.Errorf("x %v, w %v: no *tensor.ShapeError", c.x, c.w)
				}
			}()
			g.CodeShape(c.x, c.w)
		}()
	}
}
