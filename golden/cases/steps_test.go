package cases

import (
	"math"
	"testing"

	"sdref/autodiff"
	"sdref/conv"
	"sdref/golden/graph"
	"sdref/tensor"
)

// publishedStep is 0.9/|A v|^2 after so many rounds of v <- A*A v/|A*A v|, (A.4) and (A.5), written out with
// the convolutions alone: no graph, no package csc.
func publishedStep(v, w *graph.Tensor, height, width, rounds int, g conv.Geometry) float64 {
	v = v.Clone()
	signal := tensor.New[float64](1, w.Shape[1], height, width)
	for range rounds {
		conv.Transpose(signal, v, w, g)
		conv.Forward(v, signal, w, g)
		tensor.Scale(v, v, 1/math.Sqrt(tensor.SumSquares(v)))
	}
	conv.Transpose(signal, v, w, g)
	return 0.9 / tensor.SumSquares(signal)
}

// TestStepsArePublished: in a training step the step sizes come from the atoms as the optimiser left them,
// and the atoms are normalised then; in evaluation and in layers they come from the normalised ones.
func TestStepsArePublished(t *testing.T) {
	raw, unit := 0, 0
	for _, c := range All() {
		if c.Kind != "network" && c.Kind != "training_step" && c.Kind != "csc_layer" {
			continue
		}
		in, values := evaluated(t, c)
		for i := range c.Nodes {
			n := &c.Nodes[i]
			if n.Op != "step" {
				continue
			}
			w, v := in[n.Layer+".weight"], in[n.Layer+".v0"]
			if n.Layer == "" {
				w, v = in["w"], in["v0"]
			}
			if w == nil { // a second step's
				continue
			}
			if training, ofAtoms := c.Attrs["training"] == true, c.Attrs["unit_norm"] == true; !training &&
				ofAtoms {
				w, unit = w.Clone(), unit+1
				autodiff.NormalizeAtoms(w, w)
			} else {
				raw++
			}
			synthesis := c.Node(c.Node(n.Inputs[0]).Inputs[0])
			want := publishedStep(v, w, synthesis.Shape[2], synthesis.Shape[3], c.Attrs["rounds"].(int),
				synthesis.Geometry())
			near(t, c.ID+" "+n.Name, values[n.Name].Data, []float64{want}, 1e-10)
		}
	}
	if raw < 5 || unit < 5 {
		t.Errorf("%d step sizes from atoms as they are, %d from normalised ones", raw, unit)
	}
}
