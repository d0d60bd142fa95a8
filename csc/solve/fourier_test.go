package solve

import (
	"math"
	"math/cmplx"
	"testing"

	"sdref/internal/random"
)

// TestFourier: every length up to 40 and some large ones against the defining sum, and there and back.
func TestFourier(t *testing.T) {
	lengths := []int{64, 97, 128, 120, 256, 210}
	for n := 1; n <= 40; n++ {
		lengths = append(lengths, n)
	}
	s := random.New(1)
	for _, n := range lengths {
		f := newFourier(n)
		for _, batch := range []int{1, 3} {
			x := make([]complex128, n*batch)
			for i := range x {
				x[i] = complex(s.Unit(uint64(2*i)), s.Unit(uint64(2*i+1)))
			}
			got := append([]complex128(nil), x...)
			f.transform(got, make([]complex128, n*batch), batch)
			for q := range batch {
				for k := range n {
					var want complex128
					for j := range n {
						want += x[j*batch+q] * cmplx.Rect(1, -2*math.Pi*float64(j*k%n)/float64(n))
					}
					if e := cmplx.Abs(want - got[k*batch+q]); e > 1e-14*float64(n) {
						t.Fatalf("length %d: element %d of transform %d of %d misses the sum by %g", n, k, q, batch, e)
					}
				}
			}
			exchange(got, true)
			f.transform(got, make([]complex128, n*batch), batch)
			exchange(got, true)
			for i, v := range got {
				if e := cmplx.Abs(v/complex(float64(n), 0) - x[i]); e > 1e-15*float64(n) {
					t.Fatalf("length %d: element %d comes back %g away", n, i, e)
				}
			}
		}
	}
}

// TestPlane: the half spectrum of planes of odd and even sides against the defining sum, and there and back.
func TestPlane(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {1, 6}, {5, 1}, {4, 6}, {5, 7}, {7, 8}, {8, 5}, {2, 2}, {9, 10}, {21, 12}} {
		h, w := size[0], size[1]
		p := newPlane(h, w)
		x := fill[float64](3, 1, 2, h, w).Data
		s := make([]complex128, 2*p.size())
		p.forwardAll(s, x)
		for n := range 2 {
			for u := range h {
				for v := range p.half {
					var want complex128
					for i := range h {
						for j := range w {
							want += complex(x[(n*h+i)*w+j], 0) * cmplx.Rect(1,
								-2*math.Pi*(float64(u*i)/float64(h)+float64(v*j)/float64(w)))
						}
					}
					at := (n*h+u)*p.half + v
					if e := cmplx.Abs(want - s[at]); e > 2e-15*float64(h*w) {
						t.Fatalf("%dx%d: (%d, %d) misses the sum by %g", h, w, u, v, e)
					}
				}
			}
		}
		back := make([]float64, len(x))
		for n := range 2 {
			p.backward(part(back, n, h*w), part(s, n, p.size()), p.scratch())
		}
		for i := range x {
			if math.Abs(back[i]-x[i]) > 1e-14 {
				t.Fatalf("%dx%d: element %d comes back %g away", h, w, i, back[i]-x[i])
			}
		}
	}
}
