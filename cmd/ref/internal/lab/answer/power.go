package answer

import (
	"context"
	"fmt"

	"sdref/autodiff"
	"sdref/csc"
	"sdref/tensor"
)

// power is rounds of power iteration on a dictionary from a fresh vector: A v_k as pictures, and |A v_k|^2 (A.5), which rises to the
// largest eigenvalue.
func (l *Lab) power(_ context.Context, r Request) (*Response, error) {
	d, err := l.dictionary(r)
	if err != nil {
		return nil, err
	}
	if err := r.iterations(csc.PowerRounds); err != nil {
		return nil, err
	}
	w, v := d.Weight.Shape, tensor.New[float64](d.Vector.Shape...)
	tensor.FillUniform(v, 1, 1, 0) // as csc.NewLayer does
	g := autodiff.NewGraph()
	start, weight := g.Input("v", v.Shape...), g.Input("w", w...)
	_, step := csc.PublishedPower(r.Iterations).Append("", start, weight, d.Height, d.Width, d.Geometry)
	outputs := []*autodiff.Node{step, g.Node("eigenvalue")}
	var signals []*autodiff.Node
	for k := 1; k <= r.Iterations; k++ { // round k begins with A v_{k-1}
		signals = append(signals, g.Node(fmt.Sprintf("power/%d/synthesis", k)))
	}
	signals = append(signals, g.Node("power/synthesis"))
	p := autodiff.NewProgram[float64](autodiff.NewPlan(autodiff.Wanted{Outputs: append(outputs, signals...)}), tensor.NewArena[float64]())
	p.Set(start, v)
	p.Set(weight, d.Weight)
	p.Run()
	var values []float64
	var pictures []float32
	for _, s := range signals {
		signal := p.Value(s)
		values = append(values, tensor.SumSquares(signal))
		pictures = append(pictures, tensor.Convert[float32](signal).Data...)
	}
	values[0] /= tensor.SumSquares(v) // the start is no unit vector
	out := &Response{Values: map[string]any{"values": values, "step": p.Number(step)}}
	add(out, "av", tensor.From(pictures, append([]int{len(signals)}, p.Value(signals[0]).Shape[1:]...)...))
	return out, nil
}
