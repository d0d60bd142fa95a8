package explore

import (
	"context"
	"fmt"
	"slices"

	"sdref/golden/cases"
	"sdref/golden/judge"
)

// search looks for the smallest case that fails as one did, and asks its neighbours.
type search struct {
	*Explorer
	what string // nameOf the first report
	// steady says that the case fails with other data, too: so must smaller ones then, or they would be such as
	// fail by chance
	steady  bool
	maxCost int // of a case that is asked
	seen    map[string]*sample
	list    []*sample // seen, in order
}

// sample is a point that was asked.
type sample struct {
	point  cases.Point
	report judge.Report
	fails  bool // as the first one did
}

const (
	// cheap is what a case may always cost that a search asks.
	cheap = 1 << 17
	// maxPasses is how often all coordinates are shrunk in turn.
	maxPasses = 4
	// ladder is how many values of a coordinate are asked at once.
	ladder = 24
	// searchCases is how many cases a search asks in one round.
	searchCases = 64
)

func keyOf(p cases.Point) string { return fmt.Sprint(p.String(), " ", p.Seed) }

// moved is a point with another value along an axis.
func moved(p cases.Point, axis string, v int) cases.Point {
	at := map[string]int{axis: v}
	for name, v := range p.At {
		if name != axis {
			at[name] = v
		}
	}
	p.At = at
	return p
}

// ask asks those points that are cases and not too dear, in rounds, and returns what became of each, nil for
// the others.
func (s *search) ask(ctx context.Context, points []cases.Point) ([]*sample, error) {
	var round []cases.Point
	cost := 0
	flush := func() error {
		if len(round) == 0 {
			return nil
		}
		reports, err := s.Explorer.ask(ctx, round)
		if err != nil {
			return err
		}
		for i, r := range reports {
			t := &sample{round[i], r, failure(r) != nil && nameOf(r) == s.what}
			s.seen[keyOf(round[i])] = t
			s.list = append(s.list, t)
		}
		s.Asked += len(round)
		round, cost = nil, 0
		return nil
	}
	out := make([]*sample, len(points))
	asked := map[string]bool{}
	for _, p := range points {
		c := p.Cost()
		if asked[keyOf(p)] || s.seen[keyOf(p)] != nil || c < 0 || c > s.maxCost || p.Check() != nil ||
			!slices.Contains(s.Doing, p.Kind) {
			continue
		}
		asked[keyOf(p)] = true
		round = append(round, p)
		if cost += c; len(round) == searchCases || cost > maxRoundCost {
			if err := flush(); err != nil {
				return nil, err
			}
		}
	}
	if err := flush(); err != nil {
		return nil, err
	}
	for i, p := range points {
		if t := s.seen[keyOf(p)]; t != nil && t.report.Verdict != judge.NotCovered {
			out[i] = t
		}
	}
	return out, nil
}

// shrink makes the coordinates of a case that fails simpler, one after the other, as long as it fails in the
// same operator.
func (s *search) shrink(ctx context.Context, p cases.Point, r judge.Report) (*sample, error) {
	now := &sample{p, r, true}
	s.seen[keyOf(p)] = now
	s.list = append(s.list, now)
	again, err := s.ask(ctx, withData([]cases.Point{p}))
	if err != nil {
		return nil, err
	}
	s.steady = !slices.ContainsFunc(again, func(t *sample) bool { return t == nil || !t.fails })
	for range maxPasses {
		before := now
		if now, err = s.simplerKind(ctx, now); err != nil {
			return nil, err
		}
		if now, err = s.simplerGeometry(ctx, now); err != nil {
			return nil, err
		}
		for _, a := range cases.AxesOf(now.point.Kind) {
			if now, err = s.shrinkAxis(ctx, now, a); err != nil {
				return nil, err
			}
		}
		if now == before {
			break
		}
	}
	return now, nil
}

// simplerKind looks for a simpler kind of case that fails with the same coordinates.
func (s *search) simplerKind(ctx context.Context, now *sample) (*sample, error) {
	var points []cases.Point
	for _, kind := range cases.Drawable() {
		if kind == now.point.Kind {
			break
		}
		p := now.point
		p.Kind = kind
		points = append(points, p)
	}
	return s.firstFailing(ctx, now, points)
}

