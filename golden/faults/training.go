package faults

import (
	"math"
	"strings"

	"sdref/golden/graph"
	"sdref/golden/simulate"
	"sdref/tensor"
)

// batchNorm are mistakes of statistics, normalisation and running averages.
func batchNorm() []Fault {
	training := both(on("batchnorm"), having("training", 0))
	evaluating := both(on("batchnorm"), func(_ *graph.Case, n *graph.Node) bool {
		return n.Attrs["training"] == 0
	})
	return group("batchnorm", []mistake{
		{name: "unbiased", what: "normalised by the unbiased variance", at: on("channel_variance"),
			compute: after(func(c *simulate.Call, y *Tensor) {
				n := float32(c.In[0].Len() / y.Len())
				tensor.Scale(y, y, n/(n-1))
			})},
		{name: "epsilon-outside", what: "epsilon outside the root", at: on("batchnorm"),
			compute: before(2, func(c *simulate.Call, variance *Tensor) {
				epsilon := c.Attrs["epsilon"]
				for i, v := range variance.Data {
					root := math.Sqrt(float64(v)) + epsilon
					variance.Data[i] = float32(float64(root*root) - epsilon)
				}
			})},
		{name: "train-for-eval", what: "statistics of the batch in evaluation", at: evaluating,
			compute: func(m *simulate.Machine, c *simulate.Call) *Tensor {
				mean, variance := batchStatistics(m, c)
				return m.Apply(with(with(c, 1, mean), 2, variance))
			}},
		{name: "eval-for-train", what: "running statistics in training", at: training,
			compute: func(m *simulate.Machine, c *simulate.Call) *Tensor {
				mean, variance := runningStatistics(c)
				if mean == nil {
					return m.Apply(c)
				}
				return m.Apply(with(with(c, 1, mean), 2, variance))
			}},
		{name: "momentum", what: "momentum 0.9 for 0.1", at: on("running"),
			compute: setting("momentum", func(_ *simulate.Call, m float64) float64 { return 1 - m })},
		{name: "running-biased", what: "running variance from the biased one", at: on("running"),
			compute: setting("factor", to(1))},
		{name: "one-pass", what: "E[x^2] - E[x]^2 in float32", at: on("channel_variance"), compute: onePass},
	})
}

// batchStatistics are mean and variance of the batch.
func batchStatistics(m *simulate.Machine, c *simulate.Call) (mean, variance *Tensor) {
	call := func(op string, in ...*Tensor) *Tensor {
		node := *c.Node
		node.Op, node.Shape = op, c.In[1].Shape
		return m.Apply(&simulate.Call{Node: &node, Case: c.Case, Values: c.Values, In: in})
	}
	mean = call("channel_mean", c.In[0])
	return mean, call("channel_variance", c.In[0], mean)
}

// runningStatistics are the old ones, which the nodes that move them read.
func runningStatistics(c *simulate.Call) (mean, variance *Tensor) {
	for i := range c.Case.Nodes {
		if n := &c.Case.Nodes[i]; n.Op == "running" && n.Inputs[1] == c.Inputs[1] {
			mean = c.Values[n.Inputs[0]]
		} else if n.Op == "running" && n.Inputs[1] == c.Inputs[2] {
			variance = c.Values[n.Inputs[0]]
		}
	}
	return mean, variance
}

// onePass adds up squares and subtracts the mean's, which cancels where the mean is large.
func onePass(_ *simulate.Machine, c *simulate.Call) *Tensor {
	x, variance := c.In[0], tensor.New[float32](c.Shape...)
	sums, count := make([]float32, variance.Len()), float32(x.Len()/variance.Len())
	each(x, func(_, b, _, _ int, v *float32) {
		sums[b] += *v
		variance.Data[b] += float32(*v * *v)
	})
	for k, sum := range sums {
		mean := sum / count
		variance.Data[k] = max(variance.Data[k]/count-float32(mean*mean), 0)
	}
	return variance
}

