package simulate

import (
	"math"
	"math/big"
	"testing"

	"sdref/golden/precision"
	"sdref/internal/random"
)

// everyOrder are machines with all orders and roundings, in float32.
func everyOrder() (machines []*Machine) {
	for order := Forward; order <= Shuffled; order++ {
		for i := range 3 {
			machines = append(machines, &Machine{Factors: precision.Single, Results: precision.Single,
				Sums: precision.Single, Partial: precision.Single,
				Order: order, Width: 8, Seed: 7, Fused: i == 1, TowardZero: i == 2})
		}
	}
	return machines
}

// TestEveryProductCountsOnce sums different powers of two, so that the result's bits tell which products it
// contains.
func TestEveryProductCountsOnce(t *testing.T) {
	for _, m := range everyOrder() {
		for n := range 24 {
			a, b := make([]float32, n), make([]float32, n)
			for i := range n {
				a[i], b[i] = float32(math.Ldexp(1, i)), 1
			}
			if got, want := m.adder().dot(a, b), float32(math.Ldexp(1, n)-1); got != want {
				t.Errorf("%v: %d products: %g, want %g", *m, n, got, want)
			}
		}
	}
}

// TestOrdersDiffer shows that orders and roundings are not names only: on real data no two machines give the
// same bits always.
func TestOrdersDiffer(t *testing.T) {
	s, n := random.New(5), uint64(300)
	seen := map[[4]float32]*Machine{}
	for _, m := range everyOrder() {
		var sums [4]float32
		for k := range sums {
			a, b := make([]float32, n), make([]float32, n)
			exact, size := 0.0, 0.0
			for i := range n {
				a[i], b[i] = float32(s.Unit(2*(uint64(k)*n+i))), float32(s.Unit(2*(uint64(k)*n+i)+1))
				exact += float64(a[i]) * float64(b[i])
				size += math.Abs(float64(a[i]) * float64(b[i]))
			}
			sums[k] = m.adder().dot(a, b)
			if miss := math.Abs(float64(sums[k]) - exact); !(miss <= size*float64(n)*0x1p-23) {
				t.Errorf("%v: off by %g", *m, miss)
			}
		}
		if other := seen[sums]; other != nil {
			t.Errorf("%v and %v give the same", *m, *other)
		}
		seen[sums] = m
	}
}

func TestTowardZeroIsBiased(t *testing.T) {
	s, n := random.New(6), 1000
	a, exact := make([]float32, n), 0.0
	for i := range a {
		a[i] = float32(1 + s.Unit(uint64(i))/2)
		exact += float64(a[i])
	}
	for _, m := range everyOrder() {
		if got := float64(m.adder().sum(a)); m.TowardZero && !(got < exact) {
			t.Errorf("%v: %g is not below %g", *m, got, exact)
		}
	}
}

// TestNarrowSums: ones added up in float16 stop at 2048, where the next one is lost; chains of 8 kept in
// bfloat16 are exact.
func TestNarrowSums(t *testing.T) {
	ones := make([]float32, 5000)
	for i := range ones {
		ones[i] = 1
	}
	m := Machine{Sums: precision.Half, Partial: precision.Single}
	if got := m.adder().sum(ones); got != 2048 {
		t.Errorf("float16 sum %g, want 2048", got)
	}
	m = Machine{Sums: precision.Single, Partial: precision.BFloat, Order: Blocked, Width: 8}
	if got := m.adder().sum(ones); got != 5000 {
		t.Errorf("bfloat16 parts %g, want 5000", got)
	}
	m.Width = 257 // rounds to 256; the last chain, 116, is exact
	if got, want := m.adder().sum(ones), float32(19*256+117); got != want {
		t.Errorf("bfloat16 parts %g, want %g", got, want)
	}
}

func TestAddTowardZero(t *testing.T) {
	s := random.New(3)
	for i := range uint64(20000) {
		x := float64(float32(s.Unit(4*i))) * float64(float32(s.Unit(4*i+1)))
		y := float64(float32(math.Ldexp(s.Unit(4*i+2), s.Intn(4*i+3, 120)-60)))
		exact := new(big.Float).SetPrec(400).Add(new(big.Float).SetPrec(400).SetFloat64(x),
			new(big.Float).SetPrec(400).SetFloat64(y))
		want, _ := new(big.Float).SetPrec(24).SetMode(big.ToZero).Set(exact).Float32()
		if got := addTowardZero(x, y); got != want {
			t.Fatalf("%x + %x gives %x, want %x", x, y, got, want)
		}
	}
	if got := addTowardZero(math.MaxFloat32, math.MaxFloat32); got != math.MaxFloat32 {
		t.Errorf("overflow gives %g", got)
	}
}
