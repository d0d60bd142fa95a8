package conv

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"sdref/internal/kernel"
	"sdref/tensor"
)

// shape is one drawn evaluation of the form.
type shape struct {
	x, w, y []int
	g       Geometry
}

// draw returns a random geometry with N, C, M, H, W all distinct. Sizes of x are drawn freely, or made from
// y's with an output padding, which reaches the rows that no element of y touches.
func draw(r *rand.Rand) shape {
	for {
		g := Geometry{Stride: 1 + r.IntN(3), Padding: r.IntN(4), Dilation: 1 + r.IntN(2)}
		kh, kw := 1+r.IntN(4), 1+r.IntN(4)
		dims := r.Perm(13)
		n, c, m, h, w := 1+dims[0]%5, 1+dims[1], 1+dims[2], 3+dims[3], 3+dims[4]
		if r.IntN(4) == 0 {
			n, h, w = n+6, 3+h%4, 4 // small images, several in one group
		}
		distinct := slices.Compact(slices.Sorted(slices.Values([]int{n, c, m, h, w})))
		if len(distinct) < 5 {
			continue
		}
		s := shape{x: []int{n, c, h, w}, w: []int{m, c, kh, kw}, g: g}
		if r.IntN(3) == 0 {
			s.g.OutputPadding = r.IntN(g.Stride)
			s.y = []int{n, m, h, w}
			s.x = s.g.SignalShape(s.y, s.w)
		} else {
			s.y = g.CodeShape(s.x, s.w)
		}
		if s.x[2] >= 1 && s.x[3] >= 1 && s.y[2] >= 1 && s.y[3] >= 1 {
			return s
		}
	}
}

func random[T tensor.Float](r *rand.Rand, shape []int) *tensor.Tensor[T] {
	t := tensor.New[T](shape...)
	for i := range t.Data {
		t.Data[i] = T(r.NormFloat64())
	}
	return t
}

// poisoned is a destination in which elements that were not written can be told.
func poisoned[T tensor.Float](shape []int) *tensor.Tensor[T] {
	t := tensor.New[T](shape...)
	t.Fill(12345)
	return t
}

func testEqualsDefinition[T tensor.Float](t *testing.T, geometries int, draw func(*rand.Rand) shape) {
	defer kernel.Use(kernel.ActiveName())
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	r := rand.New(rand.NewPCG(2, 7))
	if testing.Short() {
		geometries /= 3
	}
	for range geometries {
		s := draw(r)
		x, w, y := random[T](r, s.x), random[T](r, s.w), random[T](r, s.y)
		everyRow(t, fmt.Sprintf("x %v, w %v, y %v, %v", s.x, s.w, s.y, s.g), s, x, w, y)
	}
}

// everyRow compares the three functions with the definition on every row, with 1 and 7 goroutines.
func everyRow[T tensor.Float](t *testing.T, what string, s shape, x, w, y *tensor.Tensor[T]) {
	t.Helper()
	defined(s, x, w, y).compare(t, what, s, x, w, y, kernel.Rows[T](), []int{1, 7})
}

// results are those of Forward, Transpose and WeightGradient.
type results[T tensor.Float] struct{ y, x, w *tensor.Tensor[T] }

func newResults[T tensor.Float](s shape) results[T] {
	return results[T]{poisoned[T](s.y), poisoned[T](s.x), poisoned[T](s.w)}
}

// compare runs the three functions on the given rows with so many goroutines, and compares them bit for bit.
func (want results[T]) compare(t *testing.T, what string, s shape, x, w, y *tensor.Tensor[T],
	rows []*kernel.Set[T], procs []int) {
	t.Helper()
	for _, row := range rows {
		for _, procs := range procs {
			if err := kernel.Use(row.Name); err != nil {
				t.Fatal(err)
			}
			runtime.GOMAXPROCS(procs)
			got := newResults[T](s)
			Forward(got.y, x, w, s.g)
			Transpose(got.x, y, w, s.g)
			WeightGradient(got.w, x, y, s.g)
			where := fmt.Sprintf("%s, row %s, %d goroutines", what, row.Name, procs)
			same(t, "Forward, "+where, got.y, want.y)
			same(t, "Transpose, "+where, got.x, want.x)
			same(t, "WeightGradient, "+where, got.w, want.w)
		}
	}
}

