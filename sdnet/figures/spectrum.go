package figures

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"sdref/conv"
	"sdref/csc"
	"sdref/internal/elementary"
	"sdref/tensor"
)

// Round is a round of power iteration.
type Round struct {
	Value  float64 // |A v|^2, (A.5)
	Change float64 // squared norm of the update of v
}

// PowerRounds follows a layer's power iteration, (A.4) and (A.5), from the start vector of csc.NewLayer for that many rounds,
// beyond the point where csc.PowerIteration stops: what its estimate was, and what it would have become. The layer stays as it is.
func PowerRounds[T tensor.Float](l *csc.Layer[T], rounds int) []Round {
	v := csc.NewLayer[T](l.Weight.Shape[0], l.Weight.Shape[1], l.Weight.Shape[2], l.Height, l.Width, l.Settings).Vector
	signal, u := tensor.New[T](1, l.Weight.Shape[1], l.Height, l.Width), tensor.New[T](v.Shape...)
	var list []Round
	for range rounds {
		conv.Transpose(signal, v, l.Weight, l.Geometry)
		conv.Forward(u, signal, l.Weight, l.Geometry)
		tensor.Scale(u, u, T(1/max(math.Sqrt(tensor.SumSquares(u)), 1e-12)))
		move := distance(u, v)
		copy(v.Data, u.Data)
		conv.Transpose(signal, v, l.Weight, l.Geometry)
		list = append(list, Round{Value: tensor.SumSquares(signal), Change: float64(move * move)})
	}
	return list
}

// Spectrum returns the eigenvalues of A A* at the frequencies (p, q)/n, p and q from 0 to n-1, largest first: C values for each
// of n*n frequencies. There A is the convolution over an unbounded plane,
//
//	(A A*)(f) = sum over m of a_m(f) a_m(f)^H,   a_m(f)_c = sum over u, v of w[m,c,u,v] exp(-2 pi i (p u + q v)/n),
//
// and its largest eigenvalue over all f bounds lambda_max of the layer, whose signal ends at a border of zeros, from above. It is
// an error for a layer with a stride, where A is no convolution.
func Spectrum[T tensor.Float](l *csc.Layer[T], n int) ([]float64, error) {
	if l.Stride > 1 {
		return nil, fmt.Errorf("the spectrum by frequency needs stride 1, the layer has %d", l.Stride)
	}
	var values []float64
	for p := range n {
		for q := range n {
			e, err := symmetricEigenvalues(frequency(l.Weight, p, q, n))
			if err != nil {
				return nil, err
			}
			for i := 0; i < len(e); i += 2 { // each stands twice
				values = append(values, e[i])
			}
		}
	}
	slices.Sort(values)
	slices.Reverse(values)
	return values, nil
}

// frequency is the Hermitian C x C matrix H = R + iS of (A A*)(f) as the symmetric one [R -S; S R], which has the same
// eigenvalues, each twice.
func frequency[T tensor.Float](w *tensor.Tensor[T], p, q, n int) *mat.SymDense {
	channels, k := w.Shape[1], w.Shape[2]
	h := mat.NewSymDense(2*channels, nil)
	re, im := make([]float64, channels), make([]float64, channels)
	for m := range w.Shape[0] {
		for c := range channels {
			re[c], im[c] = 0, 0
			for u := range k {
				for v := range k {
					angle := 2 * math.Pi * float64((p*u+q*v)%n) / float64(n)
					a := float64(w.At(m, c, u, v))
					re[c] += float64(a * elementary.Cos(angle))
					im[c] -= float64(a * elementary.Sin(angle))
				}
			}
		}
		for c := range channels {
			for d := range channels {
				r := float64(re[c]*re[d]) + float64(im[c]*im[d])
				s := float64(im[c]*re[d]) - float64(re[c]*im[d])
				if c <= d {
					h.SetSym(c, d, h.At(c, d)+r)
					h.SetSym(channels+c, channels+d, h.At(channels+c, channels+d)+r)
				}
				h.SetSym(c, channels+d, h.At(c, channels+d)-s)
			}
		}
	}
	return h
}

// symmetricEigenvalues lists the eigenvalues in ascending order.
func symmetricEigenvalues(m *mat.SymDense) ([]float64, error) {
	var e mat.EigenSym
	if !e.Factorize(m, false) {
		return nil, fmt.Errorf("no eigenvalues of a matrix of %d rows were found", m.SymmetricDim())
	}
	return e.Values(nil), nil
}

// SingularValues returns the singular values of a dictionary w (M, C, k, k) as a matrix of M rows, largest first: how many
// directions of the space of patches its atoms really use.
func SingularValues[T tensor.Float](w *tensor.Tensor[T]) ([]float64, error) {
	rows := w.Shape[0]
	var svd mat.SVD
	if !svd.Factorize(mat.NewDense(rows, w.Len()/rows, slices.Clone(tensor.Convert[float64](w).Data)), mat.SVDNone) {
		return nil, fmt.Errorf("no singular values of a matrix of %d rows were found", rows)
	}
	return svd.Values(nil), nil
}

// distance is |a - b|; b nil counts as zero.
func distance[T tensor.Float](a, b *tensor.Tensor[T]) float64 {
	if b == nil {
		return math.Sqrt(tensor.SumSquares(a))
	}
	d := tensor.New[T](a.Shape...)
	tensor.AddScaled(d, a, b, -1)
	return math.Sqrt(tensor.SumSquares(d))
}
