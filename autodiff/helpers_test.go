package autodiff

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"sdref/internal/kernel"
	"sdref/tensor"
)

// everywhere calls f on every kernel row with 1, 2 and 7 goroutines: where says which.
func everywhere(t *testing.T, f func(where string)) {
	t.Helper()
	defer kernel.Use(kernel.ActiveName())
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, row := range kernel.Rows[float32]() {
		if err := kernel.Use(row.Name); err != nil {
			t.Fatal(err)
		}
		for _, procs := range []int{1, 2, 7} {
			runtime.GOMAXPROCS(procs)
			f(fmt.Sprintf("%s, %d goroutines", row.Name, procs))
		}
	}
}

// normal returns normal numbers, exact in float32.
func normal[T tensor.Float](seed uint64, shape ...int) *tensor.Tensor[T] {
	t := tensor.New[float64](shape...)
	plainly(rand.New(rand.NewPCG(seed, 2)), t.Data)
	return tensor.Convert[T](t)
}

// vector returns a tensor of one dimension.
func vector[T tensor.Float](values ...T) *tensor.Tensor[T] { return tensor.From(values, len(values)) }

// newTape returns a recording tape with an arena of its own.
func newTape[T tensor.Float]() *Tape[T] { return NewTape(tensor.NewArena[T]()) }

// mustEqual fails unless got and want have the same shape and bits; got may be nil.
func mustEqual[T tensor.Float](t *testing.T, what string, got, want *tensor.Tensor[T]) {
	t.Helper()
	switch {
	case got == nil:
		t.Fatalf("%s is nil, want shape %v", what, want.Shape)
	case !tensor.SameBits(got, want) && got.Len() <= 12:
		t.Fatalf("%s is %v, want %v", what, got, want)
	case !tensor.SameBits(got, want):
		t.Fatalf("%s has other bits, shapes %v and %v", what, got.Shape, want.Shape)
	}
}

// mustPanic fails unless f panics with a message that contains part.
func mustPanic(t *testing.T, part string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if value := recover(); value == nil || !strings.Contains(fmt.Sprint(value), part) {
			t.Errorf("recovered %v, want a panic with %q", value, part)
		}
	}()
	f()
}

// mustShapePanic fails unless f panics with a *tensor.ShapeError of the operation.
func mustShapePanic(t *testing.T, op string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		value := recover()
		err, _ := value.(error)
		var shapes *tensor.ShapeError
		if !errors.As(err, &shapes) || !strings.HasPrefix(shapes.Op, op) {
			t.Errorf("recovered %v, want a *tensor.ShapeError of %s", value, op)
		}
	}()
	f()
}
