package faults

import (
	"maps"
	"math"
	"strings"

	"sdref/golden/graph"
	"sdref/golden/precision"
	"sdref/golden/simulate"
	"sdref/tensor"
)

// prox are mistakes of the shrinkage of u by lambda t, with the ridge mu.
func prox() []Fault {
	here := on("prox")
	signed := both(here, func(_ *graph.Case, n *graph.Node) bool { return n.Attrs["nonnegative"] == 0 })
	rounded := func(f precision.Format) compute {
		return setting("lambda", func(_ *simulate.Call, lambda float64) float64 { return f.Round(lambda) })
	}
	return group("prox", []mistake{
		{name: "no-step", what: "threshold lambda instead of lambda t", at: here, compute: setting("lambda",
			func(c *simulate.Call, lambda float64) float64 { return lambda / float64(c.In[1].Data[0]) })},
		{name: "lambda-fp16", what: "lambda rounded to fp16", at: here, compute: rounded(precision.Half)},
		{name: "lambda-bf16", what: "lambda rounded to bf16", at: here, compute: rounded(precision.BFloat)},
		{name: "hard", what: "hard threshold: what survives is not shrunk", at: here, compute: hardThreshold},
		{name: "two-sided", what: "negative codes kept though z >= 0",
			at: both(here, having("nonnegative", 0)), compute: setting("nonnegative", to(0))},
		{name: "relu-first", what: "ReLU before shrinking in the signed variant", at: signed,
			compute: before(0, func(_ *simulate.Call, u *Tensor) {
				for i, v := range u.Data {
					u.Data[i] = max(v, 0)
				}
			})},
		{name: "no-ridge", what: "mu ignored", at: both(here, having("mu", 0)),
			compute: setting("mu", to(0))},
		{name: "nan-swallowed", what: "NaN becomes 0, as in max(0, NaN) of C", at: here,
			compute: before(0, func(_ *simulate.Call, u *Tensor) {
				for i, v := range u.Data {
					if v != v {
						u.Data[i] = 0
					}
				}
			})},
		{name: "sign-of-small", what: "the sign of what is smaller than 2^-23 is 0", at: signed,
			compute: before(0, func(_ *simulate.Call, u *Tensor) {
				for i, v := range u.Data {
					if math.Abs(float64(v)) < 0x1p-23 {
						u.Data[i] = 0
					}
				}
			})},
		{name: "greater-or-equal", what: ">= for > at the threshold", at: here,
			compute:    func(m *simulate.Machine, c *simulate.Call) *Tensor { return m.Apply(c) },
			equivalent: "at |u| = threshold both branches give u - threshold = 0"},
	})
}

// hardThreshold leaves a u as it is where the shrunk value is not 0.
func hardThreshold(m *simulate.Machine, c *simulate.Call) *Tensor {
	z, kept := m.Apply(c), setting("lambda", to(0))(m, c)
	for i, v := range z.Data {
		if v == 0 {
			kept.Data[i] = 0
		}
	}
	return kept
}

// inSolver tells a node of FISTA from those of power iteration, which have iterations too.
func inSolver(n *graph.Node) bool {
	return n.Iteration > 0 && !isGradient(n) && !strings.HasSuffix(n.Layer, "power")
}

// iterated is every node of FISTA with this quantity.
func iterated(quantity string) place {
	return func(_ *graph.Case, n *graph.Node) bool { return inSolver(n) && n.Quantity == quantity }
}

// sibling is the value of another quantity of the same layer; nil if there is none.
func sibling(c *simulate.Call, iteration int, quantity string) *Tensor {
	return c.Values[graph.Place{Layer: c.Layer, Iteration: iteration, Quantity: quantity}.String()]
}

