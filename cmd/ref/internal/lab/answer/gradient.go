package answer

import (
	"context"
	"errors"
	"fmt"
	"math"

	"sdref/csc"
	"sdref/tensor"
)

// gradientValues describes the gradient of one element of a code.
type gradientValues struct {
	Iterations int     `json:"iterations"` // 0: of the solution
	Value      float64 `json:"value"`      // of the element
	Norm       float64 `json:"norm"`       // of the gradient at x
	Distance   float64 `json:"distance"`   // from the solution's gradient at x, in parts of that
	Nonzeros   int     `json:"nonzeros"`   // of the code: the mask that the gradient passes
}

// gradient is the derivative of the element At of the code with respect to the signal and to the element's atom: through 2, 10 and 50
// unrolled iterations, and implicitly, of the solution that so many iterations approach as one answer has.
func (l *Lab) gradient(ctx context.Context, r Request) (*Response, error) {
	d, err := l.dictionary(r)
	if err != nil {
		return nil, err
	}
	x, err := d.signal(r)
	if err != nil {
		return nil, err
	}
	s := d.settings(r)
	code := s.CodeShape(x.Shape, d.Weight.Shape)
	if r.At == nil || r.At.Atom < 0 || r.At.Atom >= code[1] || r.At.Row < 0 || r.At.Row >= code[2] || r.At.Column < 0 || r.At.Column >= code[3] {
		return nil, fmt.Errorf("which element of the code? There are %d maps of %d x %d", code[1], code[2], code[3])
	}
	if s.Variant, err = csc.ParseVariant(map[string]string{"fista": "paper", "published": "published"}[r.Solver]); err != nil {
		return nil, errors.New("gradients go through the solvers fista and published")
	}
	dz := tensor.New[float64](code...)
	dz.Set(1, 0, r.At.Atom, r.At.Row, r.At.Column)
	out := &Response{}
	var list []gradientValues
	var gradients []*tensor.Tensor[float64]
	for _, k := range []int{2, 10, 50, 0} {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		s.Iterations, s.Gradient = k, csc.Unrolled
		if k == 0 {
			s.Iterations, s.Gradient = implicitIterations, csc.Implicit
		}
		z, dx, dw := csc.SolveGradients(x, d.Weight, d.StepSize.Data[0], s, dz)
		list = append(list, gradientValues{Iterations: k, Value: z.At(0, r.At.Atom, r.At.Row, r.At.Column), Norm: math.Sqrt(tensor.SumSquares(dx)),
			Nonzeros: tensor.CountNonzero(z)})
		gradients = append(gradients, dx.Clone())
		add(out, fmt.Sprintf("z%d", k), tensor.Convert[float32](z.Row(0).Row(r.At.Atom)))
		add(out, fmt.Sprintf("dx%d", k), tensor.Convert[float32](dx))
		add(out, fmt.Sprintf("dw%d", k), tensor.Convert[float32](dw.Row(r.At.Atom)))
	}
	last := gradients[len(gradients)-1]
	for i, g := range gradients {
		tensor.AddScaled(g, g, last, -1)
		if norm := list[len(list)-1].Norm; norm > 0 && i < len(list)-1 {
			list[i].Distance = math.Sqrt(tensor.SumSquares(g)) / norm
		}
	}
	add(out, "x", tensor.Convert[float32](x))
	out.Values = map[string]any{"gradients": list}
	return out, nil
}

// implicitIterations is how far the problem is solved whose solution is differentiated.
const implicitIterations = 300