// simplerGeometry looks for a case with a simpler kernel, stride, padding or dilation whose code has the same
// size, as far as that goes: where the failure depends on it, none of these can change alone.
func (s *search) simplerGeometry(ctx context.Context, now *sample) (*sample, error) {
	if !now.point.HasAxis("kernel rows") {
		return now, nil
	}
	var points []cases.Point
	for _, simple := range [][]string{{"kernel rows", "kernel columns", "stride", "padding", "dilation"},
		{"stride", "padding", "dilation"}, {"padding"}, {"stride"}, {"dilation"}} {
		p := now.point
		for _, axis := range simple {
			v := 1
			if axis == "padding" {
				v = 0
			}
			p = moved(p, axis, v)
		}
		p = fitted(p, now.point)
		if simpler(p, now.point, simple) {
			points = append(points, p)
		}
	}
	return s.firstFailing(ctx, now, points)
}

// fitted is a point with so many rows and columns that the code has the same size as another's.
func fitted(p, like cases.Point) cases.Point {
	for axis, side := range like.CodeSides() {
		reach := p.Get("dilation") * (p.Get("kernel "+axis) - 1)
		p = moved(p, axis, (side-1)*p.Get("stride")+reach+1-2*p.Get("padding"))
	}
	return p
}

// simpler tells whether a point has another value than another one along some axis.
func simpler(p, than cases.Point, axes []string) bool {
	return slices.ContainsFunc(axes, func(axis string) bool { return p.Get(axis) != than.Get(axis) })
}

// firstFailing asks points, with several data each, and returns the first that fails, or now.
func (s *search) firstFailing(ctx context.Context, now *sample, points []cases.Point) (*sample, error) {
	samples, err := s.ask(ctx, withData(points))
	if err != nil {
		return nil, err
	}
	for group := range slices.Chunk(samples, dataSeeds) {
		passing := func(t *sample) bool { return t == nil || !t.fails }
		failing := slices.IndexFunc(group, func(t *sample) bool { return !passing(t) })
		if failing >= 0 && !(s.steady && slices.ContainsFunc(group, passing)) {
			return group[failing], nil
		}
	}
	return now, nil
}

// withData are the points with several data each, one after the other: a small result may be right by chance.
func withData(points []cases.Point) (list []cases.Point) {
	for _, p := range points {
		for range dataSeeds {
			list = append(list, p)
			p.Seed++
		}
	}
	return list
}

// dataSeeds is with how many data a point is asked.
const dataSeeds = 2

// shrinkAxis brings a coordinate as near to its simplest value as it fails: first to one of some values on
// the way, then between that and the last one before it that does not fail.
func (s *search) shrinkAxis(ctx context.Context, now *sample, a cases.Axis) (*sample, error) {
	v := now.point.Get(a.Name)
	side, far := 1, v-a.Simplest
	if far < 0 {
		side, far = -1, -far
	}
	low, steps := -1, stepsBefore(a, side, far) // low is the farthest step that does not fail
	for len(steps) > 0 {
		points := make([]cases.Point, len(steps))
		for i, k := range steps {
			points[i] = moved(now.point, a.Name, a.Simplest+side*k)
		}
		next, err := s.firstFailing(ctx, now, points)
		if err != nil {
			return nil, err
		}
		far = (next.point.Get(a.Name) - a.Simplest) * side
		for _, k := range steps {
			if k < far {
				low = max(low, k)
			}
		}
		now = next
		steps = between(low, far)
	}
	return now, nil
}

// stepsBefore are distances from an axis's simplest value that are less than far: small ones, and those of
// interesting values.
func stepsBefore(a cases.Axis, side, far int) []int {
	var steps []int
	add := func(k int) {
		if k >= 0 && k < far {
			steps = append(steps, k)
		}
	}
	for k := range ladder / 2 {
		add(k)
	}
	for _, v := range interesting[a.Name] {
		add((v - a.Simplest) * side)
	}
	add(far / 2)
	add(far - 1)
	slices.Sort(steps)
	return slices.Compact(steps)
}

// between are distances between two, all or a few of them.
func between(low, high int) (steps []int) {
	gap := high - low
	for i := 1; i < min(gap, ladder); i++ {
		steps = append(steps, low+gap*i/min(gap, ladder))
	}
	return steps
}
