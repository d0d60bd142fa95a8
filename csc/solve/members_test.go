package solve

import (
	"math"
	"runtime"
	"slices"
	"testing"

	"sdref/tensor"
)

// TestMembers: on the elements that are not 0, members have every element once, A of their codes is A of the code, A* is A* there,
// and neither depends on the number of goroutines.
func TestMembers(t *testing.T) {
	for seed := range uint64(30) {
		for _, b := range boundaries {
			p := randomProblem(seed, b, false)
			p.A.Geometry.Dilation = 0
			if seed%4 == 0 { // several bands of rows
				p.X = fill[float64](seed, 1, 2, p.X.Shape[1], 70, 9)
			}
			for _, k := range []int{1, 2, 30} {
				membersAgree(t, p, k, 1e-13)
				membersAgree(t, Convert[float32](p), k, 1e-5)
			}
		}
	}
}

func membersAgree[T tensor.Float](t *testing.T, p *Problem[T], k int, tolerance float64) {
	t.Helper()
	wide := fill[float64](uint64(k), 1, p.CodeShape()...)
	sparse(wide, k)
	z := tensor.Convert[T](wide)
	s := newMembers(newSupport(p.A, p.X.Shape))
	s.list.find(z)
	s.take()
	places := slices.Sorted(slices.Values(s.at))
	var want []int
	for i, v := range z.Data {
		if v != 0 {
			want = append(want, i)
		}
	}
	if !slices.Equal(places, want) {
		t.Fatalf("%s: the members are not the elements that are not 0", describe(Convert[float64](p)))
	}
	s.get(z, z)
	copied := tensor.New[T](z.Shape...)
	s.put(copied, tensor.New[T](z.Shape...))
	if !tensor.SameBits(copied, z) {
		t.Fatal("codes are not put where they came from")
	}
	x, all, scale := tensor.New[T](p.X.Shape...), tensor.New[T](z.Shape...), norm(p.X)
	p.A.Analyze(all, p.X)
	var bits [2][]T
	for i, workers := range []int{1, 3} {
		before := runtime.GOMAXPROCS(workers)
		copy(s.next, s.z)
		s.synthesize(x)
		s.analyze(p.X)
		runtime.GOMAXPROCS(before)
		bits[i] = slices.Concat(x.Data, s.next)
	}
	if !slices.Equal(bits[0], bits[1]) {
		t.Error("the number of goroutines changes bits")
	}
	for i, at := range s.at {
		if e := math.Abs(float64(s.next[i] - all.Data[at])); !(e <= tolerance*scale) {
			t.Fatalf("%s: A*x at element %d misses by %g", describe(Convert[float64](p)), at, e)
		}
	}
	if e := relative(tensor.Convert[float64](x), defined(Convert[float64](p), wide32[T](wide))); !(e <= tolerance) {
		t.Errorf("%s: A z misses by %g", describe(Convert[float64](p)), e)
	}
}

// wide32 is z after rounding to T.
func wide32[T tensor.Float](z *tensor.Tensor[float64]) *tensor.Tensor[float64] {
	return tensor.Convert[float64](tensor.Convert[T](z))
}
