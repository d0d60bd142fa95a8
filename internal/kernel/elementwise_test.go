package kernel

import (
	"math/rand/v2"
	"testing"
)

// function is one function of a Set on slices of one length and scalars. The first outputs of the slices are
// written.
type function[T Float] struct {
	field   string
	slices  int
	outputs int
	scalars int
	run     func(s *Set[T], x [][]T, p []T)
}

// functions is every elementwise function.
func functions[T Float]() []function[T] {
	return []function[T]{
		{"AddScaled", 3, 1, 1, func(s *Set[T], x [][]T, p []T) { s.AddScaled(x[0], x[1], x[2], p[0]) }},
		{"Scale", 2, 1, 1, func(s *Set[T], x [][]T, p []T) { s.Scale(x[0], x[1], p[0]) }},
		{"ReLU", 2, 1, 0, func(s *Set[T], x [][]T, _ []T) { s.ReLU(x[0], x[1]) }},
		{"ReLUGrad", 3, 1, 0, func(s *Set[T], x [][]T, _ []T) { s.ReLUGrad(x[0], x[1], x[2]) }},
		{"GELU", 2, 1, 0, func(s *Set[T], x [][]T, _ []T) { s.GELU(x[0], x[1]) }},
		{"GELUGrad", 3, 1, 0, func(s *Set[T], x [][]T, _ []T) { s.GELUGrad(x[0], x[1], x[2]) }},
		{"Shrink", 2, 1, 2, func(s *Set[T], x [][]T, p []T) { s.Shrink(x[0], x[1], p[0], p[1]) }},
		{"ShrinkNonnegative", 2, 1, 2, func(s *Set[T], x [][]T, p []T) {
			s.ShrinkNonnegative(x[0], x[1], p[0], p[1])
		}},
		{"ShrinkGrad", 3, 1, 1, func(s *Set[T], x [][]T, p []T) { s.ShrinkGrad(x[0], x[1], x[2], p[0]) }},
		{"Normalize", 2, 1, 3, func(s *Set[T], x [][]T, p []T) {
			s.Normalize(x[0], x[1], p[:1], p[1:2], p[2:3])
		}},
		{"NormalizeGrad", 3, 1, 4, func(s *Set[T], x [][]T, p []T) {
			s.NormalizeGrad(x[0], x[1], x[2], p[0], p[1], p[2], p[3])
		}},
		{"Momentum", 3, 2, 3, func(s *Set[T], x [][]T, p []T) {
			s.Momentum(x[0], x[1], x[2], p[0], p[1], p[2])
		}},
	}
}

// lengths covers every remainder of every block, and a few lengths past several blocks.
func lengths() []int {
	var list []int
	for n := range 71 {
		list = append(list, n)
	}
	return append(list, 127, 128, 129, 255, 1000, 4097)
}

func TestElementwise(t *testing.T) { eachNative(t, testElementwise[float32], testElementwise[float64]) }

func testElementwise[T Float](t *testing.T, generic, row *Set[T]) {
	for _, f := range functions[T]() {
		t.Run(f.field, func(t *testing.T) {
			r := rand.New(rand.NewPCG(9, 10))
			for _, n := range lengths() {
				for range 4 {
					f.compare(t, r, generic, row, n, -1)
				}
				if f.outputs == 1 {
					for input := 1; input < f.slices; input++ {
						f.compare(t, r, generic, row, n, input)
					}
				}
			}
		})
	}
}

// compare runs the generic row and the other on the same data, at an odd place of a larger array, and
// compares all of the arrays. If inPlace is not negative, slice 0 is that input.
func (f function[T]) compare(t *testing.T, r *rand.Rand, generic, row *Set[T], n, inPlace int) {
	t.Helper()
	var wholeGot, wholeWant, got, want [][]T
	for range f.slices {
		shift := r.IntN(16)
		w, x := framed[T](n, shift)
		fill(r, x, false)
		v, y := framed[T](n, shift)
		copy(v, w)
		wholeGot, got, wholeWant, want = append(wholeGot, w), append(got, x), append(wholeWant, v),
			append(want, y)
	}
	if inPlace > 0 {
		got[0], want[0] = got[inPlace], want[inPlace]
	}
	p := make([]T, f.scalars)
	fill(r, p, r.IntN(2) == 0)
	f.run(generic, want, p)
	f.run(row, got, p)
	for i := range wholeGot {
		sameBits(t, name("%s, length %d, scalars %v, in place %d, slice %d", f.field, n, p, inPlace, i),
			wholeGot[i], wholeWant[i])
	}
}

// TestGenericElementwise tests the generic row, with which the others are compared, at the special cases of
// the definitions.
func TestGenericElementwise(t *testing.T) {
	t.Run("float32", testGenericElementwise[float32])
	t.Run("float64", testGenericElementwise[float64])
}

