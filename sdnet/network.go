package sdnet

import (
	"sdref/autodiff"
	"sdref/csc"
	"sdref/tensor"
)

// Network is a network with its weights.
type Network[T tensor.Float] struct {
	Spec
	Layers []*CSC[T] // the CSC layers, in order
	state  []Named[T]
	byName map[string]*tensor.Tensor[T] // of the state
}

// CSC is a CSC layer with its published name.
type CSC[T tensor.Float] struct {
	Name string
	*csc.Layer[T]
}

// Named is a tensor of the network's state.
type Named[T tensor.Float] struct {
	Name   string
	Buffer bool // not trained: running statistics, step sizes, power-iteration vectors
	*tensor.Tensor[T]
}

// New returns a network with all weights 0, BatchNorm at identity; Initialize or a checkpoint fills it.
func New[T tensor.Float](s Spec) (*Network[T], error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	n := &Network[T]{Spec: s, byName: map[string]*tensor.Tensor[T]{}}
	f := s.Graph(Options{Images: 1})
	held := map[string]*tensor.Tensor[T]{} // by the layers
	for _, l := range f.Layers {
		w, x := l.Weight.Shape, l.Signal.Shape
		layer := csc.NewLayer[T](w[0], w[1], w[2], x[2], x[3], l.Settings)
		n.Layers = append(n.Layers, &CSC[T]{l.Name, layer})
		held[l.Name+".weight"], held[l.Name+".step_size"], held[l.Name+".v0"] = layer.Weight, layer.StepSize, layer.Vector
		held[l.Name+".lambda"], held[l.Name+".step"] = layer.Penalty, layer.StepFactor
	}
	for _, s := range f.State {
		t := held[s.Name]
		if t == nil {
			t = tensor.New[T](s.Shape...)
		}
		if s.Role == "gamma" || s.Role == "running_var" {
			t.Fill(1)
		}
		n.state = append(n.state, Named[T]{s.Name, s.Buffer, t})
		n.byName[s.Name] = t
	}
	return n, nil
}

// Graph writes the network down with the settings that its CSC layers have now.
func (n *Network[T]) Graph(o Options) *Flow {
	o.Settings = n.settings()
	return n.Spec.Graph(o)
}

// settings are those of the CSC layers.
func (n *Network[T]) settings() []csc.Settings {
	list := []csc.Settings{} // not nil, also where there are none
	for _, l := range n.Layers {
		list = append(list, l.Settings)
	}
	return list
}

// Bind gives a program of the network's graph the state's tensors, which each run reads as they are then, and the lambdas as they
// are now.
func (n *Network[T]) Bind(p *autodiff.Program[T], f *Flow) {
	for _, s := range f.State { // which has no step sizes if f computes them
		p.Set(s.Node, n.byName[s.Name])
	}
	for i, l := range f.Layers {
		if l.Lambda != nil {
			p.SetNumber(l.Lambda, n.Layers[i].Lambda)
		}
	}
}

// State lists all tensors of the network, parameters and buffers, in the order of the published checkpoints. The tensors are
// the network's own.
func (n *Network[T]) State() []Named[T] { return n.state }

// Parameters lists what is trained.
func (n *Network[T]) Parameters() []Named[T] {
	var list []Named[T]
	for _, s := range n.state {
		if !s.Buffer {
			list = append(list, s)
		}
	}
	return list
}

// CountParameters is the number of trained numbers.
func (n *Network[T]) CountParameters() int {
	count := 0
	for _, p := range n.Parameters() {
		count += p.Len()
	}
	return count
}

// Clone returns a copy that shares nothing with n, its layers' settings as they are now.
func (n *Network[T]) Clone() *Network[T] {
	c, err := New[T](n.Spec)
	if err != nil {
		panic(err) // n has the same specification
	}
	for i, s := range n.state {
		copy(c.state[i].Data, s.Data)
	}
	for i, l := range n.Layers {
		c.Layers[i].Settings = l.Settings
	}
	return c
}

// UpdateSteps continues every CSC layer's power iteration on the weights as they are and sets its step size.
func (n *Network[T]) UpdateSteps() []csc.Estimate {
	var list []csc.Estimate
	for _, l := range n.Layers {
		list = append(list, l.UpdateStep())
	}
	return list
}

// Project brings every CSC layer's learned lambda and step factor back to 0 where they are below.
func (n *Network[T]) Project() {
	for _, l := range n.Layers {
		l.Project()
	}
}

// NormalizeAtoms brings every CSC layer's atoms to norm 1.
func (n *Network[T]) NormalizeAtoms() {
	for _, l := range n.Layers {
		l.Normalize()
	}
}
