package csc_test

import (
	"fmt"

	"sdref/autodiff"
	"sdref/conv"
	"sdref/csc"
	"sdref/tensor"
)

// line is a signal or code of one row.
func line(values ...float64) *tensor.Tensor[float64] {
	return tensor.From(values, 1, 1, 1, len(values))
}

// solveLine codes x by one atom, the number 1, with z >= 0, by the given number of iterations of (A.1).
func solveLine(x *tensor.Tensor[float64], step, lambda float64, iterations int) []float64 {
	w := tensor.From([]float64{1}, 1, 1, 1, 1)
	return csc.Solve(x, w, step, csc.Settings{Lambda: lambda, Nonnegative: true, Iterations: iterations, Variant: csc.Paper}).Data
}

// Exercise 1. A is the number 1 and t = 1. What is left of -0.5, 0.25 and 2 after one iteration with lambda = 0.5?
// Answer: shrinking takes lambda away, and z >= 0 forbids the rest.
func Example_shrink() {
	fmt.Println(solveLine(line(-0.5, 0.25, 2), 1, 0.5, 1))
	// Output: [0 0 1.5]
}

// Exercise 2. What is A z, if z is 1 at one place and 2 at the next? Answer: the atom is stamped there, once and twice,
// and where the stamps overlap they add: conv_transpose2d.
func Example_stamp() {
	x, atom := line(0, 0, 0, 0), tensor.From([]float64{1, 10}, 1, 1, 1, 2)
	conv.Transpose(x, line(0, 1, 2), atom, conv.Geometry{})
	fmt.Println(x.Data)
	// Output: [0 1 12 20]
}

// Exercise 3. The signal holds the atom (3, 4) once. Where is A*x largest, and how large? Answer: where the atom is, and
// there it is the atom's squared norm: matching, conv2d.
func Example_match() {
	z, atom := line(0, 0, 0), tensor.From([]float64{3, 4}, 1, 1, 1, 2)
	conv.Forward(z, line(0, 3, 4, 0), atom, conv.Geometry{})
	fmt.Println(z.Data)
	// Output: [12 25 12]
}

// Exercise 4. Why may A* be called the adjoint of A? Answer: <A z, x> = <z, A*x> for all z and x.
func Example_adjoint() {
	atom, z, x := tensor.From([]float64{1, 10}, 1, 1, 1, 2), line(0, 1, 2), line(5, 6, 7, 8)
	az, ax := line(0, 0, 0, 0), line(0, 0, 0)
	conv.Transpose(az, z, atom, conv.Geometry{})
	conv.Forward(ax, x, atom, conv.Geometry{})
	fmt.Println(tensor.Dot(az, x), tensor.Dot(z, ax))
	// Output: 250 250
}

// Exercise 5. From which lambda on is the code of (1, 3, 2) zero, if A is the number 1? Answer: from max A*x = 3 on.
func Example_lambdaMax() {
	fmt.Println(solveLine(line(1, 3, 2), 1, 2.5, 50), solveLine(line(1, 3, 2), 1, 3, 50))
	// Output: [0 0.5 0] [0 0 0]
}

// Exercise 6. The largest eigenvalue of A*A is 1. Which of the steps 0.9 and 2.5 finds the solution x = 1 at lambda = 0? Answer:
// the one below 1/1; a step above 2 overshoots by more each time, and z >= 0 throws it back to 0.
func Example_stepSize() {
	for _, t := range []float64{0.9, 2.5} {
		fmt.Printf("%g: %.3f, then %.3f\n", t, solveLine(line(1), t, 0, 29)[0], solveLine(line(1), t, 0, 30)[0])
	}
	// Output:
	// 0.9: 1.000, then 1.000
	// 2.5: 236.011, then 0.000
}

// Exercise 7. The largest eigenvalue is 1, but a careful layer steps by t = 0.125. How much of x = 8 do two iterations know?
// Answer: 1.875 of 8, by t x and then as much of what is missing. So published networks' codes are small, and so are
// their reconstructions.
func Example_twoIterations() {
	fmt.Println(solveLine(line(8), 0.125, 0, 1), solveLine(line(8), 0.125, 0, 2))
	// Output: [1] [1.875]
}

// Exercise 8. What is the gradient of the sum of the codes with respect to x after one iteration with t = 0.5? Answer: A times
// t where z is not 0, and nothing where it is: the mask of the shrinkage.
func Example_mask() {
	g := autodiff.NewGraph()
	x, w, t, dz := g.Input("x", 1, 1, 1, 3), g.Input("w", 1, 1, 1, 1), g.Input("t"), g.Input("dz", 1, 1, 1, 3)
	z := csc.FISTA("", x, w, t, nil, csc.Settings{Lambda: 0.5, Nonnegative: true, Iterations: 1})
	dx := autodiff.Backward(z, dz, x)[0]
	p := autodiff.NewProgram(autodiff.NewPlan(autodiff.Wanted{Outputs: []*autodiff.Node{z, dx}}), tensor.NewArena[float64]())
	p.Set(x, line(-1, 0.25, 2))
	p.Set(w, tensor.From([]float64{1}, 1, 1, 1, 1))
	p.Set(t, tensor.From([]float64{0.5}))
	p.Set(dz, line(1, 1, 1))
	p.Run()
	fmt.Println(p.Value(z).Data, p.Value(dx).Data)
	// Output: [0 0 0.75] [0 0 0.5]
}
