package csc_test

import (
	"fmt"
	"math"

	"sdref/autodiff"
	"sdref/conv"
	"sdref/csc"
	"sdref/tensor"
)

// The gradient of the solution, beside that of FISTA's iterates and that of the solution's formula at them, as functions of the number
// of iterations: distances in the gradient of the atoms, as shares of it.
func ExampleSolution() {
	x, w := tensor.New[float64](2, 3, 8, 8), tensor.New[float64](12, 3, 3, 3)
	tensor.FillUniform(x, 1, 1, 0)
	tensor.FillUniform(w, 2, 1, 0)
	csc.NormalizeAtoms(w)
	v := tensor.New[float64](1, 12, 8, 8)
	tensor.FillUniform(v, 3, 1, 0)
	s := csc.Settings{Geometry: conv.Geometry{Padding: 1}, Lambda: 0.1, Mu: 0.1, Nonnegative: true, Variant: csc.Paper}
	step := csc.PowerIteration(v, w, 8, 8, s.Geometry).Step()

	// gradient returns the code after so many iterations and the gradient of |z|^2/2 in the atoms.
	gradient := func(iterations int, implicit bool) (code, dw *tensor.Tensor[float64]) {
		s := s
		s.Iterations = iterations
		g := autodiff.NewGraph()
		signal, atoms, t := g.Input("x", x.Shape...), g.Input("w", w.Shape...), g.Input("t")
		z := csc.FISTA("", signal, atoms, t, nil, s)
		if implicit {
			z = csc.Solution("", z, signal, atoms, nil, s, csc.Accuracy{Tolerance: 1e-12}, nil)
		}
		grad := autodiff.Backward(z, z, atoms)[0]
		p := autodiff.NewProgram(autodiff.NewPlan(autodiff.Wanted{Outputs: []*autodiff.Node{z, grad}}), tensor.NewArena[float64]())
		p.Set(signal, x)
		p.Set(atoms, w)
		p.Set(t, tensor.From([]float64{step}))
		p.Run()
		return p.Value(z), p.Value(grad)
	}
	distance := func(a, b *tensor.Tensor[float64]) float64 {
		d := tensor.New[float64](a.Shape...)
		tensor.AddScaled(d, a, b, -1)
		return math.Sqrt(tensor.SumSquares(d) / tensor.SumSquares(b))
	}
	solution, want := gradient(1000, true)
	fmt.Println("iterations    code  unrolled  implicit  between")
	for _, k := range []int{1, 2, 5, 10, 20, 50, 100, 200, 500} {
		z, unrolled := gradient(k, false)
		_, implicit := gradient(k, true)
		fmt.Printf("%10d %7.0e %9.0e %9.0e %8.0e\n", k, distance(z, solution), distance(unrolled, want), distance(implicit, want), distance(implicit, unrolled))
	}
	// Output:
	// iterations    code  unrolled  implicit  between
	//          1   9e-01     1e+00     1e+00    5e+00
	//          2   8e-01     1e+00     1e+00    3e+00
	//          5   6e-01     1e+00     1e+00    2e+00
	//         10   3e-01     9e-01     8e-01    1e+00
	//         20   1e-01     6e-01     5e-01    4e-01
	//         50   2e-02     4e-01     2e-01    4e-01
	//        100   4e-03     9e-02     2e-01    2e-01
	//        200   1e-03     5e-02     3e-03    5e-02
	//        500   4e-05     1e-03     1e-04    1e-03
}
