package answer

import (
	"context"
	"fmt"

	"sdref/autodiff"
	"sdref/conv"
	"sdref/csc"
	"sdref/sdnet/data"
	"sdref/tensor"
)

// shrink is the shrinkage (A.3) of the request's values.
func (l *Lab) shrink(_ context.Context, r Request) (*Response, error) {
	if len(r.Values) == 0 {
		return nil, fmt.Errorf("no values to shrink")
	}
	g := autodiff.NewGraph()
	u, t := g.Input("u", len(r.Values)), g.Input("t")
	z := autodiff.Prox(u, t, nil, autodiff.Shrinkage{Lambda: r.Lambda, Mu: r.Mu, Nonnegative: !r.Signed})
	p := autodiff.NewProgram[float64](autodiff.NewPlan(autodiff.Wanted{Outputs: []*autodiff.Node{z}}), tensor.NewArena[float64]())
	p.Set(u, tensor.From(r.Values, len(r.Values)))
	p.SetNumber(t, r.Step)
	p.Run()
	return &Response{Values: map[string]any{"values": p.Value(z).Data, "threshold": float64(r.Lambda*r.Step) / (1 + float64(r.Mu*r.Step))}}, nil
}

// stamp is A z for a code with the request's places alone, A*x of the request's picture at the element At, and the products that it is
// the sum of; the atom in the published convention, (M, C, k, k), and in the paper's, (C, M, k, k) flipped.
func (l *Lab) stamp(_ context.Context, r Request) (*Response, error) {
	n, err := l.network(slim)
	if err != nil {
		return nil, err
	}
	layer := n.ready.Layers[0].Layer
	w := layer.Weight
	z := tensor.New[float32](layer.Vector.Shape...)
	for _, p := range append(r.Places[:len(r.Places):len(r.Places)], at(r)...) {
		if p.Atom < 0 || p.Atom >= z.Shape[1] || p.Row < 0 || p.Row >= z.Shape[2] || p.Column < 0 || p.Column >= z.Shape[3] {
			return nil, fmt.Errorf("atom %d at row %d, column %d: there are atoms 0 to %d on %d x %d places", p.Atom, p.Row, p.Column, z.Shape[1]-1, z.Shape[2], z.Shape[3])
		}
	}
	for _, p := range r.Places {
		z.Set(float32(p.Value), 0, p.Atom, p.Row, p.Column)
	}
	out := &Response{}
	add(out, "az", layer.Reconstruct(z))
	if r.At == nil {
		out.Values = map[string]any{}
		return out, nil
	}
	x, err := signal[float32](r)
	if err != nil {
		return nil, err
	}
	matched := tensor.New[float32](z.Shape...)
	conv.Forward(matched, x, w, layer.Geometry)
	a := *r.At
	atom, window, products := w.Row(a.Atom), tensor.New[float32](w.Shape[1:]...), tensor.New[float32](w.Shape[1:]...)
	for i := range products.Data {
		c, row, column := i/9, a.Row+i/3%3-layer.Padding, a.Column+i%3-layer.Padding
		if row >= 0 && row < data.Side && column >= 0 && column < data.Side {
			window.Data[i] = x.At(0, c, row, column)
			products.Data[i] = window.Data[i] * atom.Data[i]
		}
	}
	paper := csc.PaperKernel(w)
	theirs := tensor.New[float32](w.Shape[1:]...)
	for c := range w.Shape[1] {
		copy(theirs.Row(c).Data, paper.Row(c).Row(a.Atom).Data)
	}
	out.Values = map[string]any{"value": matched.At(0, a.Atom, a.Row, a.Column)}
	add(out, "x", x)
	add(out, "match", matched.Row(0).Row(a.Atom))
	add(out, "atom", atom)
	add(out, "paper", theirs)
	add(out, "window", window)
	add(out, "products", products)
	return out, nil
}

// at is the request's element as a list.
func at(r Request) []Place {
	if r.At == nil {
		return nil
	}
	return []Place{*r.At}
}
