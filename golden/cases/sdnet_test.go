package cases

import (
	"fmt"
	"strings"
	"testing"

	"sdref/golden"
	"sdref/golden/graph"
	"sdref/sdnet"
	"sdref/tensor"
)

// near fails unless got is want to the given norm-wise relative error.
func near(t *testing.T, what string, got, want []float64, bound float64) {
	t.Helper()
	if d := golden.Compare(got, want); !d.Within(bound) {
		t.Errorf("%v", golden.Judge("", what, d, bound))
	}
}

// tracked is a network of package sdnet beside the graph that says the same.
type tracked struct {
	*testing.T
	*graph.Case
	net    *sdnet.Network[float64]
	in     graph.Values
	values graph.Values
	prefix string // of the nodes of a second step
}

// track makes the network, with the case's parameters and buffers.
func track(t *testing.T, c *graph.Case, spec sdnet.Spec) *tracked {
	t.Helper()
	in := c.Generate()
	values, err := c.Evaluate(in)
	if err != nil {
		t.Fatal(err)
	}
	net, err := sdnet.New[float64](spec)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range net.State() {
		if input := in[s.Name]; input != nil {
			copy(s.Data, input.Data)
		} else if !strings.HasSuffix(s.Name, ".step_size") {
			t.Errorf("%s has no input %s", c.ID, s.Name)
		}
	}
	return &tracked{t, c, net, in, values, ""}
}

// steps gives the network the graph's step sizes, which come from a given number of rounds.
func (k *tracked) steps() {
	for _, l := range k.net.Layers {
		l.StepSize.Data[0] = k.values[k.prefix+l.Name+"/step"].Data[0]
	}
}

// is compares a node.
func (k *tracked) is(node string, want []float64) {
	k.Helper()
	value := k.values[node]
	if value == nil {
		k.Errorf("%s has no node %s", k.ID, node)
		return
	}
	near(k.T, k.ID+" "+node, value.Data, want, 1e-10)
}

// TestNetworksAreSdnet: the graphs of whole networks give what package sdnet gives, forward and backward,
// step by step.
func TestNetworksAreSdnet(t *testing.T) {
	for _, r := range networks {
		k := track(t, r.build(), r.spec)
		if r.steps == 0 {
			k.net.NormalizeAtoms()
			k.steps()
			p := sdnet.NewPredictor(k.net)
			p.Observe = func(name string, value *tensor.Tensor[float64]) {
				if strings.HasSuffix(name, ".dn") {
					k.is(fmt.Sprintf("%s/%d/code", name, r.spec.CSC.Iterations), value.Data)
				}
			}
			k.is("linear/y", p.Logits(k.in["x"]).Data)
			continue
		}
		k.train(r.steps)
	}
}

// train sets training steps against sdnet's.
func (k *tracked) train(steps int) {
	trainer := sdnet.NewTrainer(k.net, descent.Momentum, descent.Decay)
	parameters := k.net.Parameters()
	for i, p := range parameters {
		copy(trainer.Optimizer.Velocity[i].Data, k.in["velocity/"+p.Name].Data)
	}
	var labels []int
	for _, l := range k.in["labels"].Data {
		labels = append(labels, int(l))
	}
	for i := range steps {
		if i > 0 {
			k.prefix = fmt.Sprintf("step%d/", i+1)
		}
		k.steps()
		result := trainer.Gradients(k.in["x"], labels)
		k.is(k.prefix+"loss/y", []float64{result.Loss})
		k.is(k.prefix+"linear/y", trainer.Logits().Data)
		for _, p := range parameters {
			k.is("grad/"+k.holder(p.Name, i), trainer.Grad(p.Tensor).Data)
		}
		trainer.Apply(descent.Rate)
		for j, p := range parameters {
			k.is(k.prefix+"after/"+p.Name, p.Data)
			k.is(k.prefix+"velocity_after/"+p.Name, trainer.Optimizer.Velocity[j].Data)
		}
		for _, s := range k.net.State() {
			if module, quantity, _ := strings.Cut(s.Name, ".running_"); quantity != "" {
				k.is(k.prefix+module+"/new_running_"+quantity, s.Data)
			}
		}
	}
}

// holder is the node or input that holds a parameter in a step.
func (k *tracked) holder(parameter string, step int) string {
	switch {
	case strings.HasSuffix(parameter, ".dn.weight"):
		return k.prefix + strings.TrimSuffix(parameter, ".weight") + "/weight"
	case step == 0:
		return parameter
	case step == 1:
		return "after/" + parameter
	}
	return fmt.Sprintf("step%d/after/%s", step, parameter)
}

// TestRoundsAreTheRule: no power iteration's update falls below the rule's tolerance before its last round.
func TestRoundsAreTheRule(t *testing.T) {
	for _, c := range All() {
		values, err := c.Evaluate(c.Generate())
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range c.Nodes {
			if n.Op == "rounds" && !c.Has("early") && int(values[n.Name].Data[0]) != len(n.Inputs) {
				t.Errorf("%s: %s is %v of %d", c.ID, n.Name, values[n.Name].Data[0], len(n.Inputs))
			}
		}
	}
}
