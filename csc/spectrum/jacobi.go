package spectrum

import (
	"cmp"
	"math"
	"slices"

	"sdref/tensor"
)

// diagonalize turns the symmetric matrix a (m, m) into its eigenvalues, on the diagonal, by Jacobi's
// rotations, sweep after sweep until everything beside the diagonal is below 2^-52 of the whole, and returns
// the eigenvectors as columns.
func diagonalize(a *tensor.Tensor[float64]) *tensor.Tensor[float64] {
	m := a.Shape[0]
	vectors := tensor.New[float64](m, m)
	for i := range m {
		vectors.Set(1, i, i)
	}
	tiny := 0x1p-52 * math.Sqrt(tensor.SumSquares(a))
	const sweeps = 50 // convergence is quadratic; ten are many
	for range sweeps {
		rotated := false
		for p := range m {
			for q := p + 1; q < m; q++ {
				if math.Abs(a.At(p, q)) > tiny/float64(m) {
					rotate(a, vectors, p, q)
					rotated = true
				}
			}
		}
		if !rotated {
			break
		}
	}
	return vectors
}

// rotate makes a[p,q] zero: with theta = (a[q,q] - a[p,p])/(2 a[p,q]), the tangent t of the angle is the
// smaller root of t^2 + 2 theta t = 1.
func rotate(a, vectors *tensor.Tensor[float64], p, q int) {
	m := a.Shape[0]
	theta := (a.At(q, q) - a.At(p, p)) / (2 * a.At(p, q))
	t := math.Copysign(1, theta) / (math.Abs(theta) + math.Sqrt(float64(theta*theta)+1))
	c := 1 / math.Sqrt(float64(t*t)+1)
	s := t * c
	turn := func(x, y *float64) {
		*x, *y = float64(c**x)-float64(s**y), float64(s**x)+float64(c**y)
	}
	for k := range m {
		turn(&a.Data[k*m+p], &a.Data[k*m+q])
	}
	for k := range m {
		turn(&a.Data[p*m+k], &a.Data[q*m+k])
		turn(&vectors.Data[k*m+p], &vectors.Data[k*m+q])
	}
}

// Eigen returns the eigenvalues of the symmetric matrix a (m, m), the largest first, and an eigenvector of norm 1 in each row of (m, m), by
// Jacobi's rotations. The bits are the same everywhere. The sign of a vector is such that its largest element is positive.
func Eigen(a *tensor.Tensor[float64]) (values []float64, vectors *tensor.Tensor[float64]) {
	m := a.Shape[0]
	diagonal := a.Clone()
	columns := diagonalize(diagonal)
	order := make([]int, m)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(diagonal.At(j, j), diagonal.At(i, i)) })
	vectors = tensor.New[float64](m, m)
	for row, i := range order {
		values = append(values, diagonal.At(i, i))
		largest := 0.0
		for k := range m {
			if v := columns.At(k, i); math.Abs(v) > math.Abs(largest) {
				largest = v
			}
		}
		for k := range m {
			vectors.Set(math.Copysign(1, largest)*columns.At(k, i), row, k)
		}
	}
	return values, vectors
}
