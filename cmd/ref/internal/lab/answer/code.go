package answer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"sdref/autodiff"
	"sdref/csc"
	"sdref/csc/solve"
	"sdref/internal/kernel"
	"sdref/tensor"
)

// MaxCodeIterations is the greatest number of iterations of a code in float32, which is computed while a slider moves.
const MaxCodeIterations = 10

// programKey is what a program of FISTA depends on.
type programKey struct {
	iterations int
	signed     bool
}

// program computes the stem's code, with lambda an input of the graph.
type program struct {
	*autodiff.Program[float32]
	x, w, t, lambda, z *autodiff.Node
}

// program returns the program of a key for the stem's layer.
func (l *Lab) program(k programKey, layer *csc.Layer[float32]) *program {
	if p := l.programs[k]; p != nil {
		return p
	}
	s := layer.Settings
	s.Iterations, s.Nonnegative = k.iterations, !k.signed
	g := autodiff.NewGraph()
	p := &program{x: g.Input("x", 1, layer.Weight.Shape[1], layer.Height, layer.Width), w: g.Input("w", layer.Weight.Shape...), t: g.Input("t"),
		lambda: g.Input("lambda")}
	p.z = csc.FISTA("stem", p.x, p.w, p.t, p.lambda, s)
	p.Program = autodiff.NewProgram[float32](autodiff.NewPlan(autodiff.Wanted{Outputs: []*autodiff.Node{p.z}}), tensor.NewArena[float32]())
	l.programs[k] = p
	return p
}

// stemCode is the stem's code of a request's picture in float32, and the settings that it is a code for.
func (l *Lab) stemCode(r Request) (x, z *tensor.Tensor[float32], layer *csc.Layer[float32], s csc.Settings, err error) {
	if err = r.iterations(MaxCodeIterations); err != nil {
		return
	}
	if x, err = signal[float32](r); err != nil {
		return
	}
	n, err := l.network(slim)
	if err != nil {
		return
	}
	layer = n.ready.Layers[0].Layer
	p := l.program(programKey{r.Iterations, r.Signed}, layer)
	p.Set(p.x, x)
	p.Set(p.w, layer.Weight)
	p.Set(p.t, layer.StepSize)
	p.SetNumber(p.lambda, r.Lambda)
	p.Run()
	s = layer.Settings
	s.Iterations, s.Nonnegative, s.Lambda = r.Iterations, !r.Signed, r.Lambda
	return x, p.Value(p.z), layer, s, nil
}

// exactCode is stemCode by the row that has the bits of all others, for codes with a digest.
func (l *Lab) exactCode(r Request) (x, z *tensor.Tensor[float32], layer *csc.Layer[float32], s csc.Settings, err error) {
	if l.exact != "" {
		quick := kernel.ActiveName()
		if err = kernel.Use(l.exact); err != nil {
			return
		}
		defer kernel.Use(quick)
	}
	return l.stemCode(r)
}

// digest is the SHA-256 of a code's bytes, float32 little-endian.
func digest(z *tensor.Tensor[float32]) string {
	sum := sha256.Sum256(bytesOf(z))
	return hex.EncodeToString(sum[:])
}

// codeValues is what "code" says in numbers.
type codeValues struct {
	Objective float64      `json:"objective"` // F, the sum of the next two
	Sparsity  float64      `json:"sparsity"`  // lambda |z|_1
	Fidelity  float64      `json:"fidelity"`  // |x - A z|^2/2
	Energy    float64      `json:"energy"`    // |x|^2/2
	Nonzeros  int          `json:"nonzeros"`
	Elements  int          `json:"elements"`
	Step      float64      `json:"step"`
	Digest    string       `json:"digest,omitempty"`      // SHA-256 of the code, unless the request is Quick
	Maps      []mapValues  `json:"maps"`                  // by atom
	Proof     *proofValues `json:"certificate,omitempty"` // if it was asked for
}

// mapValues describes one of the code's maps.
type mapValues struct {
	Nonzeros int     `json:"nonzeros"`
	Sum      float64 `json:"sum"` // of |z|
}

// proofValues is what a certificate says.
type proofValues struct {
	Objective float64 `json:"objective"`
	Gap       float64 `json:"gap"`
	Relative  float64 `json:"relative"`
	KKT       float64 `json:"kkt"`
	LambdaMax float64 `json:"lambdaMax"`
	SafeZeros int     `json:"safeZeros"`
}

// code is the stem's code z of a picture after some iterations, A z, and x, in float32, with the objective's terms and, unless the request
// is Quick, the code's digest; or, if a certificate is asked for, that alone.
func (l *Lab) code(_ context.Context, r Request) (*Response, error) {
	compute := l.exactCode
	if r.Quick {
		compute = l.stemCode
	}
	x, z, layer, s, err := compute(r)
	if err != nil {
		return nil, err
	}
	v := codeValues{Nonzeros: tensor.CountNonzero(z), Elements: z.Len(), Energy: tensor.SumSquares(x) / 2, Step: float64(layer.StepSize.Data[0])}
	if !r.Quick {
		v.Digest = digest(z)
	}
	if r.Certificate {
		c := solve.Certify(solve.FromSettings(x, layer.Weight, s), z)
		v.Objective, v.Sparsity, v.Fidelity = c.Objective, c.Sparsity, c.Fidelity
		v.Proof = &proofValues{c.Objective, c.Gap, c.RelativeGap, c.KKT, c.LambdaMax, c.SafeZeros}
		return &Response{Values: v}, nil
	}
	v.Objective, v.Sparsity, _, v.Fidelity = csc.Objective(x, z, layer.Weight, s)
	for m := range z.Shape[1] {
		plane := z.Row(0).Row(m)
		v.Maps = append(v.Maps, mapValues{tensor.CountNonzero(plane), tensor.SumAbs(plane)})
	}
	out := &Response{Values: v}
	add(out, "x", x)
	add(out, "z", z)
	add(out, "az", layer.Reconstruct(z))
	return out, nil
}

// Digest is the digest of the code that a request of kind "code" asks for.
func (l *Lab) Digest(r Request) (string, error) {
	_, z, _, _, err := l.exactCode(r)
	if err != nil {
		return "", err
	}
	return digest(z), nil
}
