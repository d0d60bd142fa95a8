// Package cases is the table of cases that a backend is judged by, each a graph of operators with inputs made
// by rule, with the calibrated bounds of every node, what is known of some results from elsewhere, and the
// relations between cases.
//
// A case is a graph.Case, built by a row of a table: convolutions, prox, BatchNorm, power iteration, FISTA,
// CSC layers, blocks, networks, training steps. Digests of all values, and the bounds, are stored in
// testdata/manifest.json. The package is for `ref judge`, `ref cases` and tests. It knows nothing of
// verdicts, and not how answers are got.
package cases

import (
	"slices"
	"sync"

	"sdref/golden"
	"sdref/golden/graph"
	"sdref/internal/random"
)

// All returns the table of cases, the same ones at every call. They may not be changed.
//
// EXACT cases, flag exact, have inputs on a lattice of multiples of a power of two, so small that every sum
// comes out the same in any order, fused or not, with operands in TF32 or float16: whoever misses one has a
// wrong program. REAL cases, flag real, have inputs of mean zero with all the digits that float32 has, and
// show which precision was used.
func All() []*graph.Case { return all() }

// Kinds lists the kinds of cases, as they come.
func Kinds() (list []string) {
	for _, c := range All() {
		if !slices.Contains(list, c.Kind) {
			list = append(list, c.Kind)
		}
	}
	return list
}

// Find returns the case of that id, nil if there is none.
func Find(id string) *graph.Case {
	for _, c := range All() {
		if c.ID == id {
			return c
		}
	}
	return nil
}

var all = sync.OnceValue(func() (cases []*graph.Case) {
	for _, r := range convolutions {
		cases = append(cases, r.cases()...)
	}
	cases = extend(cases, proxes)
	cases = extend(cases, batchNorms)
	cases = extend(cases, powers)
	cases = extend(cases, solvers)
	cases = extend(cases, relatives())
	cases = extend(cases, layers)
	cases = extend(cases, blocks)
	cases = extend(cases, networks)
	seen := map[string]bool{}
	for _, c := range cases {
		if seen[c.ID] {
			panic("cases: two cases " + c.ID)
		}
		seen[c.ID] = true
	}
	return cases
})

// row is a row of one of the tables, which makes a case.
type row interface{ build() *graph.Case }

func extend[R row](cases []*graph.Case, rows []R) []*graph.Case {
	for _, r := range rows {
		cases = append(cases, r.build())
	}
	return cases
}

// data says what a case's inputs are made of: a name that seeds are drawn for, and whether they lie on a
// lattice.
type data struct {
	name  string
	exact bool
}

// flag is the word for it.
func (d data) flag() string {
	if d.exact {
		return "exact"
	}
	return "real"
}

// seed is that of the input called name; it has 32 bits, which any language's numbers hold.
func (d data) seed(name string) uint64 { return random.New(0).Sub(d.name+" "+name).At(0) >> 32 }

// fill is the rule of the input called name: for an exact case whole numbers in -levels/2..levels/2,
// otherwise numbers between -scale and scale, a power of two.
func (d data) fill(name string, levels int, scale float64, shape ...int) golden.Fill {
	f := golden.Fill{Shape: slices.Clone(shape), Seed: d.seed(name), Scale: scale}
	if d.exact {
		f.Levels, f.Scale = levels, 1
	}
	return f
}

// around is a rule for numbers around offset: where that is not 0, with twelve bits, so that float32 holds
// the sum.
func (d data) around(name string, offset, scale float64, shape ...int) golden.Fill {
	f := golden.Fill{Shape: slices.Clone(shape), Seed: d.seed(name), Scale: scale, Offset: offset}
	if offset != 0 {
		f.Levels, f.Scale = 1<<12-1, scale/(1<<11)
	}
	return f
}

// single rounds to float32, which backends compute with.
func single(v float64) float64 { return float64(float32(v)) }
