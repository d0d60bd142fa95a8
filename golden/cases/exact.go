package cases

import (
	"maps"
	"math"
	"math/bits"
	"slices"

	"sdref/golden/graph"
	"sdref/golden/judge"
	"sdref/golden/precision"
)

// Exact returns the nodes that come out the same to the bit however a profile's backend computes them: in any
// order, fused or not, with operands and results in the profile's formats. expected are the values that
// Evaluate gives for in.
//
// It is proved, not tried out. All terms of a node are multiples of a power of two, its quantum; where the
// sum of their absolute values is at most 2^bits quanta, every partial sum is a number of the format and
// nothing is ever rounded.
func Exact(c *graph.Case, in, expected graph.Values, p precision.Profile) map[string]bool {
	exact := map[string]bool{}
	of := maps.Clone(in)
	for i := range c.Nodes {
		n := &c.Nodes[i]
		of[n.Name] = expected[n.Name]
		inexact := func(input string) bool { return in[input] == nil && !exact[input] }
		exact[n.Name] = !slices.ContainsFunc(n.Inputs, inexact) && isExact(c, n, of, p)
	}
	return exact
}

// ExactBounds returns the bounds of a case of which no manifest has any, under one profile: 0 for the nodes
// that are exact, and none for all others, which leaves them their provable ones. A case without flag exact
// has none.
func ExactBounds(c *graph.Case, p precision.Profile) (judge.Bounds, error) {
	bounds := judge.Bounds{}
	if !c.Has("exact") {
		return bounds, nil
	}
	in := c.Generate()
	expected, err := c.Evaluate(in)
	if err != nil {
		return nil, err
	}
	for name, exact := range Exact(c, in, expected, p) {
		if exact {
			bounds[name] = map[precision.Profile]judge.Bound{p: {}}
		}
	}
	return bounds, nil
}

// isExact tells whether nothing is rounded in one node.
func isExact(c *graph.Case, n *graph.Node, of graph.Values, p precision.Profile) bool {
	rule, contraction := quanta[n.Op], graph.Lookup(n.Op).Class == graph.Contraction
	if rule == nil || !p.Results().Holds(of[n.Name].Data) {
		return false
	}
	var inputs []*graph.Tensor
	for _, name := range n.Inputs {
		inputs = append(inputs, of[name])
		if contraction && !p.Operands().Holds(of[name].Data) {
			return false
		}
	}
	if contraction && p == precision.FP32Winograd && winograd(n, inputs) {
		return false
	}
	format := p.Results()
	if contraction || graph.Lookup(n.Op).Class == graph.Reduction {
		format = precision.Single // of the sums
	}
	q := rule(n, inputs)
	v, err := c.Recompute(n, of)
	if err != nil || q < format.Least-(format.Bits-1) {
		return false
	}
	for _, size := range v.Magnitude {
		if size > math.Ldexp(1, q+format.Bits) { // false for NaN, which passes through
			return false
		}
	}
	return true
}

// winograd tells whether F(4x4, 3x3), whose transforms have factors that are no powers of two, computes the
// node.
func winograd(n *graph.Node, in []*graph.Tensor) bool {
	kernel := n.Shape
	if n.Op != "filter" {
		kernel = in[1].Shape
	}
	return n.Geometry().HasWinograd(kernel)
}

// never is the quantum where no sum is exact: below that of any format.
const never = math.MinInt32

// quanta gives, for each operator that can be exact, the exponent of the power of two that all of its terms
// are multiples of.
var quanta = map[string]func(n *graph.Node, in []*graph.Tensor) int{
	"analysis": product, "synthesis": product, "filter": product, "linear_dx": product, "linear_dw": product,
	"linear": func(n *graph.Node, in []*graph.Tensor) int {
		return min(product(n, in), quantum(in[2]))
	},
	"linear_db":     coarsest,
	"add":           coarsest,
	"relu":          coarsest,
	"relu_grad":     coarsest,
	"max_pool":      coarsest,
	"max_pool_grad": coarsest,
	"scale": func(n *graph.Node, in []*graph.Tensor) int {
		return attribute(n, "scale") + product(n, in)
	},
	"axpy": func(n *graph.Node, in []*graph.Tensor) int {
		return min(quantum(in[0]), attribute(n, "scale")+product(n, in[1:]))
	},
	"prox": func(n *graph.Node, in []*graph.Tensor) int {
		t := quantum(in[1])
		return min(quantum(in[0]), attribute(n, "lambda")+t) + shrinkage(n, in[1])
	},
	"prox_grad": func(n *graph.Node, in []*graph.Tensor) int {
		return quantum(in[1]) + shrinkage(n, in[2])
	},
	"batchnorm_dbeta": coarsest,
	"batchnorm":       exactNorm,
	"batchnorm_dgamma": func(n *graph.Node, in []*graph.Tensor) int {
		return min(quantum(in[0]), quantum(in[2])) + quantum(in[1]) + inverse(n, in[3])
	},
	"batchnorm_dx": func(n *graph.Node, in []*graph.Tensor) int {
		return quantum(in[1]) + quantum(in[4]) + inverse(n, in[3])
	},
}

// product is the quantum of a product of all inputs.
func product(_ *graph.Node, in []*graph.Tensor) (q int) {
	for _, t := range in {
		q += quantum(t)
	}
	return q
}

// coarsest is the quantum of a sum of all inputs.
func coarsest(_ *graph.Node, in []*graph.Tensor) int {
	q := quantum(in[0])
	for _, t := range in[1:] {
		q = min(q, quantum(t))
	}
	return q
}

// shrinkage is the exponent of prox's factor 1/(1 + mu t), which must be a power of two.
func shrinkage(n *graph.Node, t *graph.Tensor) int {
	return -power2(1 + float64(n.Attrs["mu"]*t.Data[0]))
}

// exactNorm is the quantum of BatchNorm with given statistics.
func exactNorm(n *graph.Node, in []*graph.Tensor) int {
	return min(quantum(in[3])+min(quantum(in[0]), quantum(in[1]))+inverse(n, in[2]), quantum(in[4]))
}

// inverse is the exponent of BatchNorm's factor 1/sqrt(var + epsilon), which must be a power of two, the same
// for all channels.
func inverse(n *graph.Node, variance *graph.Tensor) int {
	if n.Attrs["training"] != 0 {
		return never
	}
	e := power2(variance.Data[0] + n.Attrs["epsilon"])
	for _, v := range variance.Data {
		if v != variance.Data[0] || e%2 != 0 {
			return never
		}
	}
	return -e / 2
}

// power2 is the exponent of a power of two, or a number that is never exact.
func power2(v float64) int {
	if fraction, e := math.Frexp(v); fraction == 0.5 {
		return e - 1
	}
	return -never / 4
}

func attribute(n *graph.Node, name string) int { return exponent(n.Attrs[name]) }

// quantum is the exponent of the largest power of two of which all elements are multiples.
func quantum(t *graph.Tensor) int {
	q := never / -8 // of zeros: any
	for _, v := range t.Data {
		if v != 0 && v == v {
			q = min(q, exponent(v))
		}
	}
	return q
}

// exponent is that of the last bit of a number that is not 0.
func exponent(v float64) int {
	fraction, e := math.Frexp(v)
	return e - 53 + bits.TrailingZeros64(uint64(math.Abs(math.Ldexp(fraction, 53))))
}
