package gemm

import (
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"sdref/internal/kernel"
)

func TestMultiplyEqualsTheChain(t *testing.T) {
	eachRow(t, testMultiply[float32], testMultiply[float64])
}

// testMultiply takes every number of rows up to two of the tallest tiles and one, columns around one and two
// vectors and panels and around a group of panels, and chains around the blocks of depth.
func testMultiply[T kernel.Float](t *testing.T, set *kernel.Set[T]) {
	r := rand.New(rand.NewPCG(4, 1))
	l, height := set.Lanes, set.Tiles[0].Height()
	wide := []int{1, l - 1, l, l + 1, 2*l - 1, 2 * l, 2*l + 1, 5*l + 3}
	for m := 1; m <= 2*height+1; m++ {
		for _, n := range wide {
			multiplyCase[T](t, r, l, m, r.IntN(10), n)
		}
	}
	for _, k := range []int{maxDepth[T]() - 1, maxDepth[T](), maxDepth[T]() + 1, 2 * maxDepth[T](),
		2*maxDepth[T]() + 1} {
		multiplyCase[T](t, r, l, 1, k, 3*l)
		multiplyCase[T](t, r, l, height+3, k, 2*l+2)
	}
	multiplyCase[T](t, r, l, height+1, 5, minGroup*2*l+1)
	multiplyCase[T](t, r, l, 5, 0, 7)
}

// multiplyCase checks one size with every layout of C, each with others of A and B.
func multiplyCase[T kernel.Float](t *testing.T, r *rand.Rand, lanes, m, k, n int) {
	t.Helper()
	ws := new(Workspace[T])
	lefts := append(layouts(r, m, k, lanes), overlapping(m, k))
	rights := append(layouts(r, k, n, lanes), overlapping(k, n))
	for _, l := range layouts(r, m, n, lanes) {
		la, lb := lefts[r.IntN(len(lefts))], rights[r.IntN(len(rights))]
		a, b, start := random[T](r, la), random[T](r, lb), random[T](r, l)
		for _, load := range []bool{false, true} {
			what := sizes(m, k, n) + ", " + la.name + ", " + lb.name + " into " + l.name
			got, want := start.clone(), start.clone()
			define(want, a, b, load)
			Multiply(got, a, b, load, ws)
			expect(t, what, got, want)
		}
	}
}

// A chain cut in two calls is the chain in one call.
func TestLoadContinuesTheChain(t *testing.T) {
	eachRow(t, testContinue[float32], testContinue[float64])
}

func testContinue[T kernel.Float](t *testing.T, set *kernel.Set[T]) {
	r := rand.New(rand.NewPCG(4, 2))
	m, k, cut := 13, 2*maxDepth[T]()+9, maxDepth[T]()+21
	n := 2*set.Lanes + 3
	a, b := random[T](r, layouts(r, m, k, 1)[0]), random[T](r, layouts(r, k, n, 1)[0])
	c := random[T](r, layouts(r, m, n, 1)[0])
	want, ws := c.clone(), new(Workspace[T])
	define(want, a, b, false)
	Multiply(c, a.Block(0, m, 0, cut), b.Block(0, cut, 0, n), false, ws)
	Multiply(c, a.Block(0, m, cut, k), b.Block(cut, k, 0, n), true, ws)
	expect(t, "two calls", c, want)
}

// A chain of no links leaves what it continues as it is, the sign of zero included, and starts at +0.
func TestChainsOfNoLinks(t *testing.T) {
	eachRow(t, testNoLinks[float32], testNoLinks[float64])
}

func testNoLinks[T kernel.Float](t *testing.T, set *kernel.Set[T]) {
	n := set.Lanes + 1
	a, b, c := Dense([]T{}, 3, 0, 0, 1), Dense([]T{}, 0, n, n, 1), Dense(make([]T, 3*n), 3, n, n, 1)
	for i := range c.Data {
		c.Data[i] = T(math.Copysign(0, -1))
	}
	for _, load := range []bool{true, false} {
		Multiply(c, a, b, load, new(Workspace[T]))
		for i, v := range c.Data {
			if v != 0 || math.Signbit(float64(v)) != load {
				t.Fatalf("load %v: element %d is %v (sign %v)", load, i, v, math.Signbit(float64(v)))
			}
		}
	}
}

// An empty product asks for nothing and writes nothing.
func TestEmptyProducts(t *testing.T) {
	none := []float32(nil) // any access would be out of range
	Multiply(Dense(none, 0, 5, 5, 1), Dense(none, 0, 2, 2, 1), Dense(none, 2, 5, 5, 1), false, nil)
	Multiply(Dense(none, 5, 0, 0, 1), Dense(none, 5, 2, 2, 1), Dense(none, 2, 0, 0, 1), true, nil)
}

func TestMultiplyPanicsOnSizes(t *testing.T) {
	m := func(rows, cols int) Matrix[float32] {
		return Dense(make([]float32, rows*cols), rows, cols, cols, 1)
	}
	for _, c := range [][3]Matrix[float32]{
		{m(2, 4), m(2, 3), m(2, 4)}, // inner sizes
		{m(3, 4), m(2, 3), m(3, 4)}, // rows
		{m(2, 5), m(2, 3), m(3, 4)}, // columns
	} {
		for _, call := range []func(){
			func() { Multiply(c[0], c[1], c[2], false, new(Workspace[float32])) },
			func() { Product(c[0], c[1], c[2]) },
		} {
			if text := panicOf(call); !strings.HasPrefix(text, "gemm: product of 2x3 and ") {
				t.Errorf("panic %q", text)
			}
		}
	}
}

// panicOf returns the text that run panics with.
func panicOf(run func()) (message string) {
	defer func() { message, _ = recover().(string) }()
	run()
	return ""
}

// Parts of one product may run at the same time (the race detector and the bits would tell otherwise).
func TestPartsRunAtTheSameTime(t *testing.T) { eachRow(t, testParts[float32], testParts[float64]) }

func testParts[T kernel.Float](t *testing.T, set *kernel.Set[T]) {
	r := rand.New(rand.NewPCG(4, 3))
	height, width := set.Tiles[0].Height(), 2*set.Lanes
	m, k, n := 3*height+2, 19, 3*width+5
	a, b := random[T](r, layouts(r, m, k, 1)[0]), random[T](r, layouts(r, k, n, 1)[0])
	c := random[T](r, layouts(r, m, n, 1)[0])
	want := c.clone()
	define(want, a, b, false)
	var group sync.WaitGroup
	for row := 0; row < m; row += height {
		for col := 0; col < n; col += width {
			group.Go(func() {
				r1, c1 := min(row+height, m), min(col+width, n)
				Multiply(c.Block(row, r1, col, c1), a.Block(row, r1, 0, k), b.Block(0, k, col, c1), false,
					new(Workspace[T]))
			})
		}
	}
	group.Wait()
	expect(t, "parts", c, want)
}

func TestGrow(t *testing.T) {
	s := make([]int, 3, 10)
	if g := Grow(s, 8); len(g) != 8 || &g[0] != &s[0] {
		t.Errorf("Grow to 8 within a capacity of 10: length %d", len(g))
	}
	if g := Grow(s, 11); len(g) != 11 || &g[0] == &s[0] {
		t.Errorf("Grow to 11 beyond a capacity of 10: length %d", len(g))
	}
}
