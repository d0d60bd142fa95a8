package solve

import (
	"fmt"
	"strings"

	"sdref/tensor"
)

// Solvers lists all solvers with their default settings.
func Solvers[T tensor.Float]() []Solver[T] {
	return []Solver[T]{
		ISTA[T]{}, FISTA[T]{}, FISTA[T]{Backtracking: true}, FISTA[T]{Restart: RestartGradient},
		FISTA[T]{Restart: RestartFunction},
		FISTA[T]{Backtracking: true, Restart: RestartGradient}, Published[T]{}, Coordinate[T]{}, ADMM[T]{},
		Newton[T]{}, WorkingSet[T]{},
	}
}

// Lookup returns the solver of a name.
func Lookup[T tensor.Float](name string) (Solver[T], error) {
	var names []string
	for _, s := range Solvers[T]() {
		if s.Name() == name {
			return s, nil
		}
		names = append(names, s.Name())
	}
	return nil, fmt.Errorf("unknown solver %q; there are %s", name, strings.Join(names, ", "))
}
