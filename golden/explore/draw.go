package explore

import (
	"math/bits"
	"slices"

	"sdref/golden/cases"
	"sdref/internal/random"
)

// interesting are the values that are drawn along an axis, the simplest first. Faults live at the sizes of
// vectors, waves and tiles, next to them, and where there is a remainder.
var interesting = map[string][]int{
	"exact": {1, 0},
	"batch": {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 16, 17, 24, 31, 32, 33, 48, 64, 65},
	"channels": {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 20, 21, 24, 27, 28, 30, 31, 32,
		33, 36, 40, 45, 47, 48, 49, 56, 63, 64, 65, 66, 72, 80, 96, 127, 128, 129, 130, 131, 132, 144, 160, 192,
		255, 256, 257},
	"rows": {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 23, 24, 25, 28, 31, 32, 33,
		34, 35, 40, 47, 48, 49, 56, 63, 64, 65, 66, 96, 100, 112, 127, 128, 129, 130, 200, 224, 255, 256, 257,
		300},
	"kernel rows": {1, 2, 3, 4, 5, 6, 7, 8, 9, 11},
	"stride":      {1, 2, 3, 4},
	"padding":     {0, 1, 2, 3, 4, 5, 6},
	"dilation":    {1, 2, 3, 4},
	"iterations":  {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16, 20, 24, 30, 40, 50, 60},
	"magnitude": {0, 1, -1, 2, -2, 4, -4, 8, -8, 10, -10, 12, -12, 14, -14, 16, -16, -20, 20, -24, 24, -30, 30,
		-40, 40, -60, 60, -80},
	"signed": {0, 1}, "elastic": {0, 1}, "paper": {0, 1}, "training": {0, 1},
}

func init() {
	interesting["atoms"] = interesting["channels"]
	interesting["columns"] = interesting["rows"]
	interesting["kernel columns"] = interesting["kernel rows"]
}

// common is how many of an axis's values are drawn where it is not the one that goes far.
var common = map[string]int{"exact": 1, "batch": 3, "channels": 9, "atoms": 9, "rows": 9, "columns": 9,
	"kernel rows": 3, "kernel columns": 3, "stride": 2, "padding": 3, "dilation": 2, "iterations": 5,
	"magnitude": 1, "signed": 2, "elastic": 2, "paper": 2, "training": 2}

// weights are how often the kinds are drawn, relative to each other.
var weights = map[string]int{"conv_forward": 4, "conv_transpose": 4, "conv_filter": 3, "prox": 2,
	"batchnorm": 2, "power_iteration": 2, "fista": 4, "csc_layer": 2, "block": 1, "network": 1,
	"training_step": 1}

const (
	// candidates is how many points are drawn for each case that is asked.
	candidates = 12
	// maxCandidates is how many points are drawn until one is a case.
	maxCandidates = 500
	// maxFar is the largest number of axes along which a point goes far.
	maxFar = 3
	// maxCost bounds the multiply-adds of a drawn case, and those of a shrunk one's neighbours.
	maxCost = 6 << 20
	// manyOf is one in how many points have many elements rather than large values along an axis.
	manyOf = 5
	// newValue is how many pairs of values a value weighs that was not seen before.
	newValue = 20
	// costShare is at how many multiply-adds a point must show twice as much that is new.
	costShare = 2 << 20
)

// value is a coordinate of a kind of case that was seen, pair two of one case.
type (
	value struct {
		kind, axis string
		at         int
	}
	pair struct{ a, b value }
)

// coverage is which values, and which pairs of them, were seen.
type coverage struct {
	values map[value]bool
	pairs  map[pair]bool

	order []string                // the axes that were seen
	seen  map[string]map[int]bool // and their values as they are, over all kinds
	kinds map[string]int          // how many cases
}

func newCoverage() *coverage {
	return &coverage{values: map[value]bool{}, pairs: map[pair]bool{}, seen: map[string]map[int]bool{},
		kinds: map[string]int{}}
}

// elements is the name of the number of elements of the largest activation, by its power of two.
const elements = "elements"

