package gemm

import (
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"sdref/internal/kernel"
)

func TestMultiplyEqualsTheChain(t *testing.T) {
	eachRow(t, testMultiply[float32], testMultiply[float64])
}

// testMultiply takes every number of rows up to two of the largest tiles and one, columns around one and two tiles and
// around a group of panels, and chains around the blocks of depth.
func testMultiply[T kernel.Float](t *testing.T, set *kernel.Set[T]) {
	r := rand.New(rand.NewPCG(4, 1))
	wide := []int{1, set.Cols - 1, set.Cols, set.Cols + 1, 2*set.Cols + 3}
	for m := 1; m <= 2*set.Tiles[0].Rows+1; m++ {
		for _, n := range wide {
			multiplyCase(t, r, set, m, r.IntN(10), n)
		}
	}
	for _, k := range []int{depth - 1, depth, depth + 1, 2 * depth, 2*depth + 1} {
		multiplyCase(t, r, set, 1, k, 2*set.Cols-1)
		multiplyCase(t, r, set, set.Tiles[0].Rows+3, k, set.Cols+2)
	}
	multiplyCase(t, r, set, set.Tiles[0].Rows+1, depth+5, group*set.Cols+1)
	multiplyCase(t, r, set, 3, 2, 2*group*set.Cols-1)
	multiplyCase(t, r, set, 5, 0, 7)
}

// multiplyCase checks one size in every layout, from +0 and from what C holds, whole and in parts.
func multiplyCase[T kernel.Float](t *testing.T, r *rand.Rand, set *kernel.Set[T], m, k, n int) {
	t.Helper()
	a, b := random[T](r, m, k), random[T](r, k, n)
	left, source := pack(set, a), right[T]{b, t}
	start := random[T](r, m, n)
	fresh, continued := product(a, b, nil), product(a, b, start.data)
	ws := new(Workspace[T])
	for _, l := range layouts(r, m, n, set.Cols) {
		what := sizes(m, k, n) + ", " + l.name
		places := l.places(m, n)
		before, loaded := make([]T, l.size), make([]T, l.size)
		for i := range before {
			before[i], loaded[i] = poison, poison
		}
		for i, at := range places {
			loaded[at] = start.data[i]
		}
		memory := append([]T(nil), before...)
		out := Target[T]{memory, l.rowStride, l.cols}
		left.Multiply(0, left.Strips(), source, 0, n, out, false, ws)
		expect(t, what, memory, before, fresh.at, places, n, 0, m, 0, n)

		copy(memory, loaded)
		left.Multiply(0, left.Strips(), source, 0, n, out, true, ws)
		expect(t, what+", load", memory, loaded, continued.at, places, n, 0, m, 0, n)

		s0, s1 := r.IntN(left.Strips()), left.Strips()
		c0 := r.IntN(n)
		c1 := c0 + r.IntN(n-c0+1)
		copy(memory, before)
		left.Multiply(s0, s1, source, c0, c1, out, false, ws)
		expect(t, what+", in part", memory, before, fresh.at, places, n, left.strips[s0].row, m, c0, c1)
		copy(memory, loaded)
		left.Multiply(0, s0, source, c0, c1, out, true, ws)
		expect(t, what+", in part, load", memory, loaded, continued.at, places, n, 0, left.strips[s0].row, c0, c1)
	}
}

// A chain cut in two calls is the chain in one call.
func TestLoadContinuesTheChain(t *testing.T) {
	eachRow(t, testContinue[float32], testContinue[float64])
}

