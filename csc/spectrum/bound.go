package spectrum

import (
	"math"

	"sdref/tensor"
)

// Bound is an upper bound of lambda_max and the torus that gave it.
type Bound struct {
	Value         float64
	Height, Width int     // of the torus
	Antiperiodic  [2]bool // whether signals change their sign once around the torus, along rows and columns
}

// UpperBound returns an upper bound of lambda_max(A*A) that holds in spite of rounding errors. On trained
// layers it is less than 1 % too high; for random atoms on signals hardly larger than they are it may be some
// ten per cent too high. known is a lower bound of lambda_max, such as a Ritz value, or 0; it saves time and
// changes no upper bound above it.
//
// Proof. Let C be the synthesis without borders on a torus of H' x W' pixels, on which signals are periodic
// or, as one may choose for each axis, antiperiodic: they change their sign once around. Along each axis let
// the torus have at least size + padding pixels, a multiple of the stride. The atoms that overlap the signal
// 0 ... size-1 are those whose window begins at i s - p < size. Each has a position of its own on the torus,
// and their windows reach from -p to at most size + p - 1, so that what leaves the signal on one side does
// not enter it on the other, and on the signal C z is A z. So A is C between a restriction and an extension
// by zeros, neither of which enlarges a norm, and |A| <= |C|. C commutes with shifts by the stride, and so
// decomposes into one matrix for each frequency omega of the torus, 2 pi j/H' or, antiperiodic, (2 pi j +
// pi)/H': the polyphase symbol
//
//	S(omega)[(c, r), m] = sum over the taps u with (u d - p) mod s = r of w[m,c,u] e^(-i omega u d) ,
//
// and |C|^2 is the largest eigenvalue of any S S*. For a Hermitian G >= 0 of order n, lambda_max(G) is at
// most the Frobenius norm of G^q to the power 1/q, and at least that times n^(-1/2q); G^q is computed by
// squaring. The bound is the least over the four choices of periodicity: where the largest eigenvalue belongs
// to constant waves, an antiperiodic torus has no such wave, and the border of zeros damps them as well.
func (o *Operator) UpperBound(known float64) Bound {
	best := Bound{Value: math.Inf(1)}
	s := o.boundSymbol()
	for _, antiperiodic := range [][2]bool{{true, true}, {false, false}, {false, true}, {true, false}} {
		if value := s.largest(antiperiodic, known, best.Value); value < best.Value {
			best = Bound{value, s.vertical.length, s.horizontal.length, antiperiodic}
		}
	}
	return best
}

// boundSymbol is the symbol on the smallest torus of UpperBound.
func (o *Operator) boundSymbol() *symbol {
	length := func(a axis) int { return (a.size + a.padding + a.stride - 1) / a.stride * a.stride }
	return newSymbol(o, newTorus(o.rows, length(o.rows)), newTorus(o.cols, length(o.cols)))
}

// largest returns an upper bound of the largest eigenvalue of all S S* of a torus, at least known. It stops
// early if the bound reaches enough, and then returns a number that is not below enough.
func (s *symbol) largest(antiperiodic [2]bool, known, enough float64) float64 {
	bound, first := known, [2]int{}
	for axis, odd := range antiperiodic {
		if odd {
			first[axis] = 1
		}
	}
	for k := first[0]; k < s.vertical.period; k += 2 {
		for l := first[1]; l < s.horizontal.period; l += 2 {
			opposite := [2]int{(s.vertical.period - k) % s.vertical.period,
				(s.horizontal.period - l) % s.horizontal.period}
			if opposite[0] < k || opposite[0] == k && opposite[1] < l {
				continue // done: the weights are real, so S is the conjugate there
			}
			s.set(k, l)
			if bound = max(bound, s.eigenvalue(bound)); bound >= enough {
				return bound
			}
		}
	}
	return bound
}

// squarings is the number of squarings, for q = 2^12: n^(1/2q) is below 1.0008 for n = 512.
const squarings = 12

// eigenvalue returns an upper bound of the largest eigenvalue of S S*, S having been set. It stops early if
// the bound is at most enough. With G_0 = S S*, f_k = |G_k| (Frobenius) and G_{k+1} = (G_k/f_k)^2 the bound
// is
//
//	f_0 f_1^(1/2) f_2^(1/4) ... ,
//
// which falls with every factor, since f_k <= 1 for k > 0.
func (s *symbol) eigenvalue(enough float64) float64 {
	s.g.setGram(s.s, s.scratch)
	bound := 1.0
	for k := 0; ; k++ {
		f := s.g.norm()
		root := f
		for range k {
			root = math.Sqrt(root)
		}
		bound *= root
		value := s.withMargin(bound)
		if value <= enough || k == squarings || f == 0 || k > 0 && root > 1-1e-7 {
			return value
		}
		s.g.scale(1 / f)
		s.h.setGram(s.g, s.scratch)
		s.g, s.h = s.h, s.g
	}
}

// withMargin enlarges a bound by the rounding errors that it may have. Let u = 2^-53, S have n rows and K
// columns, n <= K, and t be the number of taps, so that |S|_F^2 <= t |w|^2. The errors of the elements of S
// are at most (t+6) u times the sum of |w| over the taps, and those of G, chains of 2K products, 2(K+1) u
// more: together 4(t+K+8) u t |w|^2 in norm. A squaring of a matrix of norm 1, whose largest eigenvalue is
// n^(-1/2) or more, has a relative error of at most 2(n+2) n u there and of less than 2^-40 in the norm, and
// the error of the k-th squaring counts 2^-k times: together less than 2^-30 up to n = 1024, and less than
// 2^-30 (n/1024)^2 beyond.
func (s *symbol) withMargin(bound float64) float64 {
	n, k, t := float64(s.s.re.Shape[0]), float64(s.s.re.Shape[1]), float64(s.taps())
	relative := 0x1p-30 * max(1, float64(n*n)*0x1p-20)
	absolute := 4 * (t + k + 8) * 0x1p-53 * t * tensor.SumSquares(s.weight)
	return float64(bound*(1+relative)) + absolute
}
