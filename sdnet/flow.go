package sdnet

import (
	"fmt"

	"sdref/autodiff"
	"sdref/conv"
	"sdref/csc"
)

// Flow is a network written down as a graph: what becomes of a batch of images. Node MODULE/y is what a module gives; parameters and
// buffers are inputs by their published names, in the order of the published checkpoints.
type Flow struct {
	*autodiff.Graph
	Spec
	Options
	X, Logits *autodiff.Node // images (N, C, H, W), as Data.Shape has them; (N, classes)
	State     []StateInput
	Layers    []FlowLayer // the CSC layers, in order
	Marks     []Mark

	prefix string                    // of the nodes of a second training step
	now    map[string]*autodiff.Node // what holds a parameter or buffer at the moment: at first the input
}

// Options says how a network is written down.
type Options struct {
	Images   int
	Training bool // BatchNorm with the batch's statistics, and moving the running ones
	// Power, if not nil, writes down the whole way from weights as an optimiser left them: each layer's power iteration from its vector,
	// and the normalising of its atoms, if its settings ask for it, before it in evaluation and after it in training, as published.
	// Otherwise atoms are taken as they are, and step sizes are inputs.
	Power *csc.Power
	// Lambdas makes each layer's lambda an input of its own, FlowLayer.Lambda, which may change from run to run.
	Lambdas bool
	// Settings are those of each CSC layer, where they differ from Spec.CSC; the geometry does not count.
	Settings []csc.Settings
}

// StateInput is a tensor of the network's state.
type StateInput struct {
	*autodiff.Node
	Buffer bool   // not trained: running statistics, step sizes, power-iteration vectors
	Role   string // "weight", "gamma", "beta", "running_mean", "running_var", "bias", "lambda", "step", "step_size", "v0"
}

// FlowLayer is a CSC layer.
type FlowLayer struct {
	Name         string // as published, such as "layer0.0.dn"
	Settings     csc.Settings
	Signal, Code *autodiff.Node
	Weight, Step *autodiff.Node // the input; the step size
	Lambda       *autodiff.Node // the input, if Options.Lambdas asks for it and lambda is not learned
}

// Mark is a value that readers of a network ask for by name: "layer0" to "layer4", the outputs of the stem and the stages; the
// stem's again as "block0.0" and the output of block B of stage S as "blockS.B", both from 1 (see ParseBlock); each CSC layer's
// code under the layer's name.
type Mark struct {
	Name string
	*autodiff.Node
}

// Graph writes the network down. A specification that Check finds fault with may be a panic.
func (s Spec) Graph(o Options) *Flow {
	f := NewFlow(s, o)
	f.X = f.images()
	f.Logits = f.Forward(f.X)
	return f
}

// images is the input of images.
func (f *Flow) images() *autodiff.Node {
	shape := f.Data.Shape()
	return f.Input("x", f.Options.Images, shape[0], shape[1], shape[2])
}

// NewFlow returns a flow without nodes, for those who write down parts of a network.
func NewFlow(s Spec, o Options) *Flow {
	return &Flow{Graph: autodiff.NewGraph(), Spec: s, Options: o, now: map[string]*autodiff.Node{}}
}

// state returns what holds a parameter or buffer at the moment: at first an input.
func (f *Flow) state(name, role string, buffer bool, shape ...int) *autodiff.Node {
	if f.now[name] == nil {
		f.now[name] = f.Input(name, shape...)
		f.State = append(f.State, StateInput{f.now[name], buffer, role})
	}
	return f.now[name]
}

// Parameters lists what holds the trained parameters at the moment.
func (f *Flow) Parameters() (list []*autodiff.Node) {
	for _, s := range f.State {
		if !s.Buffer {
			list = append(list, f.now[s.Name])
		}
	}
	return list
}

// Now is what holds a parameter or buffer at the moment: its input, or the node that has taken its place.
func (f *Flow) Now(name string) *autodiff.Node { return f.now[name] }

func (f *Flow) mark(name string, n *autodiff.Node) { f.Marks = append(f.Marks, Mark{name, n}) }