func same[T tensor.Float](t *testing.T, what string, got, want *tensor.Tensor[T]) {
	t.Helper()
	if i := tensor.FirstDifference(got, want); i >= 0 {
		t.Fatalf("%s: element %d is %v, the definition gives %v", what, i, got.Data[i], want.Data[i])
	}
}

// some is a list of shapes or, with -short, every third of it.
func some(shapes []shape) (short []shape) {
	if !testing.Short() {
		return shapes
	}
	for i := 0; i < len(shapes); i += 3 {
		short = append(short, shapes[i])
	}
	return short
}

func TestEqualsDefinitionFloat32(t *testing.T) { testEqualsDefinition[float32](t, 150, draw) }
func TestEqualsDefinitionFloat64(t *testing.T) { testEqualsDefinition[float64](t, 150, draw) }

// TestEqualsDefinitionInNetworks takes the shapes that networks have, where whole panels and several blocks
// of the chain occur.
func TestEqualsDefinitionInNetworks(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 7))
	for _, s := range some([]shape{
		{x: []int{2, 3, 32, 32}, w: []int{64, 3, 3, 3}, g: Geometry{Padding: 1}},
		{x: []int{1, 64, 9, 32}, w: []int{60, 64, 3, 3}, g: Geometry{Padding: 1}},
		{x: []int{2, 64, 10, 32}, w: []int{70, 64, 3, 3}, g: Geometry{Stride: 2, Padding: 1}},
		{x: []int{2, 64, 32, 32}, w: []int{70, 64, 1, 1}, g: Geometry{Stride: 2}},
		{x: []int{3, 128, 8, 8}, w: []int{50, 128, 3, 3}, g: Geometry{Padding: 1}},
		{x: []int{5, 96, 4, 4}, w: []int{100, 96, 3, 3}, g: Geometry{Padding: 1}},
		{x: []int{1, 3, 20, 64}, w: []int{64, 3, 7, 7}, g: Geometry{Stride: 2, Padding: 3}},
		// interleaved images, and a last group of fewer
		{x: []int{70, 5, 3, 4}, w: []int{6, 5, 3, 3}, g: Geometry{Padding: 1}},
		{x: []int{71, 5, 7, 8}, w: []int{6, 5, 3, 3}, g: Geometry{Stride: 2, Padding: 1}},
		// a single tap, interleaved images
		{x: []int{40, 9, 7, 8}, w: []int{6, 9, 1, 1}, g: Geometry{Stride: 2, Padding: 1}},
		// images read where they lie
		{x: []int{3, 8, 6, 32}, w: []int{14, 8, 1, 1}},
		// so many pixels that weights are transposed
		{x: []int{8, 20, 24, 24}, w: []int{40, 20, 3, 3}, g: Geometry{Stride: 2, Padding: 1}},
		{x: []int{7, 5, 40, 41}, w: []int{9, 5, 4, 2}, g: Geometry{Stride: 3, Padding: 1, Dilation: 2}},
	}) {
		s.y = s.g.CodeShape(s.x, s.w)
		x, w, y := random[float32](r, s.x), random[float32](r, s.w), random[float32](r, s.y)
		wantY, wantX, wantW := tensor.New[float32](s.y...), tensor.New[float32](s.x...),
			tensor.New[float32](s.w...)
		gotY, gotX, gotW := poisoned[float32](s.y), poisoned[float32](s.x), poisoned[float32](s.w)
		DefineForward(wantY, x, w, s.g)
		DefineTranspose(wantX, y, w, s.g)
		DefineWeightGradient(wantW, x, y, s.g)
		Forward(gotY, x, w, s.g)
		Transpose(gotX, y, w, s.g)
		WeightGradient(gotW, x, y, s.g)
		same(t, fmt.Sprint("Forward, ", s), gotY, wantY)
		same(t, fmt.Sprint("Transpose, ", s), gotX, wantX)
		same(t, fmt.Sprint("WeightGradient, ", s), gotW, wantW)
	}
}