// fista are mistakes of the iteration. Two iterations show none that has to do with momentum.
func fista() []Fault {
	momentum := iterated("momentum")
	return group("fista", []mistake{
		{name: "ratio-inverted", what: "momentum ratio upside down", at: momentum,
			compute: setting("ratio", func(_ *simulate.Call, r float64) float64 { return 1 / r })},
		{name: "no-momentum", what: "no momentum", at: momentum, compute: setting("ratio", to(0))},
		{name: "stale-code", what: "momentum from a code that is one iteration too old", at: momentum,
			compute: before(1, func(c *simulate.Call, before *Tensor) {
				if older := sibling(c, c.Iteration-3, "code"); older != nil {
					copy(before.Data, older.Data)
				} else {
					before.Fill(0) // z_0
				}
			})},
		{name: "wrong-point",
			what: "gradient at the last code for the momentum point, or the other way round",
			at:   iterated("synthesis"), compute: otherPoint},
		{name: "m-starts-at-0", what: "m starts at 0 instead of 1", at: momentum, compute: setting("ratio",
			func(c *simulate.Call, _ float64) float64 { return ratio(0, c.Iteration) })},
		{name: "m-starts-at-2", what: "m starts at 2 instead of 1", at: momentum, compute: setting("ratio",
			func(c *simulate.Call, _ float64) float64 { return ratio(2, c.Iteration) })},
		{name: "momentum-from-5", what: "the ratio of the fourth iteration from the fifth on",
			at:      both(momentum, func(_ *graph.Case, n *graph.Node) bool { return n.Iteration > 4 }),
			compute: setting("ratio", to(ratio(1, 4)))},
		{name: "one-short", what: "one iteration short: the last one repeats the one before",
			at: lastIteration, compute: func(m *simulate.Machine, c *simulate.Call) *Tensor {
				if earlier := sibling(c, c.Iteration-1, c.Quantity); earlier != nil {
					return earlier.Clone()
				}
				return m.Apply(c)
			}},
		{name: "one-too-many", what: "one iteration too many", at: both(lastIteration, called("code")),
			compute: oneMore},
		{name: "half-residual", what: "residual halved", at: iterated("residual"), compute: scaled(0.5)},
		{name: "step-one-percent", what: "step 1 % off", at: func(c *graph.Case, n *graph.Node) bool {
			return inSolver(n) && stepInput(n) >= 0
		}, compute: func(m *simulate.Machine, c *simulate.Call) *Tensor {
			return before(stepInput(c.Node), func(_ *simulate.Call, t *Tensor) { t.Data[0] *= 1.01 })(m, c)
		}},
		{name: "leak", what: "each image starts from the one before it",
			at: both(iterated("prethreshold"), func(_ *graph.Case, n *graph.Node) bool {
				return n.Iteration == 1
			}), compute: after(func(_ *simulate.Call, u *Tensor) {
				for n := u.Shape[0] - 1; n > 0; n-- {
					tensor.AddScaled(u.Row(n), u.Row(n), u.Row(n-1), 1)
				}
			})},
	})
}

// stepInput is which input of a node is the step size, -1 if none.
func stepInput(n *graph.Node) int {
	switch n.Quantity {
	case "code":
		return 1
	case "prethreshold":
		return len(n.Inputs) - 1
	}
	return -1
}

// otherPoint takes the gradient where the other variant does.
func otherPoint(m *simulate.Machine, c *simulate.Call) *Tensor {
	quantity, iteration := "momentum", c.Iteration
	if strings.HasSuffix(c.Inputs[0], "/momentum") {
		quantity, iteration = "code", c.Iteration-1
	}
	if point := sibling(c, iteration, quantity); point != nil {
		return m.Apply(with(c, 0, point))
	}
	return m.Apply(c)
}

// ratio is (m_{k-1} - 1)/m_k of (A.1), third line, for m_1 = m.
func ratio(m float64, iteration int) float64 {
	last := m
	for range iteration - 1 {
		last, m = m, (1+math.Sqrt(1+float64(4*m*m)))/2
	}
	return (last - 1) / m
}

// lastIteration is every node of a solver's last iteration, if it has more than one.
func lastIteration(c *graph.Case, n *graph.Node) bool {
	next := graph.Place{Layer: n.Layer, Iteration: n.Iteration + 1, Quantity: "code"}.String()
	return inSolver(n) && n.Iteration > 1 && c.Node(next) == nil
}

