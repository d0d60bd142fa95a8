package cases

import (
	"sdref/csc"
	"sdref/golden/graph"
	"sdref/golden/judge"
	"sdref/tensor"
)

// Relations returns the pairs of cases whose answers can be compared with each other, whatever they are.
func Relations() []judge.Relation {
	same := func(name, base, derived string) judge.Relation {
		return judge.Relation{Name: name, Base: base, Derived: derived, BaseNode: "4/code",
			DerivedNode: "4/code", Factor: 1}
	}
	list := []judge.Relation{
		same("fewer iterations", "fista-8", "fista-4"),
		same("fewer iterations", "fista-8-paper", "fista-4-paper"),
	}
	for _, c := range changes {
		r := same(c.why, "fista-"+related.name, "fista-"+related.name+"-"+c.name)
		r.Reversed, r.Factor, r.First = c.code, c.factor, c.first
		list = append(list, r)
	}
	return list
}

// related is the case that is changed: without gradients, whose relations would be others.
var related = solver{"related", data{"solver-middle", false}, middle,
	settings(padded, 0.1, 0, false, 4, csc.Published), false, nil, "the case that others are derived from"}

// change is what is done to related, and what follows for its code.
type change struct {
	name   string
	factor float64 // of x and lambda
	x, w   []int   // axes of the inputs that are turned round
	first  int     // images before this one are left out
	code   []int   // axes of the code that are then turned round
	why    string
}

var changes = []change{
	{name: "up", factor: 0x1p8, why: "x and lambda times 2^8"},
	{name: "down", factor: 0x1p-8, why: "x and lambda times 2^-8"},
	{name: "batch", factor: 1, x: []int{0}, code: []int{0}, why: "images in another order"},
	{name: "atoms", factor: 1, w: []int{0}, code: []int{1}, why: "atoms in another order"},
	{name: "channels", factor: 1, x: []int{0, 1}, w: []int{1}, code: []int{0},
		why: "images and channels in another order"},
	{name: "split", factor: 1, first: 1, why: "the second image alone"},
}

// gamma is by how much the states behind neighbouring elements of a fill differ (see random.Stream): a rule
// that begins n elements later has a seed n times gamma larger.
const gamma = 0x9E3779B97F4A7C15

func (c *change) apply(b *graph.Builder) {
	x, w := b.Case.Input("x"), b.Case.Input("w")
	x.Fill.Scale *= c.factor
	x.Fill.Seed += uint64(c.first*tensor.Size(x.Fill.Shape[1:])) * gamma
	x.Reversed, w.Reversed = c.x, c.w
	b.Why = c.why + ", against fista-" + related.name
	b.Flags = append(b.Flags, "relation")
}

// derived are related and its changes.
type derived struct{ *change }

func (d derived) build() *graph.Case {
	r := related
	if d.change != nil && d.first > 0 {
		r.n -= d.first
	}
	return r.derive(d.change)
}

func relatives() []derived {
	list := []derived{{nil}}
	for i := range changes {
		list = append(list, derived{&changes[i]})
	}
	return list
}
