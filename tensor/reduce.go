package tensor

import (
	"math"

	"sdref/internal/kernel"
	"sdref/internal/parallel"
)

// piece is the number of elements of a partial sum. It is part of the definition of a sum, so it must not
// depend on the machine. Partial sums are computed in any order and added in ascending order.
const piece = 1 << 13

// sumPieces adds part over consecutive pieces of [0, n).
func sumPieces(workers, n int, part func(lo, hi int) float64) float64 {
	if n <= piece {
		return part(0, n)
	}
	pieces := (n + piece - 1) / piece
	partial := make([]float64, pieces)
	parallel.Limit(workers).Ranges(pieces, 4, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			partial[i] = part(i*piece, min((i+1)*piece, n))
		}
	})
	sum := 0.0
	for _, p := range partial {
		sum += p
	}
	return sum
}

// Sum is the sum of all elements, in float64.
func Sum[T Float](x *Tensor[T]) float64 {
	set := kernel.Active[T]()
	return sumPieces(0, x.Len(), func(lo, hi int) float64 { return set.Sum(x.Data[lo:hi]) })
}

// SumSquares is |x|^2, in float64.
func SumSquares[T Float](x *Tensor[T]) float64 { return SumSquaresWithin(0, x) }

// SumSquaresWithin is SumSquares on at most so many goroutines.
func SumSquaresWithin[T Float](workers int, x *Tensor[T]) float64 {
	set := kernel.Active[T]()
	return sumPieces(workers, x.Len(), func(lo, hi int) float64 { return set.SumSquares(x.Data[lo:hi], 0) })
}

// Dot is the inner product <x, y>, in float64.
func Dot[T Float](x, y *Tensor[T]) float64 { return DotWithin(0, x, y) }

// DotWithin is Dot on at most so many goroutines.
func DotWithin[T Float](workers int, x, y *Tensor[T]) float64 {
	MustMatch("Dot", x.Shape, y.Shape)
	MustHold("Dot", x, y)
	set := kernel.Active[T]()
	return sumPieces(workers, x.Len(), func(lo, hi int) float64 { return set.Dot(x.Data[lo:hi], y.Data[lo:hi], 0) })
}

// SumAbs is |x|_1, in float64.
func SumAbs[T Float](x *Tensor[T]) float64 {
	return sumPieces(0, x.Len(), func(lo, hi int) float64 {
		sum := 0.0
		for _, v := range x.Data[lo:hi] {
			sum += math.Abs(float64(v))
		}
		return sum
	})
}

// DotSign is <sign(z), x>, the sign of 0 being 0, in float64.
func DotSign[T Float](z, x *Tensor[T]) float64 { return DotSignWithin(0, z, x) }

// DotSignWithin is DotSign on at most so many goroutines.
func DotSignWithin[T Float](workers int, z, x *Tensor[T]) float64 {
	MustMatch("DotSign", z.Shape, x.Shape)
	MustHold("DotSign", z, x)
	return sumPieces(workers, z.Len(), func(lo, hi int) float64 {
		sum := 0.0
		for i := lo; i < hi; i++ {
			switch v := z.Data[i]; {
			case v < 0:
				sum -= float64(x.Data[i])
			case v != 0:
				sum += float64(x.Data[i])
			}
		}
		return sum
	})
}

// CountNonzero is the number of elements that are not 0.
func CountNonzero[T Float](x *Tensor[T]) int {
	n := 0
	for _, v := range x.Data {
		if v != 0 {
			n++
		}
	}
	return n
}
