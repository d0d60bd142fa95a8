package simulate

import (
	"math"
	"sync"

	"sdref/golden/precision"
	"sdref/internal/kernel"
	"sdref/internal/random"
)

// Order says in which order a machine adds up the products of one sum.
type Order int

const (
	Forward  Order = iota // one chain, first to last
	Reversed              // one chain, last to first
	Lanes                 // Width chains with every Width-th product, added in a tree, as vector registers do
	// chains of Width products each, added one after the other, as blocked matrix products do
	Blocked
	Pairwise // halves of halves, as a tree reduction does
	Shuffled // one chain in an order drawn by Seed, as atomic additions do
)

var orders = [...]string{"forward", "reversed", "lanes", "blocked", "pairwise", "shuffled"}

func (o Order) String() string { return orders[o] }

// adder adds up products in float32 as one machine does.
type adder struct {
	link  func(sum, a, b float32) float32 // sum + ab
	add   func(x, y float32) float32
	kept  func(partial float32) float32 // how the sum of a chain is kept
	plain bool
	*Machine
}

func (m *Machine) adder() *adder {
	s := &adder{Machine: m, plain: !m.TowardZero && !m.Fused && m.Sums == precision.Single &&
		m.Partial == precision.Single,
		kept: func(v float32) float32 { return v }}
	switch {
	case m.TowardZero: // the product of two float32 is exact in float64
		s.link = func(sum, a, b float32) float32 { return addTowardZero(float64(a)*float64(b), float64(sum)) }
		s.add = func(x, y float32) float32 { return addTowardZero(float64(x), float64(y)) }
	case m.Fused:
		s.link = func(sum, a, b float32) float32 { return kernel.FMA(a, b, sum) }
		s.add = func(x, y float32) float32 { return x + y }
	default:
		s.link = func(sum, a, b float32) float32 { return float32(a*b) + sum }
		s.add = func(x, y float32) float32 { return x + y }
	}
	if m.Sums != precision.Single {
		link, add := s.link, s.add
		s.link = func(sum, a, b float32) float32 { return float32(m.Sums.Round(float64(link(sum, a, b)))) }
		s.add = func(x, y float32) float32 { return float32(m.Sums.Round(float64(add(x, y)))) }
	}
	if m.Partial != precision.Single {
		s.kept = func(v float32) float32 { return float32(m.Partial.Round(float64(v))) }
	}
	return s
}

// dot returns the sum of a[i] b[i].
func (s *adder) dot(a, b []float32) float32 {
	n := len(a)
	switch s.Order {
	case Reversed:
		return s.chain(a, b, n-1, -1, n)
	case Lanes:
		return s.tree(min(s.Width, max(n, 1)), func(lane int) float32 {
			return s.chain(a, b, lane, s.Width, (n-lane+s.Width-1)/s.Width)
		})
	case Blocked:
		sum := float32(0)
		for at := 0; at < n; at += s.Width {
			sum = s.add(sum, s.chain(a, b, at, 1, min(s.Width, n-at)))
		}
		return sum
	case Pairwise:
		return s.halves(a, b)
	case Shuffled:
		sum := float32(0)
		for _, i := range permutation(s.Seed, n) {
			sum = s.link(sum, a[i], b[i])
		}
		return s.kept(sum)
	default:
		return s.chain(a, b, 0, 1, n)
	}
}

// chain adds count products one after the other.
func (s *adder) chain(a, b []float32, at, step, count int) float32 {
	sum := float32(0)
	if s.plain { // as s.link does it, for speed
		for ; count > 0; count-- {
			sum += float32(a[at] * b[at])
			at += step
		}
		return sum
	}
	for ; count > 0; count-- {
		sum = s.link(sum, a[at], b[at])
		at += step
	}
	return s.kept(sum)
}

// tree adds up count numbers, the upper half of them to the lower half again and again.
func (s *adder) tree(count int, at func(i int) float32) float32 {
	sums := make([]float32, count)
	for i := range sums {
		sums[i] = at(i)
	}
	for count > 1 {
		half := (count + 1) / 2
		for i := range count - half {
			sums[i] = s.add(sums[i], sums[half+i])
		}
		count = half
	}
	return sums[0]
}

func (s *adder) halves(a, b []float32) float32 {
	if len(a) <= 2 {
		return s.chain(a, b, 0, 1, len(a))
	}
	middle := len(a) / 2
	return s.add(s.halves(a[:middle], b[:middle]), s.halves(a[middle:], b[middle:]))
}

// sum returns the sum of the values.
func (s *adder) sum(values []float32) float32 {
	ones := make([]float32, len(values))
	for i := range ones {
		ones[i] = 1
	}
	return s.dot(values, ones)
}

// permutations keeps the orders that were drawn: a contraction has thousands of sums of one length.
var permutations sync.Map

func permutation(seed uint64, n int) []int {
	type key struct {
		seed uint64
		n    int
	}
	if p, ok := permutations.Load(key{seed, n}); ok {
		return p.([]int)
	}
	p := random.New(seed).Sub("order", uint64(n)).Permutation(n)
	permutations.Store(key{seed, n}, p)
	return p
}

// addTowardZero returns x + y rounded once, toward zero, to float32.
func addTowardZero(x, y float64) float32 {
	sum := x + y
	part := sum - x // Knuth's two-sum: lost is the exact x + y - sum
	lost := (x - (sum - part)) + (y - part)
	nearest := float32(sum)
	// exact, and compared with lost it tells on which side of the exact sum nearest lies
	over := float64(nearest) - sum
	if nearest > 0 && over > lost || nearest < 0 && over < lost {
		return math.Nextafter32(nearest, 0)
	}
	return nearest
}
