package figures

import (
	"math"
	"slices"
	"testing"

	"sdref/conv"
	"sdref/csc"
	"sdref/csc/spectrum"
	"sdref/tensor"
)

// layer is a CSC layer with random unit atoms and its step size.
func layer(atoms, channels, kernel, side int, s csc.Settings) *csc.Layer[float64] {
	s.Geometry, s.UnitNormAtoms, s.Iterations = conv.Geometry{Padding: kernel / 2}, true, 2
	l := csc.NewLayer[float64](atoms, channels, kernel, side, side, s)
	tensor.FillUniform(l.Weight, 11, 1, 0)
	l.Normalize()
	l.UpdateStep()
	return l
}

// The objective of one atom of one pixel, a = 1, is a function of numbers: (x - z)^2/2 + lambda z. FISTA with
// step t from 0 gives z_1 = max(0, t x - t lambda), and goes to x - lambda.
func TestIterates(t *testing.T) {
	l := layer(1, 1, 1, 1, csc.Settings{Lambda: 0.25, Nonnegative: true})
	l.Weight.Data[0], l.StepSize.Data[0] = 1, 0.5
	x := tensor.From([]float64{2, -1}, 2, 1, 1, 1)
	f := func(z float64) (float64, float64) { return 0.25 * z, (2-z)*(2-z)/2 + 0.5 }
	for _, v := range []csc.Variant{csc.Published, csc.Paper} {
		list := Iterates(l, x, 60, v)
		if len(list) != 60 || list[59].K != 60 {
			t.Fatalf("%d iterates", len(list))
		}
		z1 := 0.5*2 - 0.5*0.25
		z2 := z1 + 0.5*(2-z1) - 0.5*0.25
		m2 := (1 + math.Sqrt(5)) / 2
		m3 := (1 + math.Sqrt(1+4*m2*m2)) / 2
		y3 := z2 + (m2-1)/m3*(z2-z1)
		at := z2 // where the gradient is taken
		if v == csc.Paper {
			at = y3
		}
		z3 := y3 + 0.5*(2-at) - 0.5*0.25
		for k, z := range []float64{z1, z2, z3} {
			sparsity, fidelity := f(z)
			move := math.Abs(z - []float64{0, z1, z2}[k])
			got := list[k]
			if !near([]float64{got.Sparsity, got.Fidelity, got.Objective, got.Move},
				[]float64{sparsity, fidelity, sparsity + fidelity, move}, 1e-14) || got.Nonzeros != 1 {
				t.Errorf("%v, iterate %d: %+v", v, k+1, got)
			}
		}
		sparsity, fidelity := f(1.75)
		if last := list[59]; !near([]float64{last.Objective}, []float64{sparsity + fidelity}, 1e-4) ||
			last.Move > 0.01 {
			t.Errorf("%v: it ends at %+v, want objective %g", v, last, sparsity+fidelity)
		}
	}
	if l.Iterations != 2 || l.Variant != csc.Published {
		t.Error("the layer has changed")
	}
}

// PowerRounds passes through what csc.PowerIteration returns.
func TestPowerRounds(t *testing.T) {
	l := layer(6, 3, 3, 9, csc.Settings{})
	fresh := csc.NewLayer[float64](6, 3, 3, 9, 9, l.Settings)
	e := csc.PowerIteration(fresh.Vector, l.Weight, 9, 9, l.Geometry)
	before := slices.Clone(l.Vector.Data)
	list := PowerRounds(l, 300)
	if r := list[e.Rounds-1]; r.Value != e.Value || math.Abs(r.Change-e.Change) > 1e-15 {
		t.Errorf("after %d rounds %+v, csc.PowerIteration: %+v", e.Rounds, r, e)
	}
	for i := 1; i < len(list); i++ {
		if list[i].Value < list[i-1].Value*(1-1e-12) {
			t.Errorf("round %d: the estimate falls from %v to %v", i+1, list[i-1].Value, list[i].Value)
		}
	}
	if !slices.Equal(before, l.Vector.Data) {
		t.Error("the layer has changed")
	}
	largest := spectrum.New(l.Weight, l.Height, l.Width, l.Geometry).TorusEigenvalues(64, 64)[0]
	if last := list[len(list)-1].Value; !(last < largest) || last < 0.8*largest {
		t.Errorf("power iteration ends at %v, the bound is %v", last, largest)
	}
}

func TestSingularValues(t *testing.T) {
	w := tensor.New[float64](3, 1, 2, 2) // rows 3 e_1, 4 e_1, 2 e_3: singular values 5, 2, 0
	w.Data[0], w.Data[4], w.Data[10] = 3, 4, 2
	got, err := SingularValues(w)
	if err != nil || !near(got, []float64{5, 2, 0}, 1e-12) {
		t.Errorf("%v, %v", got, err)
	}
}
