package tensor

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"sdref/internal/kernel"
)

// bothTypes runs one test for float32 and for float64.
func bothTypes(t *testing.T, single, double func(t *testing.T)) {
	t.Run("float32", single)
	t.Run("float64", double)
}

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

// normal returns normal numbers over some ten binary orders of magnitude.
func normal[T Float](r *rand.Rand, shape ...int) *Tensor[T] {
	t := New[T](shape...)
	for i := range t.Data {
		t.Data[i] = T(math.Ldexp(r.NormFloat64(), r.IntN(10)-5))
	}
	return t
}

// special is normal with, now and then, a number that arithmetic treats in its own way.
func special[T Float](r *rand.Rand, shape ...int) *Tensor[T] {
	t := normal[T](r, shape...)
	odd := []float64{0, math.Copysign(0, -1), math.Inf(1), math.Inf(-1), math.NaN(), 1e-40, -1e-310, 3e38, 1}
	for i := range t.Data {
		if r.IntN(8) == 0 {
			t.Data[i] = T(odd[r.IntN(len(odd))])
		}
	}
	return t
}

// mustEqual fails unless got and want have the same shape and bits.
func mustEqual[T Float](t *testing.T, what string, got, want *Tensor[T]) {
	t.Helper()
	if len(got.Data) != len(want.Data) {
		t.Fatalf("%s: shape %v, want %v", what, got.Shape, want.Shape)
	}
	if i := FirstDifference(got, want); i >= 0 {
		t.Fatalf("%s: shape %v: element %d is %v, want %v", what, want.Shape, i, got.Data[i], want.Data[i])
	}
	if !SameBits(got, want) {
		t.Fatalf("%s: shape %v, want %v", what, got.Shape, want.Shape)
	}
}

// mustShapePanic fails unless f panics with a *ShapeError of the named operation.
func mustShapePanic(t *testing.T, op string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		value := recover()
		err, _ := value.(error)
		var shapes *ShapeError
		if !errors.As(err, &shapes) || shapes.Op != op {
			t.Errorf("recovered %v, want a *ShapeError of %s", value, op)
		}
	}()
	f()
}
