package own

import (
	"fmt"
	"strconv"
	"strings"

	"sdref/conv"
	"sdref/sdnet"
	"sdref/tensor"
)

// spec is the network's shape.
func (p *problem[T]) spec() (sdnet.Spec, error) {
	s, err := p.settings()
	if err != nil {
		return sdnet.Spec{}, err
	}
	blocks, err := numbers(p.text("blocks"))
	if err != nil {
		return sdnet.Spec{}, err
	}
	widths, err := numbers(p.text("widths"))
	if err != nil {
		return sdnet.Spec{}, err
	}
	s.Geometry = conv.Geometry{}
	stem := sdnet.Stem{Kernel: p.int("stem_kernel"), Geometry: conv.Geometry{Stride: p.int("stem_stride"), Padding: p.int("stem_padding")}, Pool: p.flag("stem_pool")}
	return sdnet.Spec{Name: p.ID, Blocks: blocks, Widths: widths, CSCStem: p.flag("csc_stem"), CSCBlocks: p.flag("csc_blocks"), Plain: p.flag("plain"),
		Data: sdnet.Data{Name: "case", Classes: p.int("classes"), Image: p.in["x"].Shape[2], Stem: stem}, CSC: s}, nil
}

// numbers reads a list such as 2,2,2.
func numbers(list string) (n []int, err error) {
	for word := range strings.SplitSeq(list, ",") {
		number, err := strconv.Atoi(word)
		if err != nil {
			return nil, fmt.Errorf("list %q: %w", list, err)
		}
		n = append(n, number)
	}
	return n, nil
}

// build makes the network with the case's parameters and buffers.
func (p *problem[T]) build() (*sdnet.Network[T], error) {
	spec, err := p.spec()
	if err != nil {
		return nil, err
	}
	net, err := sdnet.New[T](spec)
	if err != nil {
		return nil, err
	}
	for _, s := range net.State() {
		if input := p.in[s.Name]; input != nil {
			copy(s.Data, input.Data)
		}
	}
	return net, nil
}

// steps updates the step sizes from the weights as they are.
func (p *problem[T]) steps(net *sdnet.Network[T], prefix string) {
	for _, l := range net.Layers {
		value := power(l.Vector, l.Weight, l.Height, l.Width, p.int("rounds"), l.Geometry)
		l.StepSize.Data[0] = T(p.number("share") / value)
		p.out[prefix+l.Name+"/eigenvalue"], p.out[prefix+l.Name+"/step"] = scalar[T](value), l.StepSize.Clone()
		p.out[prefix+l.Name+"/step"].Shape = nil
	}
}

func (p *problem[T]) network() error {
	net, err := p.build()
	if err != nil {
		return err
	}
	net.NormalizeAtoms()
	p.steps(net, "")
	predictor := sdnet.NewPredictor(net)
	predictor.Observe = func(name string, value *tensor.Tensor[T]) {
		if strings.HasSuffix(name, ".dn") {
			p.out[fmt.Sprintf("%s/%d/code", name, p.int("iterations"))] = value.Clone()
		}
	}
	p.out["linear/y"] = predictor.Logits(p.in["x"]).Clone()
	return nil
}

func (p *problem[T]) train() error {
	net, err := p.build()
	if err != nil {
		return err
	}
	trainer := sdnet.NewTrainer(net, p.number("sgd_momentum"), p.number("decay"))
	for i, w := range net.Parameters() {
		copy(trainer.Optimizer.Velocity[i].Data, p.in["velocity/"+w.Name].Data)
	}
	var labels []int
	for _, l := range p.in["labels"].Data {
		labels = append(labels, int(l))
	}
	prefix, holds := "", func(name string) string { return name }
	for i := range p.int("steps") {
		if i > 0 {
			before := prefix
			prefix, holds = fmt.Sprintf("step%d/", i+1), func(name string) string { return before + "after/" + name }
		}
		p.step(net, trainer, labels, prefix, holds)
	}
	return nil
}

// step does a training step. holds tells which input or node holds a parameter before it.
func (p *problem[T]) step(net *sdnet.Network[T], trainer *sdnet.Trainer[T], labels []int, prefix string, holds func(string) string) {
	p.steps(net, prefix)
	result := trainer.Gradients(p.in["x"], labels)
	p.out[prefix+"loss/y"], p.out[prefix+"linear/y"] = scalar[T](result.Loss), trainer.Logits().Clone()
	for _, w := range net.Parameters() {
		holder := holds(w.Name)
		if module, ok := strings.CutSuffix(w.Name, ".dn.weight"); ok {
			holder = prefix + module + ".dn/weight" // the normalised atoms
		}
		p.out["grad/"+holder] = trainer.Grad(w.Tensor).Clone()
	}
	trainer.Apply(p.number("rate"))
	for i, w := range net.Parameters() {
		p.out[prefix+"after/"+w.Name] = w.Clone()
		p.out[prefix+"velocity_after/"+w.Name] = trainer.Optimizer.Velocity[i].Clone()
	}
	for _, s := range net.State() {
		if module, quantity, ok := strings.Cut(s.Name, ".running_"); ok {
			p.out[prefix+module+"/new_running_"+quantity] = s.Clone()
		}
	}
}