// Forward appends the network's flow for images x and returns the logits.
func (f *Flow) Forward(x *autodiff.Node) *autodiff.Node {
	h := f.stem(x)
	f.mark("block0.0", h)
	f.mark("layer0", h)
	for i, count := range f.Blocks {
		if f.Chain {
			h = f.Group(i+1, h)
			continue
		}
		for j := range count {
			g := conv.Geometry{Stride: 1, Padding: 1}
			if i > 0 && j == 0 {
				g.Stride = 2
			}
			h = f.Block(blockName(f.Spec, i+1, j)+".", h, f.Widths[i], g)
			f.mark(blockOutput(i+1, j+1), h)
		}
		f.mark(fmt.Sprintf("layer%d", i+1), h)
	}
	if f.Chain {
		h = autodiff.MaxPool(h, h.Shape[2], h.Shape[2], 0).At(f.prefix+"maximum", 0, "y")
	}
	pooled := autodiff.AveragePool(h).At(f.prefix+"pool", 0, "y")
	w := f.state("linear.weight", "weight", false, f.Data.Classes, pooled.Shape[1])
	bias := f.state("linear.bias", "bias", false, f.Data.Classes)
	logits := autodiff.Linear(pooled, w, bias).At(f.prefix+"linear", 0, "y")
	if f.LogitScale != 0 {
		logits = autodiff.Scale(logits, f.LogitScale, nil).At(f.prefix+"logits", 0, "y")
	}
	return logits
}

// blockName is the published name of block j of a stage; the networks of CSC blocks wrap a stage in one more module.
func blockName(s Spec, stage, j int) string {
	if s.CSCBlocks {
		return fmt.Sprintf("layer%d.layers.%d", stage, j)
	}
	return fmt.Sprintf("layer%d.%d", stage, j)
}

// stem appends what comes before the blocks.
func (f *Flow) stem(x *autodiff.Node) *autodiff.Node {
	first, channels := f.Data.Stem, f.stemChannels()
	if f.Whitening && f.CSCStem {
		x = f.whiten(x)
	}
	h := f.convolution("layer0.0", x, channels, first.Kernel, first.Geometry, f.CSCStem)
	if f.Whitening && !f.CSCStem {
		h = autodiff.Bias(h, f.state("layer0.0.bias", "bias", false, channels)).At(f.prefix+"layer0.0", 0, "biased")
	} else {
		h = f.norm("layer0.1", h)
	}
	if first.Pool && f.CSCBlocks {
		return f.convolution("layer0.2", h, channels, 3, conv.Geometry{Stride: 2, Padding: 1}, true)
	}
	if !f.CSCStem {
		h = f.activate("layer0.relu", h)
	}
	if first.Pool {
		h = autodiff.MaxPool(h, 3, 2, 1).At(f.prefix+"layer0.pool", 0, "y")
	}
	return h
}

// Block appends relu(bn2(conv2(relu(bn1(conv1(x))))) + shortcut(x)), its modules' names beginning with the given text. With CSC
// layers the inner ReLU is left out, a code being its own nonlinearity; without shortcuts so is the outer.
func (f *Flow) Block(name string, x *autodiff.Node, width int, g conv.Geometry) *autodiff.Node {
	h := f.norm(name+"bn1", f.convolution(name+"conv1", x, width, 3, g, f.CSCBlocks))
	if !f.CSCBlocks {
		h = f.activate(name+"relu1", h)
	}
	h = f.norm(name+"bn2", f.convolution(name+"conv2", h, width, 3, conv.Geometry{Padding: 1}, f.CSCBlocks))
	if f.Plain {
		return h
	}
	if g.Stride != 1 || x.Shape[1] != width {
		x = f.norm(name+"shortcut.1", f.convolution(name+"shortcut.0", x, width, 1, conv.Geometry{Stride: g.Stride}, false))
	}
	return f.activate(name+"relu2", autodiff.Add(h, x).At(f.prefix+name+"add", 0, "y"))
}

