package own

import (
	"fmt"

	"sdref/autodiff"
	"sdref/conv"
	"sdref/csc"
	"sdref/tensor"
)

// residual is a residual block under computation.
type residual[T tensor.Float] struct {
	*problem[T]
	tape     *autodiff.Tape[T]
	settings csc.Settings
	leaves   map[string]*autodiff.Var[T] // whose gradients are asked for
}

func (p *problem[T]) block() error {
	s, err := p.settings()
	if err != nil {
		return err
	}
	b := &residual[T]{p, tape[T](), s, map[string]*autodiff.Var[T]{}}
	x := b.leaf("x", p.in["x"])
	inner := conv.Geometry{Padding: 1}
	outer := conv.Geometry{Stride: p.int("stride"), Padding: 1}
	h := b.norm("bn1", b.filter("conv1", x, outer))
	if !p.flag("csc") {
		h = b.keep("relu1/y", autodiff.ReLU(h))
	}
	name := "bn2/y"
	h = b.norm("bn2", b.filter("conv2", h, inner))
	if !p.flag("plain") {
		if p.in["shortcut.0.weight"] != nil {
			w := b.leaf("shortcut.0.weight", p.in["shortcut.0.weight"])
			x = b.norm("shortcut.1", b.keep("shortcut.0/y", autodiff.Convolve(x, w, conv.Geometry{Stride: p.int("stride")})))
		}
		name = "relu2/y"
		h = b.keep(name, autodiff.ReLU(b.keep("add/y", autodiff.Add(h, x))))
	}
	b.tape.Backward(h, p.in["grad/"+name])
	for of, v := range b.leaves {
		p.out["grad/"+of] = v.Grad().Clone()
	}
	return nil
}

func (b *residual[T]) leaf(name string, value *tensor.Tensor[T]) *autodiff.Var[T] {
	b.leaves[name] = b.tape.Leaf(value)
	return b.leaves[name]
}

// keep answers a node, before later ones use its memory.
func (b *residual[T]) keep(name string, v *autodiff.Var[T]) *autodiff.Var[T] {
	b.out[name] = v.Value().Clone()
	return v
}

// filter is a convolution or a CSC layer. In training the step size is that of the weights before the atoms are normalised.
func (b *residual[T]) filter(module string, x *autodiff.Var[T], g conv.Geometry) *autodiff.Var[T] {
	if !b.flag("csc") {
		return b.keep(module+"/y", autodiff.Convolve(x, b.leaf(module+".weight", b.in[module+".weight"]), g))
	}
	module += ".dn"
	w, s := b.in[module+".weight"].Clone(), b.settings
	s.Geometry = g
	if !b.flag("training") {
		csc.NormalizeAtoms(w)
	}
	value := power(b.in[module+".v0"].Clone(), w, x.Shape()[2], x.Shape()[3], b.int("rounds"), g)
	step := scalar[T](b.number("share") / value)
	b.out[module+"/eigenvalue"], b.out[module+"/step"] = scalar[T](value), step
	if b.flag("training") {
		csc.NormalizeAtoms(w)
	}
	return b.keep(fmt.Sprintf("%s/%d/code", module, s.Iterations), csc.FISTA(x, b.leaf(module+"/weight", w), step.Data[0], s))
}

func (b *residual[T]) norm(module string, x *autodiff.Var[T]) *autodiff.Var[T] {
	running := autodiff.Running[T]{Mean: b.in[module+".running_mean"].Clone(), Var: b.in[module+".running_var"].Clone()}
	gamma, beta := b.leaf(module+".weight", b.in[module+".weight"]), b.leaf(module+".bias", b.in[module+".bias"])
	y := b.keep(module+"/y", autodiff.BatchNorm(x, gamma, beta, running, b.flag("training")))
	if b.flag("training") {
		b.out[module+"/new_running_mean"], b.out[module+"/new_running_var"] = running.Mean, running.Var
	}
	return y
}
