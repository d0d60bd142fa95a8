package cases

import (
	"fmt"
	"math"
	"strings"

	"sdref/autodiff"
	"sdref/conv"
	"sdref/golden"
	"sdref/golden/graph"
	"sdref/sdnet"
)

// netBuilder writes a network down as sdnet computes it: node MODULE/y is what a module gives, parameters and buffers are inputs
// by their published names.
type netBuilder struct {
	*graph.Builder
	data     data
	spec     sdnet.Spec
	power    graph.Power
	training bool
	prefix   string            // of the nodes of a second training step
	names    []string          // of the parameters, in the order of their use
	now      map[string]string // node or input that holds a parameter or buffer at the moment
}

func newNetBuilder(b *graph.Builder, spec sdnet.Spec, rounds int, training bool) *netBuilder {
	n := &netBuilder{Builder: b, data: data{name: b.ID}, spec: spec, power: graph.Published, training: training, now: map[string]string{}}
	n.power.Rounds = rounds
	return n
}

// state returns the node or input that holds a parameter or buffer at the moment: at first an input.
func (n *netBuilder) state(name string, offset, scale float64, shape ...int) string {
	if n.now[name] == "" {
		n.now[name] = n.Input(name, n.data.around(name, offset, scale, shape...))
	}
	return n.now[name]
}

// parameter is state for what is trained.
func (n *netBuilder) parameter(name string, offset, scale float64, shape ...int) string {
	if n.now[name] == "" {
		n.names = append(n.names, name)
	}
	return n.state(name, offset, scale, shape...)
}

// trained lists what holds the parameters at the moment.
func (n *netBuilder) trained() (list []string) {
	for _, name := range n.names {
		list = append(list, n.now[name])
	}
	return list
}

// at is a place in a module.
func (n *netBuilder) at(module, quantity string) graph.Place {
	return graph.Place{Layer: n.prefix + module, Quantity: quantity}
}

// spread is the power of two next to 1/sqrt(fan): weights between -spread and spread keep signals at their size.
func spread(fan int) float64 {
	_, exponent := math.Frexp(1.5 / math.Sqrt(float64(fan)))
	return math.Ldexp(1, exponent)
}

// filter appends a convolution, or a CSC layer MODULE.dn with its power iteration.
func (n *netBuilder) filter(module, x string, outputs, kernel int, g conv.Geometry, sparse bool) string {
	shape := n.Shape(x)
	weights := []int{outputs, shape[1], kernel, kernel}
	fan := shape[1] * kernel * kernel
	if !sparse {
		w := n.parameter(module+".weight", 0, spread(fan), weights...)
		return n.Node("analysis", n.at(module, "y"), graph.Convolution(g), x, w)
	}
	module += ".dn"
	w := n.parameter(module+".weight", 0, spread(fan), weights...)
	code := g.CodeShape(shape, weights)
	v := n.state(module+".v0", 0, 1, 1, code[1], code[2], code[3])
	atoms := w
	if !n.training { // in a training step the eigenvalue is that of the weights as the optimiser left them
		atoms = n.UnitAtoms(n.prefix+module, w)
	}
	vector, step := n.PowerIteration(n.prefix+module, v, atoms, shape[2], shape[3], n.power, g)
	if n.training {
		atoms = n.UnitAtoms(n.prefix+module, w)
	}
	n.now[module+".v0"], n.now[module+".weight"] = vector, atoms
	n.Require(step)
	s := n.spec.CSC
	s.Geometry = g
	return n.FISTA(n.prefix+module, x, atoms, step, s)
}

// norm appends BatchNorm.
func (n *netBuilder) norm(module, x string) string {
	channels := n.Shape(x)[1]
	p := graph.Norm{
		Gamma: n.parameter(module+".weight", 1, 0.25, channels), Beta: n.parameter(module+".bias", 0, 0.25, channels),
		Mean: n.state(module+".running_mean", 0, 0.25, channels), Variance: n.state(module+".running_var", 1, 0.25, channels),
	}
	out := n.BatchNorm(n.prefix+module, x, p, n.training, autodiff.BatchNormEpsilon, autodiff.BatchNormMomentum)
	if n.training {
		n.now[module+".running_mean"], n.now[module+".running_var"] = out.Mean, out.Variance
		n.Require(out.Mean, out.Variance)
	}
	return out.Y
}

