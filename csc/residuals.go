package csc

import (
	"math"

	"sdref/internal/names"
	"sdref/tensor"
)

// Accuracy says how far the linear systems of implicit differentiation are solved. What is 0 stands for DefaultAccuracy's.
type Accuracy struct {
	Tolerance float64 // on |g - H q| / |g|; eigenvalues of H below Tolerance times the largest count as 0
	Rounds    int     // at the most
}

// DefaultAccuracy is Tolerance 1e-5 in float32 and 1e-10 in float64, and 200 Rounds.
func DefaultAccuracy[T tensor.Float]() Accuracy {
	var one T = 1
	if one+T(0x1p-40) == one {
		return Accuracy{1e-5, 200}
	}
	return Accuracy{1e-10, 200}
}

// Outcome says in which sense the system H q = g of an image was solved.
type Outcome int

const (
	Solved     Outcome = iota // |g - H q| <= Tolerance |g|
	Singular                  // H is singular and g has a part in its null space: q is the shortest minimiser of |g - H q|
	Unfinished                // Rounds ran out, or numbers that are not finite came up
)

func (o Outcome) String() string {
	return names.Of(o, []string{Solved: "solved", Singular: "singular", Unfinished: "unfinished"})
}

// MarshalText returns the text, for files.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// System is how the linear system of one image went.
type System struct {
	Outcome  Outcome
	Support  int     // unknowns: elements of z that are not 0
	Rounds   int     // each one synthesis and one analysis
	Residual float64 // |g - H q| / |g|
}

// withDefaults replaces what is 0.
func withDefaults[T tensor.Float](a Accuracy) Accuracy {
	d := DefaultAccuracy[T]()
	if a.Tolerance == 0 {
		a.Tolerance = d.Tolerance
	}
	if a.Rounds == 0 {
		a.Rounds = d.Rounds
	}
	return a
}

// conjugateResiduals sets q to the solutions of H q = g on the support, 0 elsewhere, one system for each image (row of q), by the
// method of conjugate residuals (Stiefel 1955), the conjugate gradient method in which |g - H q| decreases from round to round and
// which converges to a least-squares solution where H is singular:
//
//	q += a p,  r -= a H p,  a = <r, H r>/|H p|^2;     p = r + b p,  H p = H r + b H p,  b = <r, H r>/<r, H r> before,
//
// from q = 0, r = p = g.
func conjugateResiduals[T tensor.Float](q, g *tensor.Tensor[T], h *normalOperator[T], a Accuracy, arena *tensor.Arena[T]) []System {
	r, p, hr, hp := arena.Get(q.Shape...), arena.Get(q.Shape...), arena.Get(q.Shape...), arena.Get(q.Shape...)
	q.Fill(0)
	h.mask(r, g)
	h.apply(hr, r)
	copy(p.Data, r.Data)
	copy(hp.Data, hr.Data)
	images := make([]residuals[T], q.Shape[0])
	systems := make([]System, q.Shape[0])
	for n := range images {
		i := residuals[T]{Accuracy: a, q: q.Row(n), r: r.Row(n), p: p.Row(n), hr: hr.Row(n), hp: hp.Row(n)}
		i.Support = tensor.CountNonzero(h.z.Row(n))
		i.norm, i.curvature = math.Sqrt(tensor.SumSquares(i.r)), tensor.Dot(i.r, i.hr)
		images[n] = i
	}
	for active := len(images); active > 0; {
		active = 0
		for n := range images {
			if images[n].advance() {
				active++
			}
		}
		if active > 0 {
			h.apply(hr, r)
		}
		for n := range images {
			images[n].turn()
		}
	}
	for n, i := range images {
		systems[n] = i.System
	}
	for _, t := range []*tensor.Tensor[T]{r, p, hr, hp} {
		arena.Put(t)
	}
	return systems
}

// residuals is the state of one image's system.
type residuals[T tensor.Float] struct {
	System
	Accuracy
	q, r, p, hr, hp *tensor.Tensor[T]
	norm            float64 // |g|
	curvature       float64 // <r, H r>
	largest         float64 // the largest |H r|/|r| so far, which is at most H's largest eigenvalue
	done            bool
}

// advance ends the system if it can be, and otherwise moves q and r along p.
func (i *residuals[T]) advance() bool {
	if i.done || i.finished() {
		i.done = true
		return false
	}
	step := T(i.curvature / tensor.SumSquares(i.hp))
	tensor.AddScaled(i.q, i.q, i.p, step)
	tensor.AddScaled(i.r, i.r, i.hp, -step)
	i.System.Rounds++
	return true
}

// finished tells whether nothing more is to be done, and says in the System why.
func (i *residuals[T]) finished() bool {
	r, hr := math.Sqrt(tensor.SumSquares(i.r)), math.Sqrt(tensor.SumSquares(i.hr))
	if i.norm > 0 {
		i.Residual = r / i.norm
	}
	if r > 0 {
		i.largest = max(i.largest, hr/r)
	}
	switch {
	case r <= i.Tolerance*i.norm:
		i.Outcome = Solved
	case hr <= i.Tolerance*i.largest*r:
		i.Outcome = Singular
		i.shorten()
	case i.System.Rounds == i.Accuracy.Rounds || !(i.curvature > 0):
		i.Outcome = Unfinished
	default:
		return false
	}
	return true
}

// shorten takes the part in the null space out of q. All that the rounds added to g in the null space are multiples of g's own
// part there, which r is now.
func (i *residuals[T]) shorten() {
	share := tensor.Dot(i.q, i.r) / tensor.SumSquares(i.r)
	tensor.AddScaled(i.q, i.q, i.r, T(-share))
}

// turn sets the next direction from the new H r.
func (i *residuals[T]) turn() {
	if i.done {
		return
	}
	before := i.curvature
	i.curvature = tensor.Dot(i.r, i.hr)
	b := T(i.curvature / before)
	tensor.AddScaled(i.p, i.r, i.p, b)
	tensor.AddScaled(i.hp, i.hr, i.hp, b)
}
