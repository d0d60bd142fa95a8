package explore

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"sdref/golden/cases"
	"sdref/golden/judge"
	"sdref/internal/random"
)

// Rule says where cases fail. Where all conditions hold they were seen to fail, as far as was asked.
type Rule struct {
	What       string      // the operator
	Kinds      []string    // in which the smallest case fails
	RightKinds []string    // in which it does not
	Conditions []Condition // none: everywhere
	Drawn      int         // cases that were drawn to see whether the rule holds
	Failed     int         // of them
}

// Condition is what a coordinate has to do with a failure.
type Condition struct {
	Axis   string // of the coordinate, or the name of a quantity that several decide
	Words  string // "channels are a multiple of 4"
	Wrong  []int  // values at which cases fail
	Right  []int  // values at which none does
	holds  func(p cases.Point) bool
	unites []string // the axes that decide it
}

// String is the rule in words.
func (r Rule) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s: wrong in %s", r.What, strings.Join(r.Kinds, ", "))
	var right []string
	for i, c := range r.Conditions {
		fmt.Fprintf(&s, " %s %s", []string{"where", "and"}[min(i, 1)], c.Words)
		if len(c.Right) > 0 {
			right = append(right, c.Axis+" "+listOf(c.Axis, c.Right))
		}
	}
	if len(r.Conditions) == 0 {
		s.WriteString(", whatever the coordinates")
	}
	if len(right) > 0 {
		fmt.Fprintf(&s, "; right at %s", strings.Join(right, "; at "))
	}
	if len(r.RightKinds) > 0 {
		fmt.Fprintf(&s, "; right in %s", strings.Join(r.RightKinds, ", "))
	}
	return s.String()
}

// Holds tells whether a point is one of those that the rule is about.
func (r Rule) Holds(p cases.Point) bool {
	return !slices.ContainsFunc(r.Conditions, func(c Condition) bool { return !c.holds(p) })
}

// explains tells whether a failure is one of those that were found.
func (f *Finding) explains(p cases.Point, r judge.Report) bool {
	return nameOf(r) == f.Rule.What && f.Rule.Holds(p)
}

const (
	// moreData is with how many more data, times dataSeeds, a value is asked that looks right beyond wrong ones.
	moreData = 3
	// confirmations is how many cases are drawn to see whether a rule holds.
	confirmations = 12
	// maxDraws is how many points are drawn to find these.
	maxDraws = 2000
)

// rule asks the neighbours of the smallest case along each coordinate, and others that decide between
// coordinates and what they have in common, and chooses the conditions that contradict the least of all that
// was seen.
func (s *search) rule(ctx context.Context, p cases.Point) (Rule, error) {
	r := Rule{What: s.what, Kinds: []string{p.Kind}}
	var conditions []Condition
	for _, a := range cases.AxesOf(p.Kind) {
		wrong, right, err := s.probe(ctx, p, a)
		if err != nil {
			return r, err
		}
		if len(right) > 0 {
			conditions = append(conditions, newCondition(a.Name, wrong, right))
		}
	}
	if err := s.kinds(ctx, p, &r); err != nil {
		return r, err
	}
	if err := s.cross(ctx, p, conditions); err != nil {
		return r, err
	}
	r.Conditions = s.best(p, conditions)
	return r, s.confirm(ctx, p, &r)
}

// probe asks the neighbours of a point along an axis, and returns the values that fail and those that do not.
func (s *search) probe(ctx context.Context, p cases.Point, a cases.Axis) (wrong, right []int, err error) {
	wrong, right, err = s.values(ctx, p, a, neighbours(a, p.Get(a.Name), p.Cost() > dear))
	if err != nil || len(wrong) == 0 {
		return wrong, right, err
	}
	// A value beyond one that fails may be right by chance.
	first := slices.IndexFunc(right, func(v int) bool { return v > wrong[0] })
	for k := uint64(1); first >= 0 && first < len(right) && k <= moreData; k++ {
		p.Seed += dataSeeds
		more, _, err := s.values(ctx, p, a, right[first:])
		if err != nil {
			return nil, nil, err
		}
		right = slices.DeleteFunc(right, func(v int) bool { return slices.Contains(more, v) })
		wrong = append(wrong, more...)
		slices.Sort(wrong)
	}
	return wrong, right, nil
}

// values asks a point with other values along an axis and, where that changes the size of the code, also with
// such an image as keeps it. A value is wrong if any of these fails, and right if none does.
func (s *search) values(ctx context.Context, p cases.Point, a cases.Axis, list []int) (wrong, right []int, err error) {
	fit := p.HasAxis("kernel rows") && slices.Contains(geometry, a.Name)
	var points []cases.Point
	for _, v := range list {
		q := moved(p, a.Name, v)
		if points = append(points, q); fit {
			points = append(points, fitted(q, p))
		}
	}
	samples, err := s.ask(ctx, withData(points))
	if err != nil {
		return nil, nil, err
	}
	for i, group := range slices.Collect(slices.Chunk(samples, len(samples)/len(list))) {
		switch {
		case slices.ContainsFunc(group, func(t *sample) bool { return t != nil && t.fails }):
			wrong = append(wrong, list[i])
		case group[len(group)-1] != nil: // the last ones are those with the same code
			right = append(right, list[i])
		}
	}
	return wrong, right, nil
}