func (n *netBuilder) relu(module, x string) string { return n.Node("relu", n.at(module, "y"), nil, x) }

// block appends a residual block, as sdnet's block.
func (n *netBuilder) block(module, x string, width int, g conv.Geometry) string {
	if module != "" {
		module += "."
	}
	s := n.spec
	h := n.norm(module+"bn1", n.filter(module+"conv1", x, width, 3, g, s.CSCBlocks))
	if !s.CSCBlocks {
		h = n.relu(module+"relu1", h)
	}
	h = n.norm(module+"bn2", n.filter(module+"conv2", h, width, 3, conv.Geometry{Padding: 1}, s.CSCBlocks))
	if s.Plain {
		return h
	}
	if g.Stride != 1 || n.Shape(x)[1] != width {
		x = n.norm(module+"shortcut.1", n.filter(module+"shortcut.0", x, width, 1, conv.Geometry{Stride: g.Stride}, false))
	}
	return n.relu(module+"relu2", n.Node("add", n.at(module+"add", "y"), nil, h, x))
}

// stem appends what comes before the blocks.
func (n *netBuilder) stem(x string) string {
	s, first := n.spec, n.spec.Data.Stem
	h := n.norm("layer0.1", n.filter("layer0.0", x, s.Widths[0], first.Kernel, first.Geometry, s.CSCStem))
	if first.Pool && s.CSCBlocks {
		return n.filter("layer0.2", h, s.Widths[0], 3, conv.Geometry{Stride: 2, Padding: 1}, true)
	}
	if !s.CSCStem {
		h = n.relu("layer0.relu", h)
	}
	if first.Pool {
		h = n.Node("max_pool", n.at("layer0.pool", "y"), graph.Attrs{"size": 3, "stride": 2, "padding": 1}, h)
	}
	return h
}

// forward appends the network and returns the name of the logits.
func (n *netBuilder) forward(x string) string {
	s := n.spec
	h := n.stem(x)
	wrap := ""
	if s.CSCBlocks {
		wrap = "layers."
	}
	for i, count := range s.Blocks {
		for j := range count {
			g := conv.Geometry{Stride: 1, Padding: 1}
			if i > 0 && j == 0 {
				g.Stride = 2
			}
			h = n.block(fmt.Sprintf("layer%d.%s%d", i+1, wrap, j), h, s.Widths[i], g)
		}
	}
	pooled := n.Node("average_pool", n.at("pool", "y"), nil, h)
	features := n.Shape(pooled)[1]
	w := n.parameter("linear.weight", 0, spread(features), s.Data.Classes, features)
	bias := n.parameter("linear.bias", 0, 0.25, s.Data.Classes)
	return n.Node("linear", n.at("linear", "y"), nil, pooled, w, bias)
}

// train appends training steps: forward, mean cross-entropy, backward, SGD.
func (n *netBuilder) train(x, labels string, steps int) {
	n.Attrs["steps"], n.Attrs["rate"], n.Attrs["sgd_momentum"], n.Attrs["decay"] = steps, descent.Rate, descent.Momentum, descent.Decay
	velocities := map[string]string{}
	for i := range steps {
		if i > 0 {
			n.prefix = fmt.Sprintf("step%d/", i+1)
		}
		logits := n.forward(x)
		loss := n.Node("cross_entropy", n.at("loss", "y"), nil, logits, labels)
		n.Require(logits, loss)
		values := n.trained()
		gradients := n.Backward(loss, "", values...)
		n.Require(gradients...)
		for p, name := range n.names {
			v := velocities[name]
			if v == "" {
				shape := n.Shape(values[p])
				v = n.Input("velocity/"+name, golden.Fill{Shape: shape, Seed: n.data.seed("velocity " + name), Scale: 0x1p-6})
			}
			after, moved := n.Descend(strings.TrimSuffix(n.prefix, "/"), name, values[p], gradients[p], v, descent)
			n.Require(after)
			n.now[name], velocities[name] = after, moved
		}
	}
}
