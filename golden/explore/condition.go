package explore

import (
	"fmt"
	"slices"
	"strings"

	"sdref/golden/cases"
)

// newCondition puts the values of a coordinate at which cases fail, and those at which they do not, both
// sorted, into words: a threshold, a multiple, both, or a list.
func newCondition(axis string, wrong, right []int) Condition {
	words, is := describe(axis, wrong, right)
	return Condition{Axis: axis, Words: words, Wrong: wrong, Right: right,
		holds: func(p cases.Point) bool { return is(p.Get(axis)) }}
}

// describe finds the simplest description of the wrong values that holds for none of the right ones.
func describe(axis string, wrong, right []int) (words string, is func(int) bool) {
	first, last := wrong[0], wrong[len(wrong)-1]
	if words := binary[axis]; words != [2]string{} {
		return words[first], func(v int) bool { return v == first }
	}
	subject := axis + " " + verb(axis) + " "
	below, above := slices.Clone(right), slices.Clone(right)
	below = slices.DeleteFunc(below, func(v int) bool { return v > first })
	above = slices.DeleteFunc(above, func(v int) bool { return v < first })
	switch {
	case len(above) == 0:
		edge := below[len(below)-1]
		return subject + more(axis, edge, first), func(v int) bool { return v >= first }
	case len(below) == 0 && above[0] > last:
		return subject + atMost(axis, last), func(v int) bool { return v <= last }
	}
	if words, divides := multiples(wrong, above); words != "" {
		if len(below) == 0 || !slices.ContainsFunc(below, divides) {
			return subject + words, divides
		}
		edge := below[len(below)-1]
		return subject + more(axis, edge, first) + " and " + words, func(v int) bool {
			return v >= first && divides(v)
		}
	}
	return subject + listOf(axis, wrong), func(v int) bool { return slices.Contains(wrong, v) }
}

// fewest is how many wrong values a pattern must explain.
const fewest = 3

// multiples finds a number that all wrong values are multiples of and no right one, or the other way round,
// or that leaves the same remainder of all wrong ones and of no right one.
func multiples(wrong, right []int) (words string, is func(int) bool) {
	if len(wrong) < fewest {
		return "", nil
	}
	for k := 64; k > 1; k-- { // the largest, as no smaller one says more
		for r := range k {
			is := func(v int) bool { return v%k == r }
			switch {
			case slices.ContainsFunc(wrong, func(v int) bool { return !is(v) }) || slices.ContainsFunc(right, is):
			case r == 0:
				return fmt.Sprintf("a multiple of %d", k), is
			case k == 2:
				return "odd", is
			default:
				return fmt.Sprintf("%d more than a multiple of %d", r, k), is
			}
		}
	}
	for k := 2; k <= 64; k++ {
		not := func(v int) bool { return v%k != 0 }
		if len(right) > 1 && !slices.ContainsFunc(wrong, func(v int) bool { return !not(v) }) &&
			!slices.ContainsFunc(right, not) {
			return fmt.Sprintf("not a multiple of %d", k), not
		}
	}
	return "", nil
}

// binary are the words for coordinates that are 0 or 1.
var binary = map[string][2]string{
	"exact":    {"data are real numbers", "data are exact"},
	"signed":   {"codes are not negative", "codes have both signs"},
	"elastic":  {"mu is 0", "mu is not 0"},
	"paper":    {"the variant is the published one", "the variant is the paper's"},
	"training": {"BatchNorm has running statistics", "BatchNorm has the batch's statistics"},
}

func verb(axis string) string {
	if strings.HasSuffix(axis, "s") {
		return "are"
	}
	return "is"
}

// more is where the last right value is edge and the first wrong one is first.
func more(axis string, edge, first int) string {
	if first == edge+1 {
		return "greater than " + number(axis, edge)
	}
	return number(axis, first) + " or more"
}

func atMost(axis string, last int) string { return number(axis, last) + " or less" }

// number is a value as people read it.
func number(axis string, v int) string {
	if axis == "magnitude" {
		return fmt.Sprintf("2^%d", v)
	}
	return fmt.Sprint(v)
}

