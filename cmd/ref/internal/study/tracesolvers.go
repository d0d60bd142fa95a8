package study

import (
	"fmt"
	"strings"

	"sdref/csc/solve"
)

// tracedSolver is a solver for a given step size, and a sentence on how it relates to (A.1).
type tracedSolver struct {
	name, reads string
	unrolled    bool // whether a network can unroll this loop
	with        func(step float64) solve.Solver[float64]
}

// tracedSolvers are the variants of (A.1), which take the layer's step size.
var tracedSolvers = []tracedSolver{
	{"fista", "g_k = y_k, as (A.1) says", true, func(t float64) solve.Solver[float64] {
		return solve.FISTA[float64]{Step: t}
	}},
	{"published", "g_k = z_{k-1}, the authors' loop", true, func(t float64) solve.Solver[float64] {
		return solve.Published[float64]{Step: t}
	}},
	{"ista", "g_k = y_k = z_{k-1}, without momentum", false, func(t float64) solve.Solver[float64] {
		return solve.ISTA[float64]{Step: t}
	}},
	{"fista-gradient-restart", "g_k = y_k, and m_k begins again at 1 when momentum and step disagree", false,
		func(t float64) solve.Solver[float64] {
			return solve.FISTA[float64]{Step: t, Restart: solve.RestartGradient}
		}},
}

// findTraced returns the solver of a name: one of the loops above, or any other, which has iterations and
// steps of its own.
func findTraced(name string) (tracedSolver, error) {
	for _, s := range tracedSolvers {
		if s.name == name {
			return s, nil
		}
	}
	s, err := solve.Lookup[float64](name)
	if err != nil {
		return tracedSolver{}, fmt.Errorf("-solver: %w", err)
	}
	return tracedSolver{name, "its own iterations and steps (docs/csc.md)", false,
		func(float64) solve.Solver[float64] { return s }}, nil
}

// tracedNames lists the solvers of a layer's problem, whose boundary is zero.
func tracedNames() string {
	layer := &solve.Problem[float64]{A: solve.Dictionary[float64]{Boundary: solve.ZeroBoundary}}
	var names []string
	for _, s := range solve.Solvers[float64]() {
		if s.Supports(layer) == nil {
			names = append(names, s.Name())
		}
	}
	return strings.Join(names, ", ")
}
