package attack

import (
	"fmt"
	"math"

	"sdref/internal/random"
	"sdref/sdnet/data"
	"sdref/tensor"
)

// Attack attacks the images of a trial that are not found yet, or all of them if the attack persists. An image that a smaller
// epsilon found remains found, which is right: it lies in the larger ball too. What comes of an image depends on no other one. After
// each pass of a batch through the network it calls progress, if that is not nil, and returns false if the answer is false.
// An attack that makes no step, or whose epsilon is negative, is a panic.
func (v *Victim[T]) Attack(t *Trial[T], a PGD, progress func(images int) bool) bool {
	if a.Steps < 1 || a.Restarts < 1 || !(a.Epsilon >= 0) {
		panic(fmt.Sprintf("attack: no attack has %d steps, %d restarts, epsilon %g", a.Steps, a.Restarts, a.Epsilon))
	}
	for restart := range a.Restarts {
		var open []int
		for j, found := range t.Found {
			if a.Persist || !found {
				open = append(open, j)
			}
		}
		for ; len(open) > 0; open = open[min(v.batch, len(open)):] {
			r := &round[T]{victim: v, trial: t, PGD: a, open: open[:min(v.batch, len(open))], progress: progress}
			if !r.run(restart) {
				return false
			}
		}
	}
	return true
}

// Start makes the worst images of a trial those with which an attack begins: changed at random, for comparison.
func (v *Victim[T]) Start(t *Trial[T], a PGD) {
	r := &round[T]{victim: v, trial: t, PGD: a}
	for j := range t.Found {
		r.open = append(r.open, j)
	}
	r.begin(0)
	t.Worst = r.images
}

// round is an attack on a batch from one random start.
type round[T tensor.Float] struct {
	PGD
	victim   *Victim[T]
	trial    *Trial[T]
	open     []int             // which images of the trial
	images   *tensor.Tensor[T] // len(open) x 3 x H x W, as the attack has them
	progress func(images int) bool
}

// run makes the steps; it returns false if it was stopped.
func (r *round[T]) run(restart int) bool {
	r.begin(restart)
	for range r.Steps {
		var labels []int
		for _, i := range r.open {
			labels = append(labels, r.trial.Labels[i])
		}
		gradient, classes := r.victim.Gradient(r.images, labels)
		passed := len(r.open)
		kept := r.settle(classes)
		for _, j := range kept {
			r.step(j, gradient.Row(j).Data)
		}
		r.keep(kept)
		if r.progress != nil && !r.progress(passed) {
			return false
		}
		if len(r.open) == 0 {
			return true
		}
	}
	for _, j := range r.settle(r.victim.Classes(r.images)) {
		copy(r.trial.Worst.Row(r.open[j]).Data, r.images.Row(j).Data)
	}
	return true
}

// settle notes which of the images the network mistakes, and returns the places of those with which the attack goes on.
func (r *round[T]) settle(classes []int) (kept []int) {
	for j, i := range r.open {
		if classes[j] != r.trial.Labels[i] && !r.trial.Found[i] {
			r.trial.Found[i] = true
			copy(r.trial.Worst.Row(i).Data, r.images.Row(j).Data)
		}
		if r.Persist || !r.trial.Found[i] {
			kept = append(kept, j)
		}
	}
	return kept
}

// keep goes on with the images at the given places only.
func (r *round[T]) keep(places []int) {
	if len(places) == len(r.open) {
		return
	}
	r.images = rows(r.images, places)
	open := make([]int, len(places))
	for k, j := range places {
		open[k] = r.open[j]
	}
	r.open = open
}

// rows copies some rows of a tensor.
func rows[T tensor.Float](t *tensor.Tensor[T], places []int) *tensor.Tensor[T] {
	out := tensor.New[T](append([]int{len(places)}, t.Shape[1:]...)...)
	for k, j := range places {
		copy(out.Row(k).Data, t.Row(j).Data)
	}
	return out
}

// begin puts the images at random places of their balls.
func (r *round[T]) begin(restart int) {
	r.images = rows(r.trial.Images, r.open)
	streams := random.New(r.Seed).Sub("attack on " + r.trial.draws)
	for j, i := range r.open {
		r.scatter(j, streams.Sub("start", uint64(r.trial.indices[i]), uint64(restart)))
	}
}

// scatter moves image j to a random place of the ball: each value uniform (Linf), or in the direction of a uniform point of a cube,
// at a distance uniform up to epsilon (L2).
func (r *round[T]) scatter(j int, s random.Stream) {
	p := r.images.Row(j)
	direction := tensor.New[float64](p.Shape...)
	for k := range direction.Data {
		direction.Data[k] = s.Unit(uint64(k))
	}
	length := r.Epsilon
	if r.Norm == L2 {
		length *= s.Float(data.ImageBytes) / math.Sqrt(tensor.SumSquares(direction))
	}
	for k, d := range direction.Data {
		p.Data[k] += T(length * d)
	}
	r.project(j)
}

// step moves image j along the gradient g and back into the ball. A gradient of zeros moves nothing.
func (r *round[T]) step(j int, g []T) {
	p, length := r.images.Row(j), stepShare*r.Epsilon/float64(r.Steps)
	if r.Norm == L2 {
		norm := math.Sqrt(tensor.SumSquares(tensor.From(g, len(g))))
		if norm == 0 {
			return
		}
		scale := T(length / norm)
		for k, d := range g {
			p.Data[k] += T(scale * d)
		}
	} else {
		for k, d := range g {
			switch {
			case d > 0:
				p.Data[k] += T(length)
			case d < 0:
				p.Data[k] -= T(length)
			}
		}
	}
	r.project(j)
}

// project brings image j back into the ball around its origin, and into [0, 1]. The origin lies in [0, 1], so that the second does
// not undo the first.
func (r *round[T]) project(j int) {
	p, origin := r.images.Row(j), r.trial.Images.Row(r.open[j])
	if r.Norm == L2 {
		difference := tensor.New[T](p.Shape...)
		tensor.AddScaled(difference, p, origin, -1)
		if size := math.Sqrt(tensor.SumSquares(difference)); size > r.Epsilon {
			tensor.AddScaled(p, origin, difference, T(r.Epsilon/size))
		}
	}
	for k, o := range origin.Data {
		low, high := T(0), T(1)
		if r.Norm == Linf {
			low, high = max(low, o-T(r.Epsilon)), min(high, o+T(r.Epsilon))
		}
		p.Data[k] = min(max(p.Data[k], low), high)
	}
}
