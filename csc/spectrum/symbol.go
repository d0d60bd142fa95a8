package spectrum

import (
	"math"

	"sdref/internal/elementary"
	"sdref/tensor"
)

// matrix is a complex matrix.
type matrix struct{ re, im *tensor.Tensor[float64] }

func newMatrix(rows, cols int) matrix {
	return matrix{tensor.New[float64](rows, cols), tensor.New[float64](rows, cols)}
}

// norm is the Frobenius norm.
func (m matrix) norm() float64 { return math.Sqrt(tensor.SumSquares(m.re) + tensor.SumSquares(m.im)) }

// scale multiplies the matrix by a number.
func (m matrix) scale(by float64) {
	tensor.Scale(m.re, m.re, by)
	tensor.Scale(m.im, m.im, by)
}

// setGram sets g = a a*, exactly Hermitian; scratch has g's shape. With a = re + i im it is re re* + im im* +
// i (x - x*), x = im re*.
func (g matrix) setGram(a matrix, scratch *tensor.Tensor[float64]) {
	tensor.MatMul(g.re, a.re, a.re, false, true)
	tensor.MatMul(scratch, a.im, a.im, false, true)
	tensor.AddScaled(g.re, g.re, scratch, 1)
	tensor.MatMul(scratch, a.im, a.re, false, true)
	n := scratch.Shape[0]
	for i := range n {
		for j := range n {
			g.im.Data[i*n+j] = scratch.Data[i*n+j] - scratch.Data[j*n+i]
		}
	}
}

// torus is an axis of a torus. Its frequencies are pi k/length for k = 0, 2, ... below period, or
// antiperiodic for k = 1, 3, ....
type torus struct {
	axis
	length   int       // pixels
	period   int       // 2 length/stride
	cos, sin []float64 // of pi i/length, i < 2 length
	class    []int     // (u d - p) mod s, by tap u
}

// newTorus is an axis of length pixels, a multiple of the stride.
func newTorus(a axis, length int) torus {
	t := torus{axis: a, length: length, period: 2 * length / a.stride}
	for i := range 2 * t.length {
		angle := float64(math.Pi*float64(i)) / float64(t.length)
		t.cos, t.sin = append(t.cos, elementary.Cos(angle)), append(t.sin, elementary.Sin(angle))
	}
	for u := range a.kernel {
		t.class = append(t.class, ((u*a.dilation-a.padding)%a.stride+a.stride)%a.stride)
	}
	return t
}

// wave is e^(-i omega u d) for frequency k and tap u.
func (t *torus) wave(k, u int) (re, im float64) {
	i := k * u * t.dilation % (2 * t.length)
	return t.cos[i], -t.sin[i]
}

// symbol computes the polyphase symbol of A on a torus,
//
//	S(omega)[(c, r), m] = sum over the taps u with (u d - p) mod s = r of w[m,c,u] e^(-i omega u d) ,
//
// whose S S* at all frequencies have the eigenvalues of A A* there, or its transpose if that has fewer rows.
type symbol struct {
	*Operator
	vertical, horizontal torus
	s                    matrix                  // (n, K), n <= K
	g, h                 matrix                  // (n, n): S S*, and its powers
	scratch              *tensor.Tensor[float64] // (n, n)
	place                []int                   // where element (m, c, tap) of the weights belongs in s
	waves                matrix                  // (1, taps): e^(-i omega u d) of each tap
}

func newSymbol(o *Operator, vertical, horizontal torus) *symbol {
	s := &symbol{Operator: o, vertical: vertical, horizontal: horizontal}
	atoms, channels := o.weight.Shape[0], o.weight.Shape[1]
	classes := map[[2]int]int{}
	var class []int // of a tap
	for _, r := range s.vertical.class {
		for _, q := range s.horizontal.class {
			if _, known := classes[[2]int{r, q}]; !known {
				classes[[2]int{r, q}] = len(classes)
			}
			class = append(class, classes[[2]int{r, q}])
		}
	}
	n, k := channels*len(classes), atoms
	for m := range atoms {
		for c := range channels {
			for _, r := range class {
				if row := c*len(classes) + r; channels*len(classes) <= atoms {
					s.place = append(s.place, row*atoms+m)
				} else {
					s.place = append(s.place, m*channels*len(classes)+row)
				}
			}
		}
	}
	n, k = min(n, k), max(n, k)
	s.s, s.g, s.h, s.scratch = newMatrix(n, k), newMatrix(n, n), newMatrix(n, n), tensor.New[float64](n, n)
	s.waves = newMatrix(1, len(class))
	return s
}

// taps is the number of taps of an atom in a channel.
func (s *symbol) taps() int { return s.waves.re.Len() }

// set computes S for the frequencies k and l along rows and columns.
func (s *symbol) set(k, l int) {
	waves := s.waves
	for u := range s.rows.kernel {
		for v := range s.cols.kernel {
			a, b := s.vertical.wave(k, u)
			c, d := s.horizontal.wave(l, v)
			tap := u*s.cols.kernel + v
			waves.re.Data[tap] = float64(a*c) - float64(b*d)
			waves.im.Data[tap] = float64(a*d) + float64(b*c)
		}
	}
	s.s.re.Fill(0)
	s.s.im.Fill(0)
	for i, w := range s.weight.Data {
		at, tap := s.place[i], i%s.taps()
		s.s.re.Data[at] += float64(w * waves.re.Data[tap])
		s.s.im.Data[at] += float64(w * waves.im.Data[tap])
	}
}