// dear is from how many multiply-adds on few neighbours are asked.
const dear = 1 << 14

// neighbours are values around v along an axis, from small to large, and simple and interesting ones.
func neighbours(a cases.Axis, v int, few bool) []int {
	small, before, after := 12, 5, 9
	if few {
		small, before, after = 4, 1, 3
	}
	var list []int
	add := func(v int) {
		if v >= a.Least && v <= a.Most {
			list = append(list, v)
		}
	}
	for k := range small {
		add(a.Simplest + k)
	}
	for k := v - before; k <= v+after; k++ {
		add(k)
	}
	for i, w := range interesting[a.Name] {
		if i%3 == 0 && !few {
			add(w)
		}
	}
	for k := 2; k <= 4 && !few; k++ {
		add(k * v)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// kinds asks the same coordinates of all kinds.
func (s *search) kinds(ctx context.Context, p cases.Point, r *Rule) error {
	var points []cases.Point
	for _, kind := range s.Doing {
		if kind != p.Kind {
			q := p
			q.Kind = kind
			points = append(points, q)
		}
	}
	samples, err := s.ask(ctx, points)
	for _, t := range samples {
		switch {
		case t == nil:
		case t.fails:
			r.Kinds = append(r.Kinds, t.point.Kind)
		default:
			r.RightKinds = append(r.RightKinds, t.point.Kind)
		}
	}
	return err
}

// cross asks points that have half as much along one axis on which the failure depends, and twice as much
// along another.
func (s *search) cross(ctx context.Context, p cases.Point, conditions []Condition) error {
	var points []cases.Point
	for _, c := range conditions {
		if !slices.Contains(sizes, c.Axis) {
			continue
		}
		for _, other := range sizes {
			if other != c.Axis && p.HasAxis(other) {
				q := moved(p, c.Axis, (p.Get(c.Axis)+1)/2)
				points = append(points, moved(q, other, 2*p.Get(other)), moved(q, other, 3*p.Get(other)))
			}
		}
	}
	_, err := s.ask(ctx, points)
	return err
}

// best chooses between the conditions as they are and such as unite several coordinates.
func (s *search) best(p cases.Point, conditions []Condition) []Condition {
	best, least := conditions, s.contradictions(p.Kind, conditions)
	for _, q := range quantities {
		others := slices.DeleteFunc(slices.Clone(conditions), func(c Condition) bool {
			return slices.Contains(q.axes, c.Axis)
		})
		if len(others) == len(conditions) {
			continue
		}
		var wrong, right []int
		for _, t := range s.list {
			if t.point.Kind == p.Kind && (Rule{Conditions: others}).Holds(t.point) {
				if t.fails {
					wrong = append(wrong, q.of(t.point))
				} else {
					right = append(right, q.of(t.point))
				}
			}
		}
		if len(wrong) == 0 || len(right) == 0 {
			continue
		}
		united := q.condition(wrong, right)
		if united == nil {
			continue
		}
		list := append(slices.Clone(others), *united)
		if n := s.contradictions(p.Kind, list); n < least {
			best, least = list, n
		}
	}
	return best
}

// contradictions counts the points that were asked of a kind and that conditions are wrong about.
func (s *search) contradictions(kind string, conditions []Condition) (n int) {
	for _, t := range s.list {
		if t.point.Kind == kind && t.fails != (Rule{Conditions: conditions}).Holds(t.point) {
			n++
		}
	}
	return n
}

// confirm draws cases that the rule is about and asks them.
func (s *search) confirm(ctx context.Context, p cases.Point, r *Rule) error {
	stream := random.New(p.Seed).Sub("confirm")
	var points []cases.Point
	for i := uint64(0); i < maxDraws && len(points) < confirmations; i++ {
		q := drawPoint(stream.Sub("case", i), p.Kind)
		q.Seed = p.Seed + i
		for k, c := range r.Conditions {
			if len(c.unites) == 0 {
				q.At[c.Axis] = c.Wrong[stream.Sub("value", i).Intn(uint64(k), len(c.Wrong))]
			}
		}
		if c := q.Cost(); c >= 0 && c <= maxCost && q.Check() == nil && r.Holds(q) {
			points = append(points, q)
		}
	}
	samples, err := s.ask(ctx, points)
	for _, t := range samples {
		if t != nil {
			r.Drawn++
			if t.fails {
				r.Failed++
			}
		}
	}
	return err
}
