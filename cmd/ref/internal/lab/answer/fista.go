package answer

import (
	"context"
	"fmt"

	"sdref/csc/solve"
	"sdref/csc/spectrum"
	"sdref/sdnet/figures"
	"sdref/tensor"
)

// iterateValues describes an iterate, as ref trace does.
type iterateValues struct {
	K         int     `json:"k"`
	Momentum  float64 `json:"m"`
	Objective float64 `json:"objective"`
	Sparsity  float64 `json:"sparsity"`
	Ridge     float64 `json:"ridge"`
	Fidelity  float64 `json:"fidelity"`
	Gap       float64 `json:"gap"`
	Relative  float64 `json:"relative"`
	Change    float64 `json:"change"`
	Nonzeros  int     `json:"nonzeros"`
	Born      int     `json:"born"` // elements that are not 0 and were before
	Died      int     `json:"died"`
}

// busiest is the number of maps that "fista" shows of each iterate.
const busiest = 6

// solver returns the solver that a request names, with a step size.
func (r Request) solver(t float64) (solve.Solver[float64], error) {
	switch r.Solver {
	case "fista":
		return solve.FISTA[float64]{Step: t}, nil
	case "published":
		return solve.Published[float64]{Step: t}, nil
	case "ista":
		return solve.ISTA[float64]{Step: t}, nil
	}
	return nil, fmt.Errorf("solver %.20q: there are fista, published and ista", r.Solver)
}

// fista is the iterates of a solver, each certified, in float64: numbers and the gap as ref trace prints them, A z_k, and the maps that
// are busiest in the last one. Signals and maps are rounded to float32.
func (l *Lab) fista(ctx context.Context, r Request) (*Response, error) {
	d, err := l.dictionary(r)
	if err != nil {
		return nil, err
	}
	if err := r.iterations(d.most); err != nil {
		return nil, err
	}
	x, err := d.signal(r)
	if err != nil {
		return nil, err
	}
	t := d.StepSize.Data[0]
	s, err := r.solver(t)
	if err != nil {
		return nil, err
	}
	p := solve.FromSettings(x, d.Weight, d.settings(r))
	var list []iterateValues
	var codes []*tensor.Tensor[float64]
	var signals []float32
	before := tensor.New[float64](p.CodeShape()...)
	az := tensor.New[float64](x.Shape...)
	result := s.Solve(p, solve.Stop{Iterations: r.Iterations}, func(rec solve.Record, z *tensor.Tensor[float64]) bool {
		born, died := compare(before, z)
		list = append(list, iterateValues{rec.Iteration, rec.Momentum, rec.Objective, rec.Sparsity, rec.Ridge, rec.Fidelity, rec.Gap, rec.RelativeGap,
			rec.Change, rec.Nonzeros, born, died})
		copy(before.Data, z.Data)
		codes = append(codes, z.Clone())
		p.A.Synthesize(az, z)
		signals = append(signals, tensor.Convert[float32](az).Data...)
		return ctx.Err() == nil
	})
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	chosen := figures.MostUsed(codes[len(codes)-1], busiest)
	plane := p.CodeShape()[2] * p.CodeShape()[3]
	var maps []float32
	for _, z := range codes {
		for _, m := range chosen {
			maps = append(maps, tensor.Convert[float32](z.Row(0).Row(m)).Data[:plane]...)
		}
	}
	out := &Response{Values: map[string]any{"iterates": list, "reason": result.Reason.String(), "t": t, "maps": chosen, "elements": before.Len()}}
	shape := x.Shape[1:]
	add(out, "x", tensor.Convert[float32](x))
	add(out, "az", tensor.From(signals, append([]int{len(list)}, shape...)...))
	add(out, "z", tensor.From(maps, len(list), len(chosen), p.CodeShape()[2], p.CodeShape()[3]))
	return out, nil
}

// compare counts the elements that became other than 0, and those that became 0.
func compare(before, now *tensor.Tensor[float64]) (born, died int) {
	for i, v := range now.Data {
		switch {
		case v != 0 && before.Data[i] == 0:
			born++
		case v == 0 && before.Data[i] != 0:
			died++
		}
	}
	return born, died
}

// bounds brackets the largest eigenvalue of a dictionary's A*A.
func (l *Lab) bounds(_ context.Context, r Request) (*Response, error) {
	d, err := l.dictionary(r)
	if err != nil {
		return nil, err
	}
	o := spectrum.New(d.Weight, d.Height, d.Width, d.Geometry)
	ritz := o.Lanczos(lanczosSteps, lanczosTolerance)
	bound := o.UpperBound(ritz.Value)
	return &Response{Values: map[string]any{"ritz": ritz.Value, "residual": ritz.Residual, "bound": bound.Value, "t": d.StepSize.Data[0]}}, nil
}

// How far Lanczos' method goes.
const (
	lanczosSteps     = 64
	lanczosTolerance = 1e-8
)

// diverge is the objectives of the three solvers' iterates with the step size t.
func (l *Lab) diverge(ctx context.Context, r Request) (*Response, error) {
	d, err := l.dictionary(r)
	if err != nil {
		return nil, err
	}
	if err := r.iterations(min(d.most, 60)); err != nil {
		return nil, err
	}
	if !(r.Step > 0) {
		return nil, fmt.Errorf("step %g: must be positive", r.Step)
	}
	x, err := d.signal(r)
	if err != nil {
		return nil, err
	}
	p := solve.FromSettings(x, d.Weight, d.settings(r))
	curves, reasons := map[string][]float64{}, map[string]string{}
	for _, name := range []string{"fista", "published", "ista"} {
		r.Solver = name
		s, err := r.solver(r.Step)
		if err != nil {
			return nil, err
		}
		result := s.Solve(p, solve.Stop{Iterations: r.Iterations}, func(rec solve.Record, _ *tensor.Tensor[float64]) bool {
			if rec.Objective-rec.Objective == 0 { // finite
				curves[name] = append(curves[name], rec.Objective)
			}
			return ctx.Err() == nil
		})
		reasons[name] = result.Reason.String()
	}
	return &Response{Values: map[string]any{"curves": curves, "reasons": reasons, "zero": tensor.SumSquares(x) / 2}}, ctx.Err()
}
