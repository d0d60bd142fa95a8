package conv

import (
	"sdref/conv/internal/direct"
	"sdref/conv/internal/form"
	"sdref/conv/internal/winograd"
	"sdref/tensor"
)

// compiled is the three functions by both algorithms, for one type of elements, as they are compiled here. Go compiles a generic
// function anew in every package that reaches it; behind a variable nobody else does, which is a fifth of the time that it takes to
// compile the module and its tests.
type compiled[T tensor.Float] struct {
	forward, transpose                 func(f form.Form, result, operand, w []T, then form.Then)
	weightGradient                     func(f form.Form, w, x, y []T)
	winogradForward, winogradTranspose func(f form.Form, result, operand, w []T)
	winogradWeightGradient             func(f form.Form, w, x, y []T)
}

var (
	compiled32 = compile[float32]()
	compiled64 = compile[float64]()
)

func compile[T tensor.Float]() compiled[T] {
	return compiled[T]{direct.Forward[T], direct.Transpose[T], direct.WeightGradient[T],
		winograd.Forward[T], winograd.Transpose[T], winograd.WeightGradient[T]}
}

func compiledFor[T tensor.Float]() *compiled[T] {
	if c, ok := any(&compiled32).(*compiled[T]); ok {
		return c
	}
	return any(&compiled64).(*compiled[T])
}
