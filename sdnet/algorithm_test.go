package sdnet

import (
	"testing"

	"sdref/conv"
	"sdref/tensor"
)

// TestAlgorithmReachesEveryConvolution: Spec.Algorithm is that of all filters and CSC layers, and shows in the results only as
// rounding errors.
func TestAlgorithmReachesEveryConvolution(t *testing.T) {
	for _, name := range []string{"sdnet8_narrow", "sdnet8_all_narrow"} {
		s, err := Lookup(name, "cifar10")
		if err != nil {
			t.Fatal(err)
		}
		s.CSC.Lambda = 0.001 // codes of these small signals are not all 0
		var layer1 [2]*tensor.Tensor[float32]
		x := tensor.New[float32](2, 3, 32, 32)
		tensor.FillUniform(x, 5, 1, 0)
		for i, a := range []conv.Algorithm{conv.Direct, conv.Winograd} {
			s.Algorithm = a
			n, err := New[float32](s)
			if err != nil {
				t.Fatal(err)
			}
			n.Initialize(3)
			for _, l := range n.Layers {
				if l.Geometry.Algorithm != a {
					t.Errorf("%s: layer %s has algorithm %v, want %v", name, l.Name, l.Geometry.Algorithm, a)
				}
			}
			count := 0
			for _, node := range n.Graph(Options{Images: 1}).Nodes {
				if node.Op.Name != "analysis" && node.Op.Name != "synthesis" {
					continue
				}
				if count++; node.Geometry().Algorithm != a {
					t.Errorf("%s: %s has algorithm %v, want %v", name, node.Name, node.Geometry().Algorithm, a)
				}
			}
			if count < 2+1+6+2 { // the stem twice and back, two in each block, the shortcuts
				t.Errorf("%s: only %d convolutions", name, count)
			}
			p := NewPredictor(n.Evaluable())
			p.Observe = func(name string, value *tensor.Tensor[float32]) {
				if name == "layer1" {
					layer1[i] = value.Clone()
				}
			}
			p.Logits(x)
		}
		if tensor.FirstDifference(layer1[0], layer1[1]) < 0 {
			t.Errorf("%s: both algorithms give the same bits", name)
		}
		for i, v := range layer1[0].Data {
			if d := layer1[1].Data[i] - v; !(max(d, -d) < 1e-5) {
				t.Errorf("%s: element %d of layer1 is %v directly, %v by Winograd", name, i, v, layer1[1].Data[i])
			}
		}
	}
}