// TestTrilinear checks the definition against its own mathematics: the three inner products agree.
func TestTrilinear(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 7))
	geometries := 200
	if testing.Short() {
		geometries /= 3
	}
	for range geometries {
		s := draw(r)
		if s.y[2] != s.g.CodeSize(s.x[2], s.w[2]) || s.y[3] != s.g.CodeSize(s.x[3], s.w[3]) {
			continue // y does not follow from x
		}
		x, w, y := random[float64](r, s.x), random[float64](r, s.w), random[float64](r, s.y)
		ax, ay, aw := tensor.New[float64](s.y...), tensor.New[float64](s.x...), tensor.New[float64](s.w...)
		DefineForward(ax, x, w, s.g)
		DefineTranspose(ay, y, w, s.g)
		DefineWeightGradient(aw, x, y, s.g)
		size := tensor.SumAbs(ax) + 1
		a, b, c := tensor.Dot(y, ax), tensor.Dot(x, ay), tensor.Dot(w, aw)
		if d := max(a-b, b-a, a-c, c-a); !(d <= 1e-11*size) {
			t.Errorf("x %v, w %v, %v: inner products %g, %g, %g", s.x, s.w, s.g, a, b, c)
		}
	}
}

// TestPaddingTakesPart tests the contract at the borders: zeros of the padding are links of the chain, so
// that an infinite weight gives NaN there.
func TestPaddingTakesPart(t *testing.T) {
	inf := float32(math.Inf(1))
	x, w := tensor.New[float32](1, 1, 2, 2), tensor.New[float32](1, 1, 3, 3)
	x.Fill(1)
	w.Fill(inf)
	y, want := tensor.New[float32](1, 1, 2, 2), tensor.New[float32](1, 1, 2, 2)
	Forward(y, x, w, Geometry{Padding: 1})
	DefineForward(want, x, w, Geometry{Padding: 1})
	same(t, "Forward", y, want)
	if y.Data[0] == y.Data[0] {
		t.Errorf("corner is %v, want NaN from 0 times infinity", y.Data[0])
	}
}

func TestIm2col(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 7))
	for range 50 {
		s := draw(r)
		if s.y[2] != s.g.CodeSize(s.x[2], s.w[2]) || s.y[3] != s.g.CodeSize(s.x[3], s.w[3]) {
			continue
		}
		x, w := random[float32](r, s.x), random[float32](r, s.w)
		y := tensor.New[float32](s.y...)
		Forward(y, x, w, s.g)
		for n := range s.x[0] {
			col := Im2col(x.Row(n), s.w[2], s.w[3], s.g)
			product := tensor.New[float32](s.w[0], col.Shape[1])
			tensor.MatMul(product, w.Reshape(s.w[0], col.Shape[0]), col, false, false)
			same(t, "w * Im2col(x)", product, y.Row(n).Reshape(product.Shape...))
			other := random[float32](r, col.Shape)
			image := Col2im(other, s.x[1], s.x[2], s.x[3], s.w[2], s.w[3], s.g)
			a, b := tensor.Dot(col, other), tensor.Dot(x.Row(n), image)
			if d := max(a-b, b-a); !(d <= 1e-4*(1+tensor.SumAbs(col))) {
				t.Errorf("x %v, %v: <Im2col x, c> = %g, <x, Col2im c> = %g", s.x, s.g, a, b)
			}
		}
	}
}

func TestMisfitPanics(t *testing.T) {
	x, w, y := tensor.New[float32](2, 3, 8, 8), tensor.New[float32](4, 3, 3, 3),
		tensor.New[float32](2, 4, 8, 8)
	for name, call := range map[string]func(){
		"channels":       func() { Forward(y, x, tensor.New[float32](4, 2, 3, 3), Geometry{Padding: 1}) },
		"size":           func() { Forward(y, x, w, Geometry{}) },
		"images":         func() { Transpose(tensor.New[float32](1, 3, 8, 8), y, w, Geometry{Padding: 1}) },
		"output padding": func() { Transpose(x, y, w, Geometry{Padding: 1, OutputPadding: 1}) },
		"dimensions":     func() { WeightGradient(w, x, y.Reshape(2, 4, 64), Geometry{Padding: 1}) },
	} {
		func() {
			defer func() {
				if _, ok := recover().(*GeometryError); !ok {
					t.Errorf("%s: no *GeometryError", name)
				}
			}()
			call()
		}()
	}
}
