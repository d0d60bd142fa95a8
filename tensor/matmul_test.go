package tensor

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"sdref/internal/kernel"
)

// chain is a*b by its definition: each element one chain of fused multiply-adds from +0, ascending.
func chain[T Float](a, b *Tensor[T]) *Tensor[T] {
	m, k, n := a.Shape[0], a.Shape[1], b.Shape[1]
	c := New[T](m, n)
	for i := range m {
		for j := range n {
			var acc T
			for p := range k {
				acc = kernel.FMA(a.Data[i*k+p], b.Data[p*n+j], acc)
			}
			c.Data[i*n+j] = acc
		}
	}
	return c
}

func transposed[T Float](a *Tensor[T]) *Tensor[T] {
	t := New[T](a.Shape[1], a.Shape[0])
	for i := range a.Shape[0] {
		for j := range a.Shape[1] {
			t.Set(a.At(i, j), j, i)
		}
	}
	return t
}

// product is one case: the operands, plain and transposed, and their product by definition.
type product[T Float] struct{ a, b, aT, bT, want *Tensor[T] }

func newProduct[T Float](a, b *Tensor[T]) product[T] {
	return product[T]{a, b, transposed(a), transposed(b), chain(a, b)}
}

// check compares all four transpositions.
func (p product[T]) check(t *testing.T, where string) {
	t.Helper()
	for _, ta := range []bool{false, true} {
		for _, tb := range []bool{false, true} {
			left, right := p.a, p.b
			if ta {
				left = p.aT
			}
			if tb {
				right = p.bT
			}
			c := New[T](p.want.Shape...)
			c.Fill(12345)
			MatMul(c, left, right, ta, tb)
			mustEqual(t, fmt.Sprintf("%v*%v on %s, transposed %v %v", p.a.Shape, p.b.Shape, where, ta, tb), c,
				p.want)
		}
	}
}

func TestMatMulEqualsTheChain(t *testing.T) { bothTypes(t, testMatMul[float32], testMatMul[float64]) }

// All remainders of rows (tiles have up to 8) and columns (up to 48), with short chains; then long chains and
// sizes that many goroutines share.
func testMatMul[T Float](t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	var cases []product[T]
	for m := range 18 {
		for n := range 50 {
			if m < 10 || n%7 == 0 {
				k := r.IntN(6)
				cases = append(cases, newProduct(special[T](r, m, k), special[T](r, k, n)))
			}
		}
	}
	defer kernel.Use(kernel.ActiveName())
	for _, row := range kernel.Rows[T]() {
		if err := kernel.Use(row.Name); err != nil {
			t.Fatal(err)
		}
		for _, c := range cases {
			c.check(t, row.Name)
		}
	}
	for _, s := range [][3]int{
		{1, 1, 1}, {1, 257, 1}, {13, 255, 49}, {7, 256, 25}, {9, 257, 24}, {3, 513, 97}, {65, 31, 129},
		{5, 40, 500}, {200, 12, 3},
	} {
		c := newProduct(normal[T](r, s[0], s[1]), normal[T](r, s[1], s[2]))
		everywhere(t, func(where string) { c.check(t, where) })
	}
}

// An infinity or NaN in one row and column must not leak into the others through the zeros that fill up a
// tile.
func TestMatMulKeepsSpecialsInTheirPlace(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 2))
	a, b := normal[float32](r, 11, 9), normal[float32](r, 9, 53)
	clean := chain(a, b)
	for p := range 9 {
		a.Set(float32(p)/0*0, 10, p)
	}
	c := New[float32](11, 53)
	MatMul(c, a, b, false, false)
	for i := range 11 {
		for j := range 53 {
			if got := c.At(i, j); i < 10 && got != clean.At(i, j) || i == 10 && got == got {
				t.Fatalf("element (%d, %d) is %v", i, j, got)
			}
		}
	}
}