// maxListed is how many values a text lists.
const maxListed = 12

func listOf(axis string, values []int) string {
	var words []string
	for _, v := range values[:min(len(values), maxListed)] {
		words = append(words, number(axis, v))
	}
	if len(values) > maxListed {
		words = append(words, "...")
	}
	return strings.Join(words, ", ")
}

// quantity is something that several coordinates decide.
type quantity struct {
	name string
	axes []string
	of   func(p cases.Point) int
	// differ says that it is 0 where two coordinates are the same, and that this alone counts
	differ bool
}

var (
	// geometry are the axes that say which pixels an element of the code sees, sizes those that count something.
	geometry = []string{"kernel rows", "kernel columns", "stride", "padding", "dilation"}
	sizes    = []string{"batch", "channels", "atoms", "rows", "columns", "kernel rows", "kernel columns"}
	// ofCode are all axes that decide how large the code is.
	ofCode = slices.Concat(sizes, geometry[2:])
)

var quantities = []quantity{
	{"kernel rows and kernel columns", []string{"kernel rows", "kernel columns"}, func(p cases.Point) int {
		return p.Get("kernel rows") - p.Get("kernel columns")
	}, true},
	{"channels and atoms", []string{"channels", "atoms"}, func(p cases.Point) int {
		return p.Get("channels") - p.Get("atoms")
	}, true},
	{"rows and columns", []string{"rows", "columns"}, func(p cases.Point) int {
		return p.Get("rows") - p.Get("columns")
	}, true},
	{"rows of the code", slices.Concat([]string{"rows"}, geometry), func(p cases.Point) int {
		return p.CodeSides()["rows"]
	}, false},
	{"columns of the code", slices.Concat([]string{"columns"}, geometry), func(p cases.Point) int {
		return p.CodeSides()["columns"]
	}, false},
	{"elements of the largest activation", ofCode, cases.Point.Elements, false},
	{"elements of the code", ofCode, cases.Point.CodeElements, false},
	{"elements of the signal", []string{"batch", "channels", "rows", "columns"}, cases.Point.SignalElements,
		false},
	{"products in a sum over channels", []string{"channels", "kernel rows", "kernel columns"},
		func(p cases.Point) int {
			return p.Get("channels") * p.Get("kernel rows") * p.Get("kernel columns")
		}, false},
}

// threshold is the wrong value from which on most values are wrong while most below are right, and the largest
// right one below it, -1 if there is none.
func threshold(wrong, right []int) (edge, first int) {
	least := len(wrong) + len(right)
	for _, v := range wrong {
		errors := 0
		for _, w := range wrong {
			if w < v {
				errors++
			}
		}
		for _, r := range right {
			if r >= v {
				errors++
			}
		}
		if errors < least {
			least, first = errors, v
		}
	}
	edge = -1
	for _, r := range right {
		if r < first {
			edge = max(edge, r)
		}
	}
	return edge, first
}

// condition puts the values of a quantity into words, a threshold; nil if they do not tell.
func (q quantity) condition(wrong, right []int) *Condition {
	c := &Condition{Axis: q.name, unites: q.axes}
	if q.differ {
		c.Words = q.name + " differ"
		c.holds = func(p cases.Point) bool { return q.of(p) != 0 }
		if equal := func(v int) bool { return v == 0 }; slices.ContainsFunc(wrong, equal) {
			c.Words = q.name + " are the same"
			c.holds = func(p cases.Point) bool { return q.of(p) == 0 }
		}
		return c
	}
	edge, first := threshold(wrong, right)
	if edge < 0 {
		return nil
	}
	c.Wrong, c.Right = []int{first}, []int{edge}
	c.Words = fmt.Sprintf("%s are %d or more", q.name, first)
	for k := 0; k < 40; k++ {
		if edge <= 1<<k && first > 1<<k {
			c.Words = fmt.Sprintf("%s are more than 2^%d = %d", q.name, k, 1<<k)
		}
	}
	c.holds = func(p cases.Point) bool { return q.of(p) >= first }
	return c
}
