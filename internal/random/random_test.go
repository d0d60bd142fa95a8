package random_test

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/big"
	"slices"
	"testing"

	"sdref/internal/random"
)

// TestKnownAnswers: the first outputs of SplitMix64 for two seeds, as other implementations print them.
func TestKnownAnswers(t *testing.T) {
	for seed, want := range map[uint64][]uint64{
		0: {0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F},
		1234567: {6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431,
			16408922859458223821},
	} {
		for i, w := range want {
			if got := random.New(seed).At(uint64(i)); got != w {
				t.Errorf("New(%d).At(%d) = %d, want %d", seed, i, got, w)
			}
		}
	}
}

// bigMix is mix in integers of unlimited size.
func bigMix(z *big.Int) uint64 {
	word := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 64), big.NewInt(1))
	step := func(shift uint, factor string) {
		f, _ := new(big.Int).SetString(factor, 16)
		z.Xor(z, new(big.Int).Rsh(z, shift))
		z.And(z.Mul(z, f), word)
	}
	z.And(z, word)
	step(30, "BF58476D1CE4E5B9")
	step(27, "94D049BB133111EB")
	step(31, "1")
	return z.Uint64()
}

func TestAtAgainstBigIntegers(t *testing.T) {
	gamma, _ := new(big.Int).SetString("9E3779B97F4A7C15", 16)
	for _, seed := range []uint64{0, 1, 1 << 63, math.MaxUint64, 0xDEADBEEF} {
		for _, i := range []uint64{0, 1, 2, 1000, 1 << 40, math.MaxUint64 - 1, math.MaxUint64} {
			z := new(big.Int).Add(new(big.Int).SetUint64(i), big.NewInt(1))
			z.Add(z.Mul(z, gamma), new(big.Int).SetUint64(seed))
			if got, want := random.New(seed).At(i), bigMix(z); got != want {
				t.Errorf("New(%d).At(%d) = %#x, want %#x", seed, i, got, want)
			}
		}
	}
}

// TestUnit: the published fill rule, its range and that float32 holds it.
func TestUnit(t *testing.T) {
	s := random.New(7)
	sum, squares := 0.0, 0.0
	const n = 1 << 16
	for i := range uint64(n) {
		u := s.Unit(i)
		if want := math.Ldexp(2*float64(s.At(i)>>40), -24) - 1; u != want {
			t.Fatalf("Unit(%d) = %v, want %v", i, u, want)
		}
		if u < -1 || u >= 1 || float64(float32(u)) != u {
			t.Fatalf("Unit(%d) = %v is outside [-1, 1) or not a float32", i, u)
		}
		sum += u
		squares += float64(u * u)
	}
	// Mean 0 and variance 1/3; the bounds are five standard deviations of their estimates.
	if mean := sum / n; math.Abs(mean) > 5*math.Sqrt(1.0/3/n) {
		t.Errorf("mean of Unit = %v", mean)
	}
	if v := squares / n; math.Abs(v-1.0/3) > 5*math.Sqrt(4.0/45/n) {
		t.Errorf("variance of Unit = %v, want 1/3", v)
	}
}

func TestFloatRange(t *testing.T) {
	s := random.New(3)
	for i := range uint64(1 << 16) {
		f := s.Float(i)
		if f < 0 || f >= 1 || f*0x1p53 != float64(s.At(i)>>11) {
			t.Fatalf("Float(%d) = %v", i, f)
		}
	}
}

// chiSquare is the statistic of counts that should be equal.
func chiSquare(counts []int) float64 {
	total := 0
	for _, c := range counts {
		total += c
	}
	expected, x := float64(total)/float64(len(counts)), 0.0
	for _, c := range counts {
		d := float64(c) - expected
		x += float64(d * d / expected)
	}
	return x
}