// gradient are mistakes of the backward pass.
func gradient() []Fault {
	masks := on("relu_grad", "prox_grad")
	sum := func(of func(c *graph.Case, n *graph.Node) bool) place {
		return both(on("add"), func(c *graph.Case, n *graph.Node) bool {
			return isGradient(n) && len(n.Inputs) > 1 && of(c, n)
		})
	}
	weights := sum(func(c *graph.Case, n *graph.Node) bool {
		return c.Node(n.Inputs[0]) != nil && c.Node(n.Inputs[0]).Op == "filter"
	})
	everywhere := sum(func(*graph.Case, *graph.Node) bool { return true })
	return group("gradient", []mistake{
		{name: "no-mask", what: "derivative 1 where the result is 0", at: masks,
			compute: before(0, func(_ *simulate.Call, y *Tensor) { y.Fill(1) })},
		{name: "one-at-kink", what: "ReLU'(0) = 1", at: on("relu_grad"), compute: oneAtKink,
			equivalent: "at the kink itself either one-sided derivative is right"},
		{name: "last-iteration-only", what: "no gradient beyond the last iteration", at: intoEarlier,
			compute: scaled(0)},
		{name: "one-use", what: "only the first of the uses of the weights counts", at: weights,
			compute: func(_ *simulate.Machine, c *simulate.Call) *Tensor {
				return c.In[0].Clone()
			}},
		{name: "one-image", what: "sum over the batch missing", at: on("filter", "linear_dw"),
			compute: before(0, func(_ *simulate.Call, x *Tensor) {
				for n := 1; n < x.Shape[0]; n++ {
					x.Row(n).Fill(0)
				}
			})},
		{name: "sign", what: "one of several paths subtracted", at: everywhere,
			compute: func(m *simulate.Machine, c *simulate.Call) *Tensor {
				return before(len(c.In)-1, func(_ *simulate.Call, t *Tensor) { tensor.Scale(t, t, -1) })(m, c)
			}},
		{name: "residual-sign", what: "residual's gradient to the synthesis not negated",
			at: both(on("scale"), func(_ *graph.Case, n *graph.Node) bool {
				return n.Quantity == "gradient of synthesis"
			}),
			compute: scaled(-1)},
		{name: "differentiated-step", what: "gradient through the step size as well", at: weights,
			compute: throughStep},
		{name: "stale", what: "added to a gradient that was not cleared", at: weights,
			compute: after(func(c *simulate.Call, y *Tensor) {
				tensor.AddScaled(y, y, c.In[0], 1)
			})},
		{name: "zero", what: "weights without a gradient", at: on("filter"), compute: scaled(0)},
		{name: "batchnorm-mean", what: "the mean's part in BatchNorm's gradient missing",
			at:      both(on("batchnorm_dx"), having("training", 0)),
			compute: before(6, func(_ *simulate.Call, dbeta *Tensor) { dbeta.Fill(0) })},
		{name: "batchnorm-variance", what: "the variance's part in BatchNorm's gradient missing",
			at:      both(on("batchnorm_dx"), having("training", 0)),
			compute: before(5, func(_ *simulate.Call, dgamma *Tensor) { dgamma.Fill(0) })},
		{name: "sum-for-mean", what: "loss summed, not averaged, over images",
			at: on("cross_entropy", "cross_entropy_grad"),
			compute: after(func(c *simulate.Call, y *Tensor) {
				tensor.Scale(y, y, float32(c.In[0].Shape[0]))
			})},
	})
}

// oneAtKink lets the gradient pass where the ReLU's own input is exactly 0.
func oneAtKink(m *simulate.Machine, c *simulate.Call) *Tensor {
	dx := m.Apply(c)
	if relu := c.Case.Node(c.Inputs[0]); relu != nil {
		for i, v := range c.Values[relu.Inputs[0]].Data {
			if v == 0 {
				dx.Data[i] = c.In[1].Data[i]
			}
		}
	}
	return dx
}

// intoEarlier is where a gradient passes from one iteration of FISTA to the code of an earlier one.
func intoEarlier(_ *graph.Case, n *graph.Node) bool {
	return isGradient(n) && n.Quantity == "gradient of code"
}

// throughStep adds what the gradient would be if the step t = share/s were differentiated: dL/dt dt/ds ds/dw,
// where s = |A v|^2 and dL/dt is the sum over iterations of <dL/du, A*(x - A g)>.
func throughStep(m *simulate.Machine, c *simulate.Call) *Tensor {
	y := m.Apply(c)
	var slope float32
	var step *graph.Node
	for i := range c.Case.Nodes {
		n := &c.Case.Nodes[i]
		if n.Quantity == "analysis" && inSolver(n) && strings.HasPrefix(c.Name, "grad/"+n.Layer) {
			u := c.Values["grad/"+graph.Place{Layer: n.Layer, Iteration: n.Iteration,
				Quantity: "prethreshold"}.String()]
			if u != nil {
				slope += float32(tensor.Dot(u, c.Values[n.Name]))
			}
		}
		if n.Op == "step" && strings.HasPrefix(c.Name, "grad/"+n.Layer) && step == nil {
			step = n
		}
	}
	if step == nil {
		return y
	}
	value := c.Case.Node(step.Inputs[0])
	signal := c.Case.Node(value.Inputs[0])
	filter := c.Case.Node(c.Inputs[0])
	call := &simulate.Call{Node: filter, Case: c.Case, Values: c.Values,
		In: []*Tensor{c.Values[signal.Name], c.Values[signal.Inputs[0]]}}
	s, t := c.Values[value.Name].Data[0], c.Values[step.Name].Data[0]
	tensor.AddScaled(y, y, m.Apply(call), -2*slope*t/s)
	return y
}