// activate appends the activation.
func (f *Flow) activate(module string, x *autodiff.Node) *autodiff.Node {
	return f.Activation.append(x).At(f.prefix+module, 0, "y")
}

// convolution appends one, or a CSC layer MODULE.dn in its place.
func (f *Flow) convolution(module string, x *autodiff.Node, outputs, kernel int, g conv.Geometry, sparse bool) *autodiff.Node {
	g.Algorithm = f.Algorithm
	shape := []int{outputs, x.Shape[1], kernel, kernel}
	if sparse {
		return f.layer(module+".dn", x, shape, g)
	}
	w := f.state(module+".weight", "weight", f.fixed(module), shape...)
	return autodiff.Analysis(x, w, g).At(f.prefix+module, 0, "y")
}

// layer appends a CSC layer.
func (f *Flow) layer(name string, x *autodiff.Node, weights []int, g conv.Geometry) *autodiff.Node {
	l := FlowLayer{Name: name, Settings: f.Spec.CSC, Signal: x}
	if f.Settings != nil {
		l.Settings = f.Settings[len(f.Layers)]
	}
	l.Settings.Geometry = g
	vector := g.CodeShape(x.Shape, weights)
	vector[0] = 1

	l.Weight = f.state(name+".weight", "weight", f.fixed(name), weights...)
	lambda, factor := f.learned(name, l.Settings)
	if lambda == nil && f.Lambdas {
		l.Lambda = f.Input(name + "/lambda")
		lambda = l.Lambda
	}
	atoms, t := f.prepare(name, x, l, vector)
	l.Step = t
	if factor != nil {
		t = autodiff.Scale(factor, 1, t).At(f.prefix+name, 0, "scaled_step")
	}
	l.Code = csc.Code(f.prefix+name, x, atoms, t, lambda, l.Settings)
	f.Layers = append(f.Layers, l)
	f.mark(name, l.Code)
	return l.Code
}

// learned are the parameters lambda and step factor, where the settings ask for them.
func (f *Flow) learned(name string, s csc.Settings) (lambda, factor *autodiff.Node) {
	if s.LearnLambda {
		lambda = f.state(name+".lambda", "lambda", false)
	}
	if s.LearnStep {
		factor = f.state(name+".step", "step", false)
	}
	return lambda, factor
}

// prepare returns the atoms and the step size of a layer: its state's, or what Power makes of its weights.
func (f *Flow) prepare(name string, x *autodiff.Node, l FlowLayer, vector []int) (atoms, t *autodiff.Node) {
	if f.Power == nil {
		t = f.state(name+".step_size", "step_size", true)
		f.state(name+".v0", "v0", true, vector...)
		return l.Weight, t
	}
	v := f.state(name+".v0", "v0", true, vector...)
	w := f.now[name+".weight"]
	unit := func() *autodiff.Node {
		if !l.Settings.UnitNormAtoms {
			return w
		}
		return autodiff.UnitAtoms(w).At(f.prefix+name, 0, "weight")
	}
	if !f.Training { // in a training step the eigenvalue is that of the weights as the optimiser left them
		w = unit()
	}
	v, t = f.Power.Append(f.prefix+name, v, w, x.Shape[2], x.Shape[3], l.Settings.Geometry)
	if f.Training {
		w = unit()
	}
	f.now[name+".v0"], f.now[name+".weight"] = v, w
	return w, t
}

// norm appends BatchNorm.
func (f *Flow) norm(module string, x *autodiff.Node) *autodiff.Node {
	channels := x.Shape[1]
	n := f.Norm.orDefault()
	p := autodiff.Norm{
		Gamma: f.state(module+".weight", "gamma", n.FixedScale, channels), Beta: f.state(module+".bias", "beta", false, channels),
		Mean: f.state(module+".running_mean", "running_mean", true, channels), Variance: f.state(module+".running_var", "running_var", true, channels),
		Epsilon: n.Epsilon, Momentum: n.Momentum,
	}
	y, mean, variance := autodiff.BatchNorm(f.prefix+module, x, p, f.Training)
	f.now[module+".running_mean"], f.now[module+".running_var"] = mean, variance
	return y
}