func testContinue[T kernel.Float](t *testing.T, set *kernel.Set[T]) {
	r := rand.New(rand.NewPCG(4, 2))
	const m, k, cut = 13, 2*depth + 9, depth + 21
	n := set.Cols + 3
	a, b := random[T](r, m, k), random[T](r, k, n)
	head, tail := plain[T]{m, cut, nil}, plain[T]{m, k - cut, nil}
	for i := range m {
		head.data = append(head.data, a.data[i*k:i*k+cut]...)
		tail.data = append(tail.data, a.data[i*k+cut:(i+1)*k]...)
	}
	var ws Workspace[T]
	out := Target[T]{Data: make([]T, m*n), RowStride: n}
	first, second := pack(set, head), pack(set, tail)
	first.Multiply(0, first.Strips(), right[T]{plain[T]{cut, n, b.data[:cut*n]}, t}, 0, n, out, false, &ws)
	second.Multiply(0, second.Strips(), right[T]{plain[T]{k - cut, n, b.data[cut*n:]}, t}, 0, n, out, true, &ws)
	expect(t, "two calls", out.Data, out.Data, product(a, b, nil).at, Offsets(m*n, 1), n, 0, m, 0, n)
}

// A chain of no links leaves what it continues as it is, the sign of zero and NaN included, and starts at +0.
func TestChainsOfNoLinks(t *testing.T) {
	eachRow(t, testNoLinks[float32], testNoLinks[float64])
}

func testNoLinks[T kernel.Float](t *testing.T, set *kernel.Set[T]) {
	left := pack(set, plain[T]{3, 0, nil})
	n := set.Cols + 1
	out := Target[T]{Data: make([]T, 3*n), RowStride: n}
	negative := T(math.Copysign(0, -1))
	for i := range out.Data {
		out.Data[i] = negative
	}
	var ws Workspace[T]
	none := right[T]{plain[T]{0, n, nil}, t}
	left.Multiply(0, left.Strips(), none, 0, n, out, true, &ws)
	for i, v := range out.Data {
		if v != 0 || !math.Signbit(float64(v)) {
			t.Fatalf("continued: element %d is %v, want -0", i, v)
		}
	}
	left.Multiply(0, left.Strips(), none, 0, n, out, false, &ws)
	for i, v := range out.Data {
		if v != 0 || math.Signbit(float64(v)) {
			t.Fatalf("fresh: element %d is %v, want +0", i, v)
		}
	}
}

// An empty range of strips or columns asks for nothing and writes nothing.
func TestEmptyRanges(t *testing.T) {
	left := pack(kernel.Active[float32](), plain[float32]{2, 1, []float32{1, 2}})
	none := Target[float32]{} // any write would be out of range
	left.Multiply(1, 1, nil, 0, 5, none, false, nil)
	left.Multiply(0, left.Strips(), nil, 3, 3, none, false, nil)
}

// Parts of one product may run at the same time (the race detector and the bits would tell otherwise).
func TestPartsRunAtTheSameTime(t *testing.T) { eachRow(t, testParts[float32], testParts[float64]) }

func testParts[T kernel.Float](t *testing.T, set *kernel.Set[T]) {
	r := rand.New(rand.NewPCG(4, 3))
	m, k, n := 3*set.Tiles[0].Rows+2, 19, 3*set.Cols+5
	a, b := random[T](r, m, k), random[T](r, k, n)
	left := pack(set, a)
	out := Target[T]{Data: make([]T, m*n), RowStride: n}
	var group sync.WaitGroup
	for s := range left.Strips() {
		for col := 0; col < n; col += set.Cols {
			group.Go(func() {
				left.Multiply(s, s+1, right[T]{b, t}, col, min(n, col+set.Cols), out, false, new(Workspace[T]))
			})
		}
	}
	group.Wait()
	expect(t, "parts", out.Data, out.Data, product(a, b, nil).at, Offsets(m*n, 1), n, 0, m, 0, n)
}

func TestSplitCoversAndDoesNotExceed(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for procs := 1; procs <= 9; procs++ {
		runtime.GOMAXPROCS(procs)
		for panels := range 20 {
			for strips := range 20 {
				cols, rows := Split(panels, strips)
				if cols < 1 || rows < 1 || cols > max(1, panels) || rows > max(1, strips) || cols*rows >= procs+cols {
					t.Fatalf("%d goroutines: %d panels and %d strips in %d x %d parts", procs, panels, strips, cols, rows)
				}
			}
		}
	}
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
