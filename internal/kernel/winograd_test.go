package kernel

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

// transformOf is one transform of a row.
type transformOf[T Float] struct {
	transformShape
	run Transform[T]
}

func transformsOf[T Float](w *Winograd[T]) []transformOf[T] {
	return []transformOf[T]{
		{signalShape, w.Signal}, {kernelShape, w.Kernel}, {kernelReversedShape, w.KernelReversed},
		{codeShape, w.Code}, {outputShape, w.Output}, {gradientShape, w.Gradient},
	}
}

// widest is the largest number of lanes of any row, a multiple of all others.
const widest = 16

func TestWinogradTransforms(t *testing.T) {
	eachNative(t, testTransforms[float32], testTransforms[float64])
}

func testTransforms[T Float](t *testing.T, generic, row *Set[T]) {
	r := rand.New(rand.NewPCG(11, 12))
	generics := transformsOf(&generic.Winograd)
	for i, f := range transformsOf(&row.Winograd) {
		for n := 0; n <= 3*widest; n += row.Lanes {
			for _, tame := range []bool{true, false} {
				srcCol, dstCol := n+r.IntN(5), n+r.IntN(5)
				srcRow, dstRow := f.in*srcCol+r.IntN(5), f.out*dstCol+r.IntN(5)
				src := guarded[T](t, (f.in-1)*(srcRow+srcCol)+n, r.IntN(2) == 0)
				fill(r, src, tame)
				size, shift := (f.out-1)*(dstRow+dstCol)+n, r.IntN(16)
				whole, dst := framed[T](size, shift)
				wholeWant, want := framed[T](size, shift)
				generics[i].run(want, dstRow, dstCol, src, srcRow, srcCol, n)
				f.run(dst, dstRow, dstCol, src, srcRow, srcCol, n)
				sameBits(t, name("%s of %d channels", f.name, n), whole, wholeWant)

				end := guarded[T](t, size, r.IntN(2) == 0)
				f.run(end, dstRow, dstCol, src, srcRow, srcCol, n)
			}
		}
	}
}

// TestGenericTransforms compares the rows in Go with the matrices of the transforms: the result on unit
// vectors is a product of two of their elements, exact but for 1/6 and 1/24.
func TestGenericTransforms(t *testing.T) {
	t.Run("float32", testGenericTransforms[float32])
	t.Run("float64", testGenericTransforms[float64])
}

func testGenericTransforms[T Float](t *testing.T) {
	b := [][]T{{4, 0, -5, 0, 1, 0}, {0, -4, -4, 1, 1, 0}, {0, 4, -4, -1, 1, 0}, {0, -2, -1, 2, 1, 0},
		{0, 2, -1, -2, 1, 0}, {0, 4, 0, -5, 0, 1}}
	sixth, part := -T(1./6), T(1./24)
	g := [][]T{{1. / 4, 0, 0}, {sixth, sixth, sixth}, {sixth, -sixth, sixth}, {part, 2 * part, 4 * part},
		{part, -2 * part, 4 * part}, {0, 0, 1}}
	c := [][]T{{1. / 4, 0, 0, 0}, {sixth, sixth, sixth, sixth}, {sixth, -sixth, sixth, -sixth},
		{part, 2 * part, 4 * part, 8 * part},
		{part, -2 * part, 4 * part, -8 * part}, {0, 0, 0, 1}}
	a := [][]T{{1, 1, 1, 1, 1, 0}, {0, 1, -1, 2, -2, 0}, {0, 1, 1, 4, 4, 0}, {0, 1, -1, 8, -8, 1}}
	last := [][]T{a[0], a[1], {0, 1, 1, 4, 4, 1}}
	reversed := make([][]T, 6)
	for i, row := range g {
		reversed[i] = []T{row[2], row[1], row[0]}
	}
	for i, matrix := range [][][]T{b, g, reversed, c, a, last} {
		for _, row := range []*Set[T]{Rows[T]()[0], Unfused[T]()} {
			testTransformMatrix(t, row, i, matrix)
		}
	}
}

// testTransformMatrix compares transform i of a row on unit vectors.
func testTransformMatrix[T Float](t *testing.T, row *Set[T], i int, matrix [][]T) {
	f := transformsOf(&row.Winograd)[i]
	n := row.Lanes
	src, dst := make([]T, f.in*f.in*n), make([]T, f.out*f.out*n)
	for u := range f.in {
		for v := range f.in {
			clear(src)
			src[(u*f.in+v)*n+1] = 1
			f.run(dst, f.out*n, n, src, f.in*n, n, n)
			for i := range f.out {
				for j := range f.out {
					if got, want := dst[(i*f.out+j)*n+1], matrix[i][u]*matrix[j][v]; got != want {
						t.Fatalf("row %s, %s of unit (%d, %d): element (%d, %d) is %v, want %v", row.Name, f.name, u, v,
							i, j, got, want)
					}
				}
			}
		}
	}
}

// TestWinogradComplete: every row has every part.
func TestWinogradComplete(t *testing.T) {
	for _, row := range All[float32]() {
		v := reflect.ValueOf(row.Winograd)
		for i := range v.NumField() {
			if v.Field(i).IsZero() {
				t.Errorf("row %s has no Winograd.%s", row.Name, v.Type().Field(i).Name)
			}
		}
	}
}

func TestWinogradPanics(t *testing.T) {
	for _, row := range All[float32]() {
		n := row.Lanes
		for _, f := range transformsOf(&row.Winograd) {
			in, out := make([]float32, f.in*f.in*n), make([]float32, f.out*f.out*n)
			for what, call := range map[string]func(){
				"short src": func() { f.run(out, f.out*n, n, in[1:], f.in*n, n, n) },
				"short dst": func() { f.run(out[1:], f.out*n, n, in, f.in*n, n, n) },
				"steps":     func() { f.run(out, f.out*n, n, in, f.in*n, -n, n) },
				"channels":  func() { f.run(out, f.out*n, n, in, f.in*n, n, n-1) },
			} {
				if message := panicOf(call); !strings.Contains(message, f.name) {
					t.Errorf("row %s, %s, %s: panic %q does not name the function", row.Name, f.name, what,
						message)
				}
			}
		}
	}
}
