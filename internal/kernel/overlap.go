package kernel

import "unsafe"

// Overlaps tells whether two slices share memory.
func Overlaps[T Float](a, b []T) bool {
	if len(a) == 0 || len(b) == 0 {
		return false
	}
	first := func(s []T) uintptr { return uintptr(unsafe.Pointer(&s[0])) }
	last := func(s []T) uintptr { return uintptr(unsafe.Pointer(&s[len(s)-1])) }
	return first(a) <= last(b) && first(b) <= last(a)
}