func testGenericElementwise[T Float](t *testing.T) {
	nan, inf, negativeZero := T(corner("nan")), T(corner("inf")), T(corner("-0"))
	s := Rows[T]()[0]
	x := []T{-2, negativeZero, 0, 3, inf, -inf, nan}
	y := []T{10, 20, 30, negativeZero, 50, 60, 70}
	n := len(x)
	for _, c := range []struct {
		name string
		run  func(dst []T)
		want []T
	}{
		{"AddScaled", func(dst []T) { s.AddScaled(dst, x, y, 2) }, []T{18, 40, 60, 3, inf, -inf, nan}},
		{"Scale", func(dst []T) { s.Scale(dst, x, -2) }, []T{4, 0, negativeZero, -6, -inf, inf, nan}},
		{"ReLU", func(dst []T) { s.ReLU(dst, x) }, []T{0, negativeZero, 0, 3, inf, 0, nan}},
		{"ReLUGrad", func(dst []T) { s.ReLUGrad(dst, x, y) }, []T{0, 0, 0, negativeZero, 50, 0, 0}},
		{"Shrink", func(dst []T) { s.Shrink(dst, x, 2, 1) }, []T{-3, 0, 0, 5, inf, -inf, nan}},
		{"ShrinkNonnegative", func(dst []T) {
			s.ShrinkNonnegative(dst, x, 2, 1)
		}, []T{0, 0, 0, 5, inf, 0, nan}},
		{"ShrinkGrad", func(dst []T) {
			s.ShrinkGrad(dst, x, y, 2)
		}, []T{20, 0, 0, negativeZero, 100, 120, 140}},
		{"Normalize", func(dst []T) {
			s.Normalize(dst, x, []T{1}, []T{2}, []T{5})
		}, []T{-1, 3, 3, 9, inf, -inf, nan}},
		{"NormalizeGrad", func(dst []T) {
			s.NormalizeGrad(dst, x, y, 1, 3, 2, 5)
		}, []T{29, 63, 93, 9, inf, -inf, nan}},
	} {
		dst := make([]T, n)
		c.run(dst)
		sameBits(t, c.name, dst, c.want)
	}
	// One parameter by hand: d = 0.5*4 + 1 = 3, velocity = 0.5*2 + 3 = 4, w = 4 - 0.25*(0.5*4 + 3) = 2.75.
	w, velocity := []T{4}, []T{2}
	s.Momentum(w, velocity, []T{1}, 0.25, 0.5, 0.5)
	sameBits(t, "Momentum, w", w, []T{2.75})
	sameBits(t, "Momentum, velocity", velocity, []T{4})
}

func TestNormalizePlanes(t *testing.T) {
	eachNative(t, testNormalizePlanes[float32], testNormalizePlanes[float64])
}

// testNormalizePlanes compares with the generic row on several planes of every size, and that row with one
// plane at a time.
func testNormalizePlanes[T Float](t *testing.T, generic, row *Set[T]) {
	r := rand.New(rand.NewPCG(9, 11))
	for plane := range 70 {
		for planes := range 5 {
			n := plane * planes
			x, numbers := make([]T, n), make([]T, 3*planes)
			fill(r, x, false)
			fill(r, numbers, r.IntN(2) == 0)
			mean, scale, shift := numbers[:planes], numbers[planes:2*planes], numbers[2*planes:]
			wholeGot, got := framed[T](n, r.IntN(16))
			_, want := framed[T](n, 0)
			row.Normalize(got, x, mean, scale, shift)
			generic.Normalize(want, x, mean, scale, shift)
			what := name("%d planes of %d", planes, plane)
			sameBits(t, what, got, want)
			clear(got)
			for i, v := range wholeGot {
				if v != 0 && v != poison {
					t.Fatalf("%s: place %d of the frame is %v", what, i, v)
				}
			}
			for c := range planes {
				generic.Normalize(got[c*plane:(c+1)*plane], x[c*plane:], mean[c:c+1], scale[c:c+1],
					shift[c:c+1])
			}
			sameBits(t, what+", one by one", got, want)
		}
	}
}

// TestGuardedElementwise runs every function on slices that end, then begin, at memory that may not be
// touched.
func TestGuardedElementwise(t *testing.T) { eachRow(t, testGuarded[float32], testGuarded[float64]) }

func testGuarded[T Float](t *testing.T, row *Set[T]) {
	p := []T{1, 1, 1, 1}
	for _, atEnd := range []bool{true, false} {
		for n := range 70 {
			x := [][]T{guarded[T](t, n, atEnd), guarded[T](t, n, atEnd), guarded[T](t, n, atEnd)}
			for _, f := range functions[T]() {
				f.run(row, x, p)
			}
			row.Regular(x[0])
			row.Sum(x[0])
			row.SumSquares(x[0], 1)
			row.Dot(x[0], x[1], 1)
		}
	}
}
