package solve

import (
	"math"

	"sdref/internal/kernel"
	"sdref/tensor"
)

// prox sets next = soft(z + sigma (v + share ahead)) with the given scale and threshold, and returns
// |next|^2.
func (w *newton[T]) prox(share, sigma, scale, threshold T) (squares float64) {
	set := kernel.Active[T]()
	shrink := set.Shrink
	if w.p.Nonnegative {
		shrink = set.ShrinkNonnegative
	}
	pieces(piece, w.next.Len(), func(lo, hi int) float64 {
		next := w.next.Data[lo:hi]
		set.AddScaled(next, w.v.Data[lo:hi], w.ahead.Data[lo:hi], share)
		set.AddScaled(next, w.z.Data[lo:hi], next, sigma)
		shrink(next, next, scale, threshold)
		return set.SumSquares(next, 0)
	}, func(part float64) { squares += part })
	return squares
}

// distance is |a - b|.
func distance[T tensor.Float](a, b *tensor.Tensor[T]) float64 {
	squares := 0.0
	pieces(piece, a.Len(), func(lo, hi int) (sum float64) {
		for i := lo; i < hi; i++ {
			d := float64(a.Data[i]) - float64(b.Data[i])
			sum += float64(d * d)
		}
		return sum
	}, func(part float64) { squares += part })
	return math.Sqrt(squares)
}

// solve sets d to Newton's direction, by conjugate gradients until the norm of the equation's residual is at
// most tolerance.
func (w *newton[T]) solve(tolerance float64) {
	clear(w.d.Data)
	w.sparse = false
	if s := w.members; s != nil {
		if s.list.find(w.next); s.isSparse() {
			s.take()
			w.sparse = true
		}
	}
	tensor.Scale(w.residual, w.gradient, -1)
	copy(w.search.Data, w.residual.Data)
	left := tensor.SumSquares(w.residual)
	for range maxCGIterations {
		w.multiply(w.product, w.search)
		curvature := tensor.Dot(w.search, w.product)
		if !(curvature > 0) {
			return
		}
		share := T(left / curvature)
		tensor.AddScaled(w.d, w.d, w.search, share)
		tensor.AddScaled(w.residual, w.residual, w.product, -share)
		before := left
		if left = tensor.SumSquares(w.residual); left <= float64(tolerance*tolerance) {
			return
		}
		tensor.AddScaled(w.search, w.residual, w.search, T(left/before))
	}
}

// multiply sets to = (I + sigma/(1 + sigma mu) A_J A_J*) from.
func (w *newton[T]) multiply(to, from *tensor.Tensor[T]) {
	theta := T(w.sigma / (1 + float64(w.sigma*w.p.Mu)))
	if w.sparse {
		w.members.analyze(from)
		w.members.synthesize(to)
	} else {
		set := kernel.Active[T]()
		w.a.analyze(w.masked, from, func(_, lo, hi int) {
			set.ShrinkGrad(w.masked.Data[lo:hi], w.next.Data[lo:hi], w.masked.Data[lo:hi], 1)
		})
		w.a.synthesizeDense(to, w.masked)
	}
	tensor.AddScaled(to, from, to, theta)
}
