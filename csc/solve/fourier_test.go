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
		re, im := make([]float64, n), make([]float64, n)
		for i := range n {
			re[i], im[i] = s.Unit(uint64(2*i)), s.Unit(uint64(2*i+1))
		}
		gotRe, gotIm := append([]float64(nil), re...), append([]float64(nil), im...)
		f.transform(gotRe, gotIm, make([]float64, n), make([]float64, n), false)
		for k := range n {
			var want complex128
			for j := range n {
				want += complex(re[j], im[j]) * cmplx.Rect(1, -2*math.Pi*float64(j*k%n)/float64(n))
			}
			if e := cmplx.Abs(want - complex(gotRe[k], gotIm[k])); e > 1e-14*float64(n) {
				t.Fatalf("length %d: element %d misses the sum by %g", n, k, e)
			}
		}
		f.transform(gotRe, gotIm, make([]float64, n), make([]float64, n), true)
		for k := range n {
			if e := math.Hypot(gotRe[k]/float64(n)-re[k], gotIm[k]/float64(n)-im[k]); e > 1e-15*float64(n) {
				t.Fatalf("length %d: element %d comes back %g away", n, k, e)
			}
		}
	}
}

// TestPlane: the half spectrum of planes of odd and even sides against the defining sum, and there and back.
func TestPlane(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {1, 6}, {5, 1}, {4, 6}, {5, 7}, {7, 8}, {8, 5}, {2, 2}} {
		h, w := size[0], size[1]
		p := newPlane(h, w)
		x := fill[float64](3, 1, 2, h, w).Data
		s := p.newSpectra(2)
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
					if e := cmplx.Abs(want - complex(s.re[at], s.im[at])); e > 1e-13 {
						t.Fatalf("%dx%d: (%d, %d) misses the sum by %g", h, w, u, v, e)
					}
				}
			}
		}
		back := make([]float64, len(x))
		p.backwardAll(back, s)
		for i := range x {
			if math.Abs(back[i]-x[i]) > 1e-14 {
				t.Fatalf("%dx%d: element %d comes back %g away", h, w, i, back[i]-x[i])
			}
		}
	}
}
