package cases

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"sdref/conv"
	"sdref/csc"
	"sdref/golden/graph"
	"sdref/tensor"
)

// facts returns what is known of a case from elsewhere.
func facts(c *graph.Case) map[string]float64 {
	if c.Kind != "power_iteration" {
		return nil
	}
	n := c.Node("power/1/synthesis")
	known := map[string]float64{"largest_eigenvalue": largestEigenvalue(c.Generate()["w"], n.Shape,
		n.Geometry()), "converged": 0}
	values, err := c.Evaluate(c.Generate())
	if last := c.Node("power/rounds").Inputs; err == nil &&
		values[last[len(last)-1]].Data[0] <= csc.PowerTolerance {
		known["converged"] = 1
	}
	return known
}

// largestEigenvalue is that of A A*, which is that of A*A, for signals of the given shape: A*'s matrix has
// one column for each unit signal.
func largestEigenvalue(w *graph.Tensor, signal []int, g conv.Geometry) float64 {
	size := tensor.Size(signal)
	units := tensor.New[float64](append([]int{size}, signal[1:]...)...)
	for i := range size {
		units.Data[i*size+i] = 1
	}
	codes := tensor.New[float64](g.CodeShape(units.Shape, w.Shape)...)
	conv.Forward(codes, units, w, g)
	var gram mat.SymDense
	gram.SymOuterK(1, mat.NewDense(size, codes.Len()/size, codes.Data))
	var eigen mat.EigenSym
	if !eigen.Factorize(&gram, false) {
		return math.NaN()
	}
	values := eigen.Values(nil)
	return values[len(values)-1]
}

// TestLargestEigenvalue: power iteration's value never exceeds the largest eigenvalue, and where the rule's
// tolerance was met it is within a per cent of it.
func TestLargestEigenvalue(t *testing.T) {
	for _, c := range All() {
		if c.Kind != "power_iteration" {
			continue
		}
		known, stored := facts(c), Facts(c.ID)
		largest := known["largest_eigenvalue"]
		if !(math.Abs(largest/stored["largest_eigenvalue"]-1) < 1e-12) ||
			known["converged"] != stored["converged"] || len(known) != len(stored) {
			t.Errorf("%s: %v, stored %v", c.ID, known, stored)
		}
		values, err := c.Evaluate(c.Generate())
		if err != nil {
			t.Fatal(err)
		}
		value, rounds := values["eigenvalue"].Data[0], values["power/rounds"].Data[0]
		if met := known["converged"] == 1; !(value <= largest*(1+1e-12)) || met && value < 0.99*largest {
			t.Errorf("%s: %v after %v rounds, the largest eigenvalue is %v", c.ID, value, rounds, largest)
		}
		if early := int(rounds) < c.Attrs["rounds"].(int); early != c.Has("early") {
			t.Errorf("%s: the rule asks for %v rounds, the case has %v", c.ID, rounds, c.Attrs["rounds"])
		}
	}
}
