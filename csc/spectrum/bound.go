package spectrum

import (
	"math"

	"sdref/tensor"
)

// Bound is an upper bound of lambda_max and where it comes from.
type Bound struct {
	Value         float64
	Height, Width int     // of the torus
	Turns         [2]bool // whether a signal changes its sign once around the torus, along rows and columns
}

// UpperBound returns a bound of lambda_max(A*A) from above that rounding errors cannot spoil. On trained layers it is less than 1 %
// high; for atoms without structure on signals hardly larger than they are it may be some ten per cent. known is a number that
// lambda_max is not below, such as a Ritz value, or 0; it saves time and changes no bound above it.
//
// Proof. Let C be the synthesis without borders on a torus of H' x W' pixels, where a signal that goes once around an axis comes back
// as itself or, as one may choose for each axis, with the other sign. Along each axis let the torus have at least size + padding
// pixels, a multiple of the stride. An atom whose window begins at i s - p < size, which are all that meet the signal 0 ... size-1, has
// a place of its own there; those windows reach from -p to at most size + p - 1, so that nothing that leaves the signal on one side
// comes in on the other, and on the signal C z is A z. So A is C between a restriction and an extension by zeros, neither of which
// enlarges a norm, and |A| <= |C|. C commutes with shifts by the stride, hence falls into one matrix for each frequency omega of the
// torus, 2 pi j/H' or, with the change of sign, (2 pi j + pi)/H': the polyphase symbol
//
//	S(omega)[(c, r), m] = sum over the taps u with (u d - p) mod s = r of w[m,c,u] e^(-i omega u d) ,
//
// and |C|^2 is the largest eigenvalue of any S S*. For a Hermitian G >= 0 of order n, lambda_max(G) is at most the Frobenius norm
// of G^q to the power 1/q, and not below that times n^(-1/2q); G^q comes by squaring. The bound is the least over the four choices of
// sign: where the largest eigenvalue belongs to waves that do not change, the change of sign leaves these out, as the border of zeros does.
func (o *Operator) UpperBound(known float64) Bound {
	best := Bound{Value: math.Inf(1)}
	s := o.boundSymbol()
	for _, turns := range [][2]bool{{true, true}, {false, false}, {false, true}, {true, false}} {
		if value := s.largest(turns, known, best.Value); value < best.Value {
			best = Bound{value, s.vertical.length, s.horizontal.length, turns}
		}
	}
	return best
}

// boundSymbol is the symbol on the smallest torus of UpperBound.
func (o *Operator) boundSymbol() *symbol {
	length := func(a axis) int { return (a.size + a.padding + a.stride - 1) / a.stride * a.stride }
	return newSymbol(o, newTorus(o.rows, length(o.rows)), newTorus(o.cols, length(o.cols)))
}

// largest returns a bound of the largest eigenvalue of all S S* of a torus, at least known, or a number that is not below enough if
// the bound is not.
func (s *symbol) largest(turns [2]bool, known, enough float64) float64 {
	worst, first := known, [2]int{}
	for axis, turn := range turns {
		if turn {
			first[axis] = 1
		}
	}
	for k := first[0]; k < s.vertical.period; k += 2 {
		for l := first[1]; l < s.horizontal.period; l += 2 {
			opposite := [2]int{(s.vertical.period - k) % s.vertical.period, (s.horizontal.period - l) % s.horizontal.period}
			if opposite[0] < k || opposite[0] == k && opposite[1] < l {
				continue // done: the weights being real, S is the conjugate there
			}
			s.set(k, l)
			if worst = max(worst, s.eigenvalue(worst)); worst >= enough {
				return worst
			}
		}
	}
	return worst
}

// squarings makes q = 2^12, n^(1/2q) being below 1.0008 for n = 512.
const squarings = 12

// eigenvalue bounds the largest eigenvalue of S S* from above, S having been set, or returns a number that is not above enough if the
// bound is not. With G_0 = S S*, f_k = |G_k| (Frobenius) and G_{k+1} = (G_k/f_k)^2 the bound is
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

// withMargin adds what rounding may have taken from a bound. Let u = 2^-53, S have n rows and K columns, n <= K, and t be the number
// of taps, so that |S|_F^2 <= t |w|^2. The elements of S are off by at most (t+6) u times the sum of |w| over the taps, and those of
// G, chains of 2K products, by 2(K+1) u more: together 4(t+K+8) u t |w|^2 in norm. A squaring of a matrix of norm 1, whose largest
// eigenvalue is n^(-1/2) or more, changes that by at most 2(n+2) n u of itself and a norm by less than 2^-40, and the k-th one's
// share counts 2^-k times: together less than 2^-30 up to n = 1024, and less than 2^-30 (n/1024)^2 beyond.
func (s *symbol) withMargin(bound float64) float64 {
	n, k, t := float64(s.s.re.Shape[0]), float64(s.s.re.Shape[1]), float64(s.taps())
	relative := 0x1p-30 * max(1, float64(n*n)*0x1p-20)
	absolute := 4 * (t + k + 8) * 0x1p-53 * t * tensor.SumSquares(s.weight)
	return float64(bound*(1+relative)) + absolute
}