// oneMore continues with the nodes of the last iteration once more, from its own code.
func oneMore(m *simulate.Machine, c *simulate.Call) *Tensor {
	k := c.Iteration
	name := func(iteration int) string {
		return graph.Place{Layer: c.Layer, Iteration: iteration, Quantity: "code"}.String()
	}
	values := maps.Clone(c.Values)
	values[name(k-2)], values[name(k-1)] = c.Values[name(k-1)], m.Apply(c)
	for i := range c.Case.Nodes {
		n := &c.Case.Nodes[i]
		if n.Layer != c.Layer || n.Iteration != k || !inSolver(n) {
			continue
		}
		values[n.Name] = m.Apply(simulate.NewCall(c.Case, n, values))
	}
	return values[c.Name]
}

// eigenvalue are mistakes of power iteration and of what it starts from.
func eigenvalue() []Fault {
	value, vector := called("eigenvalue"), called("vector")
	return group("eigenvalue", []mistake{
		{name: "one-round", what: "one round of power iteration", at: vector,
			compute: func(m *simulate.Machine, c *simulate.Call) *Tensor {
				if c.Iteration > 1 {
					return sibling(c, 1, "vector").Clone()
				}
				return m.Apply(c)
			}},
		{name: "root", what: "root of the value", at: value,
			compute: after(func(_ *simulate.Call, y *Tensor) {
				y.Data[0] = float32(math.Sqrt(float64(y.Data[0])))
			})},
		{name: "square", what: "square of the value", at: value,
			compute: after(func(_ *simulate.Call, y *Tensor) { y.Data[0] *= y.Data[0] })},
		{name: "of-vector", what: "|A*A v| for |A v|^2", at: value, compute: vectorNorm},
		{name: "change-root", what: "norm of the vector's change for its square", at: called("change"),
			compute: after(func(_ *simulate.Call, y *Tensor) {
				y.Data[0] = float32(math.Sqrt(float64(y.Data[0])))
			})},
		{name: "atoms-not-unit", what: "atoms not normalised", at: on("unit_atoms"),
			compute: func(_ *simulate.Machine, c *simulate.Call) *Tensor {
				return c.In[0].Clone()
			}},
		{name: "stale", what: "eigenvalue from before the weights were updated", at: value,
			compute: func(m *simulate.Machine, c *simulate.Call) *Tensor {
				if first, later := strings.CutPrefix(c.Name, "step2/"); later {
					return c.Values[first].Clone()
				}
				return m.Apply(c)
			}},
		{name: "share-lost", what: "step 1/s instead of 0.9/s", at: on("step"),
			compute: setting("share", to(1))},
		{name: "sign-flip", what: "stops once an element of the vector changes its sign", at: vector,
			compute: stopOnFlip},
		{name: "vector-negated", what: "vectors with the other sign",
			at: both(vector, func(_ *graph.Case, n *graph.Node) bool {
				// what follows then has the other sign of itself
				return n.Iteration == 1 && !strings.HasPrefix(n.Name, "step2/")
			}), compute: scaled(-1),
			equivalent: "an eigenvector is determined up to its sign; value and step are the same"},
	})
}

// vectorNorm is |A*A v|, which is |A v|^2 once v is an eigenvector.
func vectorNorm(m *simulate.Machine, c *simulate.Call) *Tensor {
	signal := c.Case.Node(c.Inputs[0]) // A v
	analysis := *signal
	analysis.Op, analysis.Shape = "analysis", c.Values[signal.Inputs[0]].Shape
	u := m.Apply(&simulate.Call{Node: &analysis, Case: c.Case, Values: c.Values,
		In: []*Tensor{c.In[0], c.Values[signal.Inputs[1]]}})
	y := tensor.New[float32](c.Shape...)
	y.Data[0] = float32(math.Sqrt(tensor.SumSquares(u)))
	return y
}

// stopOnFlip repeats the vector from the second round on if a sign differed from the round before.
func stopOnFlip(m *simulate.Machine, c *simulate.Call) *Tensor {
	now := m.Apply(c)
	before := sibling(c, c.Iteration-1, "vector")
	if before != nil && flipped(now, before) {
		return before.Clone()
	}
	return now
}

func flipped(a, b *Tensor) bool {
	for i, v := range a.Data {
		if v*b.Data[i] < 0 {
			return true
		}
	}
	return false
}
