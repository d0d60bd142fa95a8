package optim_test

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"sdref/sdnet/optim"
	"sdref/tensor"
)

// Muon's steps against the definition: the polynomial of singular values, with gonum's singular value decomposition instead of products.
func TestMuon(t *testing.T) {
	for _, shape := range [][]int{{6, 5, 3, 3}, {40, 2, 3, 3}, {9, 1, 3, 3}, {1, 4, 1, 1}} {
		w, momentum := noise[float64](1, shape...), 0.6
		rows, cols := shape[0], w.Len()/shape[0]
		s := optim.NewSGD([]*tensor.Tensor[float64]{w}, 0.9, 0.1)
		s.Orthogonal, s.MuonMomentum = []bool{true}, momentum
		velocity := make([]float64, w.Len())
		for step := range 3 {
			g, rate := noise[float64](uint64(10+step), shape...), 0.2/float64(1+step)
			direction := mat.NewDense(rows, cols, nil)
			for i, x := range g.Data {
				velocity[i] = float64(momentum*velocity[i]) + x
				direction.Set(i/cols, i%cols, x+float64(momentum*velocity[i]))
			}
			var svd mat.SVD
			if !svd.Factorize(direction, mat.SVDThin) {
				t.Fatal("no singular values")
			}
			values := svd.Values(nil)
			size := 0.0
			for _, x := range values {
				size = math.Hypot(size, x)
			}
			for i := range values {
				x := values[i] / size
				for range 3 {
					x = 3.4445*x - 4.7750*math.Pow(x, 3) + 2.0315*math.Pow(x, 5)
				}
				values[i] = x
			}
			var u, v, move mat.Dense
			svd.UTo(&u)
			svd.VTo(&v)
			u.Mul(&u, mat.NewDiagDense(len(values), values))
			move.Mul(&u, v.T())
			want := make([]float64, w.Len())
			norm := math.Sqrt(tensor.SumSquares(w))
			for i, x := range w.Data {
				want[i] = x*math.Sqrt(float64(rows))/norm - rate*move.At(i/cols, i%cols)
			}
			s.Step(0, w, g, rate)
			what := fmt.Sprintf("%v, step %d", shape, step)
			compare(t, what, w.Data, want, 1e-12)
			compare(t, what+", velocity", s.Velocity[0].Data, velocity, 1e-14)
		}
	}
}

func TestMuonOnEveryRow(t *testing.T) {
	sameOnEveryRow(t, func() *tensor.Tensor[float32] {
		w := noise[float32](1, 37, 7, 3, 3)
		s := optim.NewSGD([]*tensor.Tensor[float32]{w}, 0.9, 5e-4)
		s.Orthogonal, s.MuonMomentum = []bool{true}, 0.6
		for step := range 3 {
			s.Step(0, w, noise[float32](uint64(step), w.Shape...), 0.1)
		}
		return w
	})
}

// Filters without a gradient stay where they are but for their size.
func TestMuonWithoutGradient(t *testing.T) {
	w := noise[float32](1, 4, 2, 3, 3)
	before := w.Clone()
	s := optim.NewSGD([]*tensor.Tensor[float32]{w}, 0, 0)
	s.Orthogonal = []bool{true}
	s.Step(0, w, tensor.New[float32](w.Shape...), 0.1)
	size := math.Sqrt(4 / tensor.SumSquares(before))
	for i := range before.Data {
		before.Data[i] *= float32(size)
	}
	compare(t, "no gradient", w.Data, before.Data, 1e-6)
}
