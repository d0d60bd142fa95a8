package solve_test

import (
	"fmt"

	"sdref/csc/solve"
	"sdref/tensor"
)

// A code of a signal that is one shifted copy of the first atom, and a bound of its error.
func ExampleCertify() {
	w := tensor.From([]float64{0.6, 0.8, 0.8, -0.6}, 2, 1, 1, 2) // two atoms of norm 1
	x := tensor.From([]float64{0, 0, 3, 4, 0, 0}, 1, 1, 1, 6)    // 5 times the first, shifted by two
	p := &solve.Problem[float64]{A: solve.Full(w), X: x, Lambda: 0.5}

	z := tensor.New[float64](p.CodeShape()...)
	z.Set(4.4, 0, 0, 0, 2) // any code
	c := solve.Certify(p, z)
	fmt.Printf("objective %.4f, at most %.4f above the least; %d of %d elements are 0 in every solution\n",
		c.Objective, c.Gap, c.SafeZeros, c.Elements)

	r := solve.Newton[float64]{}.Solve(p, solve.Stop{RelativeGap: 1e-12, Iterations: 100}, nil)
	fmt.Printf("%v: objective %.4f, z %.3f\n", r.Reason, r.Last.Objective, r.Z.Data[2])
	// Output:
	// objective 2.3800, at most 0.0050 above the least; 9 of 10 elements are 0 in every solution
	// gap reached: objective 2.3750, z 4.500
}

// Every solver tells an observer what is known of its iterates.
func ExampleSolver() {
	w, x := tensor.New[float64](8, 1, 3, 3), tensor.New[float64](1, 1, 12, 12)
	tensor.FillUniform(w, 1, 0.5, 0)
	tensor.FillUniform(x, 2, 1, 0)
	p := &solve.Problem[float64]{A: solve.Circular(w), X: x, Lambda: 0.5, Nonnegative: true}
	for _, name := range []string{"fista", "fista-gradient-restart", "admm"} {
		s, err := solve.Lookup[float64](name)
		if err != nil {
			panic(err)
		}
		fmt.Printf("%-22s", name)
		r := s.Solve(p, solve.Stop{RelativeGap: 1e-9, Iterations: 2000, Every: 20},
			func(r solve.Record, _ *tensor.Tensor[float64]) bool {
				if r.Iteration == 20 || r.Iteration == 40 {
					fmt.Printf("  iteration %d: gap %.0e", r.Iteration, r.RelativeGap)
				}
				return true
			})
		fmt.Printf("  %v at %d, F %.8f\n", r.Reason, r.Last.Iteration, r.Last.Objective)
	}
	// Output:
	// fista                   iteration 20: gap 2e-02  iteration 40: gap 5e-03  gap reached at 1640, F 16.98433119
	// fista-gradient-restart  iteration 20: gap 2e-02  iteration 40: gap 5e-03  gap reached at 280, F 16.98433119
	// admm                    iteration 20: gap 2e-02  iteration 40: gap 2e-04  gap reached at 200, F 16.98433119
}
