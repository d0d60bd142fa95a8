package conv

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"sdref/internal/kernel"
	"sdref/tensor"
)

// drawWinograd returns random shapes that suit the algorithm, with N, C, M, H, W all distinct.
func drawWinograd(r *rand.Rand) shape {
	for {
		g := Geometry{Padding: r.IntN(5), Algorithm: Winograd}
		dims := r.Perm(14)
		n, c, m, h, w := 1+dims[0]%6, 8+dims[1], 8+dims[2], 1+dims[3], 1+dims[4]
		if r.IntN(4) == 0 {
			c, m = 60+r.IntN(20), 15+r.IntN(70) // several blocks of channels, and parts of the chain
		}
		if n == c || n == m || c == m || h == w || n == h {
			continue
		}
		s := shape{x: []int{n, c, h, w}, w: []int{m, c, 3, 3}, g: g}
		if s.y = g.CodeShape(s.x, s.w); s.y[2] >= 1 && s.y[3] >= 1 {
			return s
		}
	}
}

func TestWinogradEqualsDefinitionFloat32(t *testing.T) { testWinogradEqualsDefinition[float32](t, 60) }
func TestWinogradEqualsDefinitionFloat64(t *testing.T) { testWinogradEqualsDefinition[float64](t, 60) }

func testWinogradEqualsDefinition[T tensor.Float](t *testing.T, shapes int) {
	defer kernel.Use(kernel.ActiveName())
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	r := rand.New(rand.NewPCG(11, 7))
	if testing.Short() {
		shapes /= 3
	}
	for range shapes {
		s := drawWinograd(r)
		compareWinograd[T](t, r, s, kernel.Rows[T](), []int{1, 7})
	}
}

// TestWinogradEqualsDefinitionInNetworks takes shapes with many tiles, groups of images and blocks of
// channels.
func TestWinogradEqualsDefinitionInNetworks(t *testing.T) {
	defer kernel.Use(kernel.ActiveName())
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	r := rand.New(rand.NewPCG(12, 7))
	rows := kernel.Rows[float32]()
	for _, s := range some([]shape{
		// 320 tiles: several groups in WeightGradient, and too few blocks for goroutines
		{x: []int{5, 64, 32, 32}, w: []int{64, 64, 3, 3}},
		{x: []int{18, 68, 16, 16}, w: []int{130, 68, 3, 3}}, // 288 tiles and 6 blocks
		{x: []int{3, 200, 8, 8}, w: []int{100, 200, 3, 3}},
		{x: []int{6, 100, 4, 4}, w: []int{220, 100, 3, 3}},
	}) {
		s.g = Geometry{Padding: 1, Algorithm: Winograd}
		s.y = s.g.CodeShape(s.x, s.w)
		compareWinograd(t, r, s, rows[len(rows)-1:], []int{2, 3})
	}
}

// compareWinograd compares the three functions with their definitions, bit for bit.
func compareWinograd[T tensor.Float](t *testing.T, r *rand.Rand, s shape, rows []*kernel.Set[T],
	procs []int) {
	t.Helper()
	x, w, y := random[T](r, s.x), random[T](r, s.w), random[T](r, s.y)
	if got := s.g.Used(s.x, s.w); got != Winograd {
		t.Errorf("x %v, w %v, %v: %v is used", s.x, s.w, s.g, got)
	}
	want := newResults[T](s)
	DefineWinogradForward(want.y, x, w, s.g)
	DefineWinogradTranspose(want.x, y, w, s.g)
	DefineWinogradWeightGradient(want.w, x, y, s.g)
	want.compare(t, fmt.Sprintf("x %v, w %v, y %v, %v", s.x, s.w, s.y, s.g), s, x, w, y, rows, procs)
}

// TestWinogradOtherShapes: where the algorithm does not apply, it changes nothing.
func TestWinogradOtherShapes(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 7))
	list := []shape{ // too few channels of x, or of y
		{x: []int{2, 7, 12, 11}, w: []int{9, 7, 3, 3}, y: []int{2, 9, 10, 9}},
		{x: []int{2, 9, 12, 11}, w: []int{7, 9, 3, 3}, y: []int{2, 7, 10, 9}},
	}
	for range 60 {
		list = append(list, draw(r))
	}
	for _, s := range list {
		if s.w[2] == 3 && s.w[3] == 3 && s.g.stride() == 1 && s.g.dilation() == 1 &&
			min(s.x[1], s.y[1]) >= 8 {
			continue
		}
		x, w, y := random[float32](r, s.x), random[float32](r, s.w), random[float32](r, s.y)
		direct := s.g
		s.g.Algorithm = Winograd
		if got := s.g.Used(s.x, s.w); got != Direct {
			t.Errorf("x %v, w %v, %v: %v is used", s.x, s.w, s.g, got)
		}
		var results [2][3]*tensor.Tensor[float32]
		for i, g := range []Geometry{direct, s.g} {
			results[i] = [3]*tensor.Tensor[float32]{poisoned[float32](s.y), poisoned[float32](s.x),
				poisoned[float32](s.w)}
			Forward(results[i][0], x, w, g)
			Transpose(results[i][1], y, w, g)
			WeightGradient(results[i][2], x, y, g)
		}
		for i, name := range []string{"Forward", "Transpose", "WeightGradient"} {
			same(t, fmt.Sprintf("%s, x %v, w %v, %v", name, s.x, s.w, s.g), results[1][i], results[0][i])
		}
	}
}

