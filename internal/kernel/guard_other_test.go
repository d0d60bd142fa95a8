//go:build !linux

package kernel

import "testing"

// guarded returns n poisoned elements; on this operating system nothing guards them.
func guarded[T Float](_ testing.TB, n int, _ bool) []T {
	x := make([]T, n)
	for i := range x {
		x[i] = poison
	}
	return x
}
