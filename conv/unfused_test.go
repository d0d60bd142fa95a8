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

// TestUnfusedRow: the row without fused multiply-adds computes the same contractions, with the same bits for any number of goroutines. On
// small integers nothing is rounded, so that it equals the definition; elsewhere a chain of k links is within 2k roundings of the
// sum of magnitudes.
func TestUnfusedRow(t *testing.T) {
	t.Run("float32", func(t *testing.T) { testUnfusedRow[float32](t, 0x1p-24) })
	t.Run("float64", func(t *testing.T) { testUnfusedRow[float64](t, 0x1p-53) })
}

func testUnfusedRow[T tensor.Float](t *testing.T, epsilon float64) {
	defer kernel.Use(kernel.ActiveName())
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	r := rand.New(rand.NewPCG(2, 31))
	differs, geometries := false, 40
	if testing.Short() {
		geometries /= 3
	}
	for range geometries {
		s := draw(r)
		what := fmt.Sprintf("x %v, w %v, y %v, %v", s.x, s.w, s.y, s.g)
		x, w, y := random[T](r, s.x), random[T](r, s.w), random[T](r, s.y)
		want, magnitudes := defined(s, x, w, y), defined(s, magnitude(x), magnitude(w), magnitude(y))

		row := []*kernel.Set[T]{kernel.Unfused[T]()}
		if err := kernel.Use(row[0].Name); err != nil {
			t.Fatal(err)
		}
		runtime.GOMAXPROCS(1)
		got := newResults[T](s)
		Forward(got.y, x, w, s.g)
		Transpose(got.x, y, w, s.g)
		WeightGradient(got.w, x, y, s.g)
		got.compare(t, what, s, x, w, y, row, []int{7})
		taps := tensor.Size(s.w[2:])
		for _, c := range []struct {
			name                 string
			got, want, magnitude *tensor.Tensor[T]
			links                int
		}{
			{"Forward", got.y, want.y, magnitudes.y, s.w[1] * taps},
			{"Transpose", got.x, want.x, magnitudes.x, s.w[0] * taps},
			{"WeightGradient", got.w, want.w, magnitudes.w, s.y[0] * tensor.Size(s.y[2:])},
		} {
			for i, v := range c.want.Data {
				d := math.Abs(float64(c.got.Data[i]) - float64(v))
				differs = differs || d != 0
				if !(d <= 2*float64(c.links)*epsilon*float64(c.magnitude.Data[i])) {
					t.Fatalf("%s, %s: element %d is %v, the definition gives %v", c.name, what, i, c.got.Data[i], v)
				}
			}
		}

		for _, v := range []*tensor.Tensor[T]{x, w, y} {
			for i := range v.Data {
				v.Data[i] = T(r.IntN(9) - 4)
			}
		}
		defined(s, x, w, y).compare(t, "integers, "+what, s, x, w, y, row, []int{1, 7})
	}
	if !differs {
		t.Error("the row does not differ from the others")
	}
}

// defined is the three functions by their definitions.
func defined[T tensor.Float](s shape, x, w, y *tensor.Tensor[T]) results[T] {
	want := newResults[T](s)
	DefineForward(want.y, x, w, s.g)
	DefineTranspose(want.x, y, w, s.g)
	DefineWeightGradient(want.w, x, y, s.g)
	return want
}

func magnitude[T tensor.Float](x *tensor.Tensor[T]) *tensor.Tensor[T] {
	y := x.Clone()
	for i, v := range y.Data {
		y.Data[i] = T(math.Abs(float64(v)))
	}
	return y
}
