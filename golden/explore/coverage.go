package explore

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Seen is what was seen of a coordinate.
type Seen struct {
	Axis        string
	Least, Most int
	Values      int // how many
}

// Coverage lists what the drawn cases have shown of each coordinate, over all kinds that the backend does, and
// counts the pairs of values, by kind.
func (e *Explorer) Coverage() (list []Seen, pairs int) {
	for _, axis := range e.covered.order {
		values := slices.Sorted(maps.Keys(e.covered.seen[axis]))
		list = append(list, Seen{axis, values[0], values[len(values)-1], len(values)})
	}
	return list, len(e.covered.pairs)
}

// String is one coordinate in words.
func (s Seen) String() string {
	if s.Least == s.Most {
		return fmt.Sprintf("%s %d", s.Axis, s.Least)
	}
	return fmt.Sprintf("%s %d to %d (%d values)", s.Axis, s.Least, s.Most, s.Values)
}

// DrawnOf says how many cases of each kind were drawn.
func (e *Explorer) DrawnOf() string {
	var words []string
	for _, kind := range e.Doing {
		words = append(words, fmt.Sprintf("%s %d", kind, e.covered.kinds[kind]))
	}
	return strings.Join(words, ", ")
}
