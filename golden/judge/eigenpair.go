package judge

import (
	"fmt"
	"math"

	"sdref/golden/graph"
	"sdref/tensor"
)

// maxExcessUnits is by how many units an eigenvalue may exceed the largest one, which its own error explains.
const maxExcessUnits = 64

// CheckEigenvalue adds a finding if the answered eigenvalue is larger than the largest, which no vector
// gives.
func (r *Report) CheckEigenvalue(c *graph.Case, a Answers, largest float64) {
	n := c.Node("eigenvalue")
	if n == nil || a[n.Name] == nil || a[n.Name].problem(n) != "" {
		return
	}
	if got := a[n.Name].Data[0]; !(got <= largest*(1+maxExcessUnits*r.Declared.Unit())) {
		r.Add(&Finding{Node: n.Name, Op: n.Op, Layer: n.Layer, Quantity: n.Quantity, Verdict: Logic,
			Reason: fmt.Sprintf("%.9g is more than the largest eigenvalue of A*A, %.9g", got, largest)})
	}
}

// residuals notes for each answered eigenvalue s how far at most some eigenvalue of A*A lies from it, |A*A v
// - s v|/|v|, v being the backend's vector. It says how far power iteration has come, and is no verdict.
func (c *comparison) residuals() {
	for i := range c.Nodes {
		n := &c.Nodes[i]
		if n.Quantity != "eigenvalue" || c.substituted[n.Name] {
			continue
		}
		synthesis := c.Node(n.Inputs[0])
		v, w := c.known[synthesis.Inputs[0]], c.known[synthesis.Inputs[1]]
		signal := graph.Lookup("synthesis").Value(synthesis, []*graph.Tensor{v, w})
		analysis := &graph.Node{Op: "analysis", Attrs: graph.Convolution(synthesis.Geometry()),
			Shape: v.Shape}
		image := graph.Lookup("analysis").Value(analysis, []*graph.Tensor{signal, w})
		s := c.known[n.Name].Data[0]
		tensor.AddScaled(image, image, v, -s)
		r := math.Sqrt(tensor.SumSquares(image) / tensor.SumSquares(v))
		c.report.Notes = append(c.report.Notes, fmt.Sprintf("%s: some eigenvalue lies within %.3g of %.9g",
			n.Name, r, s))
	}
}
