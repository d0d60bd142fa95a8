package kernel

import (
	"math/rand/v2"
	"testing"
)

// pooled is the definition of max-pooling: visit gets each window's number and its winner's place.
func pooled[T Float](x []T, height, width int, visit func(out, winner int)) {
	out := 0
	for plane := 0; plane < len(x); plane += height * width {
		for i := 0; i+1 < height; i += 2 {
			for j := 0; j+1 < width; j += 2 {
				best := -1
				for a := i; a < i+2; a++ {
					for b := j; b < j+2; b++ {
						at := plane + a*width + b
						if best < 0 || x[at] > x[best] || x[at] != x[at] {
							best = at
						}
					}
				}
				visit(out, best)
				out++
			}
		}
	}
}

func TestMaxPool2(t *testing.T) { eachRow(t, testMaxPool2[float32], testMaxPool2[float64]) }

// testMaxPool2 compares all widths, with ordinary values, with corners of the format, and with so few
// different ones, zeros of both signs and NaN among them, that most windows have several largest.
func testMaxPool2[T Float](t *testing.T, row *Set[T]) {
	r := rand.New(rand.NewPCG(18, 6))
	few := []T{0, T(corner("-0")), 1, -1, T(corner("nan")), -T(corner("inf")), T(corner("inf"))}
	for width := 2; width <= 70; width++ {
		for _, height := range []int{2, 3, 7, 8} {
			for _, draw := range []func(x []T){
				func(x []T) { fill(r, x, true) },
				func(x []T) { fill(r, x, false) },
				func(x []T) {
					some := few[:2+r.IntN(len(few)-1)]
					for i := range x {
						x[i] = some[r.IntN(len(some))]
					}
				},
			} {
				planes := r.IntN(4)
				windows := planes * (height / 2) * (width / 2)
				x, dy := guarded[T](t, planes*height*width, r.IntN(2) == 0), guarded[T](t, windows, r.IntN(2) == 0)
				draw(x)
				draw(dy)
				compareMaxPool2(t, row, x, dy, height, width, r.IntN(16))
			}
		}
	}
}

func compareMaxPool2[T Float](t *testing.T, row *Set[T], x, dy []T, height, width, shift int) {
	t.Helper()
	whole, dst := framed[T](len(dy), shift)
	wholeWant, want := framed[T](len(dy), shift)
	wholeDX, dx := framed[T](len(x), shift)
	wholeWantDX, wantDX := framed[T](len(x), shift)
	clear(wantDX)
	pooled(x, height, width, func(out, winner int) {
		want[out] = x[winner]
		wantDX[winner] += dy[out]
	})
	what := name("%d elements in planes of %dx%d", len(x), height, width)
	row.MaxPool2(dst, x, height, width)
	sameBits(t, "MaxPool2 of "+what, whole, wholeWant)
	row.MaxPool2Grad(dx, x, dy, height, width)
	sameBits(t, "MaxPool2Grad of "+what, wholeDX, wholeWantDX)

	atEnd := shift%2 == 0
	row.MaxPool2(guarded[T](t, len(dst), atEnd), x, height, width)
	row.MaxPool2Grad(guarded[T](t, len(dx), atEnd), x, dy, height, width)
}