func TestIntnUniform(t *testing.T) {
	for _, n := range []int{1, 2, 9, 10, 1000} {
		counts := make([]int, n)
		for i := range uint64(100 * 1000) {
			counts[random.New(11).Intn(i, n)]++
		}
		// Mean n-1, standard deviation sqrt(2(n-1)).
		if x, dof := chiSquare(counts), float64(n-1); x > dof+5*math.Sqrt(2*dof) {
			t.Errorf("Intn(_, %d): chi-square %v with %v degrees of freedom", n, x, dof)
		}
	}
}

// TestPermutation: every order of four things, about equally often, and the same one twice.
func TestPermutation(t *testing.T) {
	order := map[string]int{}
	for i := range uint64(24000) {
		p := random.New(1).Sub("permutation", i).Permutation(4)
		order[fmt.Sprint(p)]++
		slices.Sort(p)
		if !slices.Equal(p, []int{0, 1, 2, 3}) {
			t.Fatalf("not a permutation: %v", p)
		}
	}
	counts := make([]int, 0, 24)
	for _, c := range order {
		counts = append(counts, c)
	}
	if x := chiSquare(counts); len(counts) != 24 || x > 23+5*math.Sqrt(46) {
		t.Errorf("%d orders, chi-square %v with 23 degrees of freedom", len(counts), x)
	}
	if s := random.New(5); !slices.Equal(s.Permutation(100), s.Permutation(100)) {
		t.Error("the same stream gave two orders")
	}
	if p := random.New(5).Permutation(0); len(p) != 0 {
		t.Errorf("Permutation(0) = %v", p)
	}
}

// TestSub: streams of neighbouring purposes and numbers share no early number, and follow the rule.
func TestSub(t *testing.T) {
	s := random.New(1)
	streams := []random.Stream{s, random.New(2), s.Sub(""), s.Sub("a"), s.Sub("b"), s.Sub("ab"),
		s.Sub("a", 0), s.Sub("a", 0, 0),
		s.Sub("a", 1), s.Sub("a", 1, 0), s.Sub("a", 0, 1), s.Sub("a").Sub("b"), s.Sub("b").Sub("a"),
		random.New(2).Sub("a")}
	seen := map[uint64]int{}
	for k, sub := range streams {
		for i := range uint64(1000) {
			if other, ok := seen[sub.At(i)]; ok {
				t.Fatalf("streams %d and %d share a number", other, k)
			}
			seen[sub.At(i)] = k
		}
	}
	// The rule by hand: the name's FNV-1a hash, then each number, folded in by mix(At(0) xor word).
	h := fnv.New64a()
	h.Write([]byte("crop"))
	seed := s.At(0) ^ h.Sum64()
	seed = bigMix(new(big.Int).SetUint64(seed))
	seed = bigMix(new(big.Int).SetUint64(random.New(seed).At(0) ^ 42))
	if got := s.Sub("crop", 42); got != random.New(seed) {
		t.Errorf("Sub = %v, want seed %d", got, seed)
	}
}

// TestSubBits: over neighbouring numbers, each bit of the first draw is set about half the time.
func TestSubBits(t *testing.T) {
	var set [64]int
	const n = 10000
	for i := range uint64(n) {
		v := random.New(0).Sub("bits", i).At(0)
		for b := range set {
			set[b] += int(v >> b & 1)
		}
	}
	for b, c := range set {
		if math.Abs(float64(c)-n/2) > 5*math.Sqrt(n)/2 {
			t.Errorf("bit %d is set in %d of %d streams", b, c, n)
		}
	}
}

func TestPanics(t *testing.T) {
	for name, call := range map[string]func(){
		"Intn":        func() { random.New(0).Intn(0, 0) },
		"Permutation": func() { random.New(0).Permutation(-1) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			call()
		})
	}
}

// A run draws from streams named by purpose, so adding one purpose never moves the numbers of another.
func ExampleStream_Sub() {
	run := random.New(2022)
	fmt.Println(run.Sub("shuffle", 0).Permutation(5))
	fmt.Println(run.Sub("shuffle", 1).Permutation(5))
	fmt.Printf("%+.6f\n", run.Sub("weights").Unit(0))
	// Output:
	// [0 4 1 2 3]
	// [1 4 3 2 0]
	// -0.988739
}
