package cases

import (
	"math"
	"slices"

	"sdref/autodiff"
	"sdref/csc"
	"sdref/golden"
	"sdref/golden/graph"
	"sdref/sdnet"
	"sdref/tensor"
)

// netBuilder makes cases of a network's flow. Parameters and buffers are inputs by their published names.
type netBuilder struct {
	*graph.Builder
	flow *sdnet.Flow
	data data
}

// newNetBuilder returns a builder of a case of a network, or of parts of it, the whole way from weights as an
// optimiser left them.
func newNetBuilder(spec sdnet.Spec, rounds int, training bool, id, kind, why string,
	flags ...string) *netBuilder {
	p := csc.PublishedPower(rounds)
	f := sdnet.NewFlow(spec, sdnet.Options{Training: training, Power: &p})
	return &netBuilder{graph.On(f.Graph, id, kind, why, flags...), f, data{name: id}}
}

// fillState gives the parameters and buffers that the flow has asked for their rules, and lists its nodes.
func (n *netBuilder) fillState() {
	for _, s := range n.flow.State {
		if n.Case.Input(s.Name) == nil {
			offset, scale := around(s)
			n.Fill(s.Node, n.data.around(s.Name, offset, scale, s.Shape...))
		}
	}
	n.List()
}

// around is where a parameter or buffer lies: numbers between offset - scale and offset + scale.
func around(s sdnet.StateInput) (offset, scale float64) {
	switch s.Role {
	case "weight":
		return 0, spread(tensor.Size(s.Shape[1:]))
	case "gamma":
		return 1, 0.25
	case "running_var":
		return 1, 0.25
	case "v0":
		return 0, 1
	default: // beta, bias, running_mean
		return 0, 0.25
	}
}

// spread is the power of two next to 1/sqrt(fan): weights between -spread and spread keep signals at their
// size.
func spread(fan int) float64 {
	_, exponent := math.Frexp(1.5 / math.Sqrt(float64(fan)))
	return math.Ldexp(1, exponent)
}

// requireState requires step sizes and, in training, moved running statistics, those that the flow has
// appended since from layers.
func (n *netBuilder) requireState(from int) {
	for _, l := range n.flow.Layers[from:] {
		n.Require(l.Step.Name)
	}
	for _, s := range n.flow.State {
		if now := n.flow.Now(s.Name); now != s.Node && (s.Role == "running_mean" || s.Role == "running_var") {
			n.Require(now.Name)
		}
	}
}

// requireNodes is Require for nodes of the graph.
func (n *netBuilder) requireNodes(list ...*autodiff.Node) {
	for _, node := range list {
		n.Require(node.Name)
	}
}

// forward appends the network and returns the logits.
func (n *netBuilder) forward(x *autodiff.Node) *autodiff.Node {
	logits := n.flow.Forward(x)
	n.fillState()
	n.requireState(0)
	return logits
}

// train appends training steps: forward, mean cross-entropy, backward, SGD.
func (n *netBuilder) train(x, labels *autodiff.Node, steps int) {
	n.Attrs["steps"], n.Attrs["rate"], n.Attrs["sgd_momentum"], n.Attrs["decay"] = steps, descent.Rate,
		descent.Momentum, descent.Decay
	velocities := map[string]*autodiff.Node{}
	for i := range steps {
		layers := len(n.flow.Layers)
		step := n.flow.Gradients(x, labels)
		n.fillState()
		n.requireState(layers)
		n.requireNodes(append(slices.Clone(step.Gradients), step.Logits, step.Loss)...)
		for _, s := range n.flow.State {
			if i == 0 && !s.Buffer {
				name := "velocity/" + s.Name
				n.Input(name, golden.Fill{Shape: s.Shape, Seed: n.data.seed("velocity " + s.Name),
					Scale: 0x1p-6})
				velocities[s.Name] = n.Graph.Node(name)
			}
		}
		after := n.flow.Descend(step, velocities, descent)
		n.List()
		n.requireNodes(after...)
	}
}
