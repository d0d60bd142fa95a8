package spectrum_test

import (
	"fmt"

	"sdref/conv"
	"sdref/csc"
	"sdref/csc/spectrum"
	"sdref/tensor"
)

// Is the step size that the paper's power iteration leads to below 1/lambda_max?
func Example() {
	w, v := tensor.New[float64](64, 3, 3, 3), tensor.New[float64](1, 64, 32, 32)
	tensor.FillUniform(w, 1, 1, 0)
	tensor.FillUniform(v, 2, 1, 0)
	csc.NormalizeAtoms(w)
	g := conv.Geometry{Padding: 1}
	e := csc.PowerIteration(v, w, 32, 32, g)
	fmt.Printf("power iteration: %.3f after %d rounds, converged %t\n", e.Value, e.Rounds, e.Converged)

	a := spectrum.New(w, 32, 32, g)
	r := a.Lanczos(96, 1e-6)
	fmt.Printf("Lanczos: %.3f, an eigenvalue within %.0e of it\n", r.Value, r.Residual)
	b := a.UpperBound(r.Value)
	fmt.Printf("certified: at most %.3f\n", b.Value)
	fmt.Printf("t lambda_max is between %.4f and %.4f: below 1 proven %t\n", e.Step()*r.Value,
		e.Step()*b.Value, e.Step()*b.Value < 1)
	// Output:
	// power iteration: 31.888 after 50 rounds, converged false
	// Lanczos: 32.170, an eigenvalue within 3e-11 of it
	// certified: at most 32.197
	// t lambda_max is between 0.9080 and 0.9087: below 1 proven true
}
