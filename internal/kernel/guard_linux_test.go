package kernel

import (
	"syscall"
	"testing"
	"unsafe"
)

// guarded returns n poisoned elements that end (atEnd), or begin, at a page that may not be touched: one
// element too many faults.
func guarded[T Float](t testing.TB, n int, atEnd bool) []T {
	t.Helper()
	page := syscall.Getpagesize()
	size := int(unsafe.Sizeof(*new(T)))
	inside := max(1, (n*size+page-1)/page) * page
	memory, err := syscall.Mmap(-1, 0, inside+2*page, syscall.PROT_READ|syscall.PROT_WRITE,
		syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	for _, fence := range [][]byte{memory[:page], memory[page+inside:]} {
		if err := syscall.Mprotect(fence, syscall.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { syscall.Munmap(memory) })
	first := page
	if atEnd {
		first = page + inside - n*size
	}
	x := unsafe.Slice((*T)(unsafe.Pointer(&memory[first])), n)
	for i := range x {
		x[i] = poison
	}
	return x
}