// winogradMatrix returns a step's matrix: column j is the step of unit vector j. 1/6 and 1/24 are recognised
// among the rounded values, so that the matrix is exact.
func winogradMatrix(t *testing.T, in, out int, step func([6]float64) [6]float64) [][]*big.Rat {
	matrix := make([][]*big.Rat, out)
	for j := range in {
		var unit [6]float64
		unit[j] = 1
		for i, v := range step(unit) {
			if i >= out {
				continue
			}
			twentyFourths := math.Round(24 * v)
			if math.Abs(24*v-twentyFourths) > 1e-14 {
				t.Fatalf("matrix element (%d, %d) is %g", i, j, v)
			}
			matrix[i] = append(matrix[i], big.NewRat(int64(twentyFourths), 24))
		}
	}
	return matrix
}

// TestWinogradMatrices shows that in exact arithmetic the algorithm is a correlation: for all unit vectors g
// and d, sum over i of A'[o][i] G[i][u] B'[i][p] is 1 if p = o+u, else 0.
func TestWinogradMatrices(t *testing.T) {
	b := winogradMatrix(t, 6, 6, signalStep[float64])
	for _, c := range []struct {
		name          string
		taps, outputs int
		g, a          func([6]float64) [6]float64
	}{
		{"F(4,3)", 3, 4, kernelStep[float64], outputStep[float64]},
		{"F(3,4)", 4, 3, codeStep[float64], gradientStep[float64]},
	} {
		g, a := winogradMatrix(t, c.taps, 6, c.g), winogradMatrix(t, 6, c.outputs, c.a)
		for o := range c.outputs {
			for u := range c.taps {
				for p := range 6 {
					sum := new(big.Rat)
					for i := range 6 {
						product := new(big.Rat).Mul(a[o][i], g[i][u])
						sum.Add(sum, product.Mul(product, b[i][p]))
					}
					want := int64(0)
					if p == o+u {
						want = 1
					}
					if sum.Cmp(big.NewRat(want, 1)) != 0 {
						t.Errorf("%s: output %d, tap %d, input %d: %v, want %d", c.name, o, u, p, sum, want)
					}
				}
			}
		}
	}
}

// TestWinogradReusesMemory: after the first call the functions allocate tables, but no arrays.
func TestWinogradReusesMemory(t *testing.T) {
	r := rand.New(rand.NewPCG(14, 7))
	g := Geometry{Padding: 1, Algorithm: Winograd}
	x, w := random[float32](r, []int{8, 64, 16, 16}), random[float32](r, []int{64, 64, 3, 3})
	y := tensor.New[float32](g.CodeShape(x.Shape, w.Shape)...)
	calls := func() {
		Forward(y, x, w, g)
		Transpose(x, y, w, g)
		WeightGradient(w, x, y, g)
	}
	calls()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	calls()
	runtime.ReadMemStats(&after)
	// the signals alone have 36*128*80*4 bytes
	if bytes := after.TotalAlloc - before.TotalAlloc; bytes > 100_000 {
		t.Errorf("the second call allocates %d bytes", bytes)
	}
}

// TestWinogradDefinitionIsChecked: a shape that the definition does not cover is the caller's bug.
func TestWinogradDefinitionIsChecked(t *testing.T) {
	x, w, y := tensor.New[float32](1, 2, 8, 8), tensor.New[float32](3, 2, 5, 5),
		tensor.New[float32](1, 3, 8, 8)
	g := Geometry{Padding: 2}
	for name, call := range map[string]func(){
		"forward":           func() { DefineWinogradForward(y, x, w, g) },
		"transpose":         func() { DefineWinogradTranspose(x, y, w, g) },
		"filter":            func() { DefineWinogradWeightGradient(w, x, y, g) },
		"unknown algorithm": func() { Forward(y, x, w, Geometry{Padding: 2, Algorithm: 2}) },
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

func TestAlgorithmText(t *testing.T) {
	for _, a := range []Algorithm{Direct, Winograd} {
		text, err := a.MarshalText()
		var back Algorithm
		if err = errors.Join(err, back.UnmarshalText(text)); err != nil || back != a ||
			string(text) != a.String() {
			t.Errorf("%v is %q as text and comes back as %v, error %v", a, text, back, err)
		}
	}
	if _, err := ParseAlgorithm("fourier"); err == nil || !strings.Contains(err.Error(), "fourier") ||
		!strings.Contains(err.Error(), "winograd") {
		t.Errorf("the error of an unknown name is %v", err)
	}
	if _, err := Algorithm(7).MarshalText(); err == nil {
		t.Error("an algorithm without a name has a text")
	}
	if got := fmt.Sprint(Geometry{Algorithm: Winograd}); !strings.HasSuffix(got, "algorithm winograd") {
		t.Errorf("a geometry prints as %q", got)
	}
}
