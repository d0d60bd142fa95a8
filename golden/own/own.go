// Package own answers golden cases with this module's own code: conv, autodiff, csc and sdnet, in float32 or float64, each asked
// for the whole computation and not node by node.
//
// It shows that the judge passes the reference, and that what a case tells a backend is enough to compute it. It does not know
// what the right answers are.
package own

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"sdref/conv"
	"sdref/csc"
	"sdref/golden/graph"
	"sdref/tensor"
)

// Values holds tensors by the name of the node.
type Values[T tensor.Float] map[string]*tensor.Tensor[T]

// ErrNotCovered says that this module does not compute a case.
var ErrNotCovered = errors.New("not covered")

// Kinds lists the kinds of cases that Answers computes.
func Kinds() []string { return slices.Sorted(maps.Keys(kinds[float32]())) }

func kinds[T tensor.Float]() map[string]func(*problem[T]) error {
	return map[string]func(*problem[T]) error{
		"conv_forward": (*problem[T]).forward, "conv_transpose": (*problem[T]).transpose, "conv_filter": (*problem[T]).filter,
		"prox": (*problem[T]).prox, "batchnorm": (*problem[T]).batchNorm, "power_iteration": (*problem[T]).powerIteration,
		"fista": (*problem[T]).fista, "csc_layer": (*problem[T]).cscLayer, "block": (*problem[T]).block, "network": (*problem[T]).network, "training_step": (*problem[T]).train,
	}
}

// Answers computes a case from its inputs and returns what the module's code gives: the required values, and some on the way. The
// error is ErrNotCovered where the module has no code for the case.
func Answers[T tensor.Float](c *graph.Case, in graph.Values) (answers Values[T], err error) {
	compute := kinds[T]()[c.Kind]
	if compute == nil {
		return nil, ErrNotCovered
	}
	p := &problem[T]{Case: c, in: Values[T]{}, out: Values[T]{}}
	for name, t := range in {
		p.in[name] = tensor.Convert[T](t)
	}
	if err := compute(p); err != nil {
		return nil, fmt.Errorf("case %s: %w", c.ID, err)
	}
	return p.out, nil
}

// problem is a case under computation.
type problem[T tensor.Float] struct {
	*graph.Case
	in, out Values[T]
}

// number is a setting, 0 if there is none.
func (p *problem[T]) number(name string) float64 {
	switch v := p.Attrs[name].(type) {
	case float64:
		return v
	case int:
		return float64(v)
	case bool:
		if v {
			return 1
		}
	}
	return 0
}

func (p *problem[T]) int(name string) int   { return int(p.number(name)) }
func (p *problem[T]) flag(name string) bool { return p.number(name) != 0 }

func (p *problem[T]) text(name string) string {
	text, _ := p.Attrs[name].(string)
	return text
}

func (p *problem[T]) geometry() conv.Geometry {
	return conv.Geometry{Stride: p.int("stride"), Padding: p.int("padding"), Dilation: p.int("dilation")}
}

// settings are those of a CSC layer.
func (p *problem[T]) settings() (csc.Settings, error) {
	v, err := csc.ParseVariant(p.text("variant"))
	return csc.Settings{Geometry: p.geometry(), Lambda: p.number("lambda"), Mu: p.number("mu"), Nonnegative: p.flag("nonnegative"),
		Iterations: p.int("iterations"), Variant: v, UnitNormAtoms: p.flag("unit_norm")}, err
}

// answer makes room for the value of a node.
func (p *problem[T]) answer(name string) *tensor.Tensor[T] {
	p.out[name] = tensor.New[T](p.Node(name).Shape...)
	return p.out[name]
}

func (p *problem[T]) forward() error {
	conv.Forward(p.answer("y"), p.in["x"], p.in["w"], p.geometry())
	return nil
}

func (p *problem[T]) transpose() error {
	conv.Transpose(p.answer("x"), p.in["z"], p.in["w"], p.geometry())
	return nil
}

func (p *problem[T]) filter() error {
	conv.Filter(p.answer("grad/w"), p.in["x"], p.in["grad/y"], p.geometry())
	return nil
}

func scalar[T tensor.Float](v float64) *tensor.Tensor[T] { return tensor.From([]T{T(v)}) }
