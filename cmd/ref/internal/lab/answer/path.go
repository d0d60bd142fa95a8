package answer

import (
	"context"
	"errors"

	"sdref/csc/solve"
	"sdref/tensor"
)

// pathValues describes the codes at one lambda.
type pathValues struct {
	Lambda   float64 `json:"lambda"`
	Zeros    float64 `json:"zeros"`    // share of the code with z >= 0
	Signed   float64 `json:"signed"`   // share of the code of any sign
	Fidelity float64 `json:"fidelity"` // |x - A z|^2/|x|^2, with z >= 0
	Proven   float64 `json:"proven"`   // the relative gap
}

// path is what lambda does: for each of the request's values the share of zeros, with z >= 0 and without, and what is missing. For the
// stem the codes are those of the network's iterations, in float32; for the cosines the problem is solved.
func (l *Lab) path(ctx context.Context, r Request) (*Response, error) {
	if len(r.Values) == 0 || len(r.Values) > maxPath {
		return nil, errors.New("one to 32 values of lambda, please")
	}
	var list []pathValues
	greatest := 0.0
	for _, lambda := range r.Values {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if !(lambda >= 0) {
			return nil, errors.New("lambda must not be negative")
		}
		r.Lambda = lambda
		v, most, err := l.atLambda(r)
		if err != nil {
			return nil, err
		}
		list, greatest = append(list, v), max(greatest, most)
	}
	return &Response{Values: map[string]any{"path": list, "lambdaMax": greatest}}, nil
}

// maxPath is the greatest number of lambdas of a path.
const maxPath = 32

// atLambda is the codes at the request's lambda, and the least lambda at which z is 0, if it is known.
func (l *Lab) atLambda(r Request) (v pathValues, greatest float64, err error) {
	v.Lambda = r.Lambda
	if r.Dictionary == stemName {
		for _, signed := range []bool{true, false} {
			r.Signed = signed
			x, z, layer, _, err := l.stemCode(r)
			if err != nil {
				return v, 0, err
			}
			zeros := 1 - float64(tensor.CountNonzero(z))/float64(z.Len())
			if signed {
				v.Signed = zeros
				continue
			}
			r := tensor.New[float32](x.Shape...)
			tensor.AddScaled(r, x, layer.Reconstruct(z), -1)
			v.Zeros, v.Fidelity = zeros, tensor.SumSquares(r)/tensor.SumSquares(x)
		}
		return v, 0, nil
	}
	d, err := l.dictionary(r)
	if err != nil {
		return v, 0, err
	}
	x, err := d.signal(r)
	if err != nil {
		return v, 0, err
	}
	for _, signed := range []bool{true, false} {
		r.Signed = signed
		result := solve.FISTA[float64]{Restart: solve.RestartGradient}.Solve(solve.FromSettings(x, d.Weight, d.settings(r)),
			solve.Stop{RelativeGap: pathGap, Iterations: d.most, Every: 10}, nil)
		zeros := 1 - float64(result.Last.Nonzeros)/float64(result.Z.Len())
		if signed {
			v.Signed = zeros
			continue
		}
		v.Zeros, v.Fidelity, v.Proven, greatest = zeros, 2*result.Last.Fidelity/tensor.SumSquares(x), result.Last.RelativeGap, result.Certificate.LambdaMax
	}
	return v, greatest, nil
}

// pathGap is the relative gap that a path's solutions are proven to, if the iterations suffice.
const pathGap = 1e-4