// valuesOf lists a point's values. One that lies between those that are drawn stands for its power of two.
func valuesOf(p cases.Point) (list []value) {
	for _, a := range cases.AxesOf(p.Kind) {
		v := p.Get(a.Name)
		if v > 0 && !slices.Contains(interesting[a.Name], v) {
			v = -bits.Len(uint(v))
		}
		list = append(list, value{p.Kind, a.Name, v})
	}
	return append(list, value{p.Kind, elements, bits.Len(uint(p.Elements())) - 1})
}

// visit calls f for each pair of a point's values.
func visit(p cases.Point, f func(pair)) {
	list := valuesOf(p)
	for i, a := range list {
		for _, b := range list[:i] {
			f(pair{b, a})
		}
	}
}

// news is how much of a point was not seen before.
func (c *coverage) news(p cases.Point) (n int) {
	for _, v := range valuesOf(p) {
		if !c.values[v] {
			n += newValue
		}
	}
	visit(p, func(q pair) {
		if !c.pairs[q] {
			n++
		}
	})
	return n
}

// add counts a point as seen.
func (c *coverage) add(p cases.Point) {
	for _, v := range valuesOf(p) {
		c.values[v] = true
	}
	visit(p, func(q pair) { c.pairs[q] = true })
	c.kinds[p.Kind]++
	for _, a := range cases.AxesOf(p.Kind) {
		c.note(a.Name, p.Get(a.Name))
	}
	c.note(elements, p.Elements())
}

// note takes down that an axis had a value.
func (c *coverage) note(axis string, v int) {
	if c.seen[axis] == nil {
		c.seen[axis] = map[int]bool{}
		c.order = append(c.order, axis)
	}
	c.seen[axis][v] = true
}

// next draws case number i of a seed: of several candidates the one with the most that was not seen before,
// as long as it is not dear.
func (c *coverage) next(seed, i uint64, kinds []string) cases.Point {
	s := random.New(seed).Sub("explore", i)
	kind := drawKind(s, kinds)
	var best cases.Point
	most := -1.0
	for k := 0; k < candidates || most < 0 && k < maxCandidates; k++ {
		p := drawPoint(s.Sub("candidate", uint64(k)), kind)
		p.Seed = seed<<32 + i
		cost := p.Cost()
		if cost < 0 || cost > maxCost || p.Check() != nil {
			continue
		}
		if score := float64(c.news(p)) / (1 + float64(cost)/costShare); score > most {
			best, most = p, score
		}
	}
	if most < 0 {
		best = firstOf(kind)
		best.Seed = seed<<32 + i
	}
	return best
}

func drawKind(s random.Stream, kinds []string) string {
	total := 0
	for _, k := range kinds {
		total += weights[k]
	}
	at := s.Intn(0, total)
	for _, k := range kinds {
		if at -= weights[k]; at < 0 {
			return k
		}
	}
	return kinds[0]
}

// drawPoint draws a point: common values along all axes but a few, along which it goes far.
func drawPoint(s random.Stream, kind string) cases.Point {
	p := cases.Point{Kind: kind, At: map[string]int{}}
	list := cases.AxesOf(kind)
	far := map[string]bool{}
	for i := range 1 + s.Intn(0, maxFar) {
		far[list[s.Intn(uint64(1+i), len(list))].Name] = true
	}
	for i, a := range list {
		values := interesting[a.Name]
		if !far[a.Name] {
			values = values[:common[a.Name]]
		}
		p.At[a.Name] = values[s.Intn(uint64(100+i), len(values))]
	}
	if s.Intn(99, manyOf) == 0 && p.HasAxis("columns") {
		widen(s, p)
	}
	return p
}

// widen gives a point so many columns that an activation has up to 2^18 elements.
func widen(s random.Stream, p cases.Point) {
	target := 1 << (12 + s.Intn(98, 6))
	target += s.Intn(97, target)
	for axis, most := range map[string]int{"batch": 3, "channels": 3, "atoms": 3, "kernel rows": 3,
		"kernel columns": 3, "stride": 1, "dilation": 1, "iterations": 2} {
		if p.HasAxis(axis) {
			p.At[axis] = min(p.At[axis], most)
		}
	}
	p.At["columns"] = 1
	p.At["columns"] = max(1, target/p.Elements())
}
