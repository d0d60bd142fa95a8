package attack

import (
	"math"

	"sdref/internal/misuse"
	"sdref/internal/random"
	"sdref/sdnet/data"
	"sdref/tensor"
)

// Attack looks for adversarial examples of the images for which none is found yet, or of all images with
// MaximizeLoss. One that was found with a smaller epsilon remains valid, since it lies in the larger ball
// too. The result for an image depends on no other one. After each pass of a batch through the network it
// calls progress, if that is not nil, and returns false if that returns false. It panics for an attack
// without steps or restarts or with a negative epsilon.
func (v *Model[T]) Attack(t *Examples[T], a PGD, progress func(images int) bool) bool {
	if a.Steps < 1 || a.Restarts < 1 || !(a.Epsilon >= 0) {
		panic(misuse.Errorf("attack: no attack has %d steps, %d restarts, epsilon %g", a.Steps, a.Restarts,
			a.Epsilon))
	}
	for restart := range a.Restarts {
		var open []int
		for j, found := range t.Found {
			if a.MaximizeLoss || !found {
				open = append(open, j)
			}
		}
		for ; len(open) > 0; open = open[min(v.batch, len(open)):] {
			r := &batchAttack[T]{model: v, examples: t, PGD: a, open: open[:min(v.batch, len(open))],
				progress: progress}
			if !r.run(restart) {
				return false
			}
		}
	}
	return true
}

// RandomStart sets the worst images to the random starts of an attack: images changed at random, for
// comparison.
func (v *Model[T]) RandomStart(t *Examples[T], a PGD) {
	r := &batchAttack[T]{model: v, examples: t, PGD: a}
	for j := range t.Found {
		r.open = append(r.open, j)
	}
	r.begin(0)
	t.Worst = r.images
}

// batchAttack is an attack on a batch from one random start.
type batchAttack[T tensor.Float] struct {
	PGD
	model    *Model[T]
	examples *Examples[T]
	open     []int             // the indices in examples of the images that are still attacked
	images   *tensor.Tensor[T] // len(open) x 3 x H x W: the current point of the attack
	progress func(images int) bool
}

// run does the steps; it returns false if progress stopped it.
func (r *batchAttack[T]) run(restart int) bool {
	r.begin(restart)
	for range r.Steps {
		var labels []int
		for _, i := range r.open {
			labels = append(labels, r.examples.Labels[i])
		}
		gradient, classes := r.model.Gradient(r.images, labels)
		passed := len(r.open)
		kept := r.record(classes)
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
	for _, j := range r.record(r.model.Classes(r.images)) {
		copy(r.examples.Worst.Row(r.open[j]).Data, r.images.Row(j).Data)
	}
	return true
}

// record marks the images that the network mistakes as found, and returns the positions in open of those that
// are attacked further.
func (r *batchAttack[T]) record(classes []int) (kept []int) {
	for j, i := range r.open {
		if classes[j] != r.examples.Labels[i] && !r.examples.Found[i] {
			r.examples.Found[i] = true
			copy(r.examples.Worst.Row(i).Data, r.images.Row(j).Data)
		}
		if r.MaximizeLoss || !r.examples.Found[i] {
			kept = append(kept, j)
		}
	}
	return kept
}

// keep drops all images but those at the given positions in open.
func (r *batchAttack[T]) keep(positions []int) {
	if len(positions) == len(r.open) {
		return
	}
	r.images = rows(r.images, positions)
	open := make([]int, len(positions))
	for k, j := range positions {
		open[k] = r.open[j]
	}
	r.open = open
}

// rows copies some rows of a tensor.
func rows[T tensor.Float](t *tensor.Tensor[T], positions []int) *tensor.Tensor[T] {
	out := tensor.New[T](append([]int{len(positions)}, t.Shape[1:]...)...)
	for k, j := range positions {
		copy(out.Row(k).Data, t.Row(j).Data)
	}
	return out
}

// begin moves the images to random points of their balls.
func (r *batchAttack[T]) begin(restart int) {
	r.images = rows(r.examples.Images, r.open)
	streams := random.New(r.Seed).Sub("attack on " + r.examples.draws)
	for j, i := range r.open {
		r.scatter(j, streams.Sub("start", uint64(r.examples.indices[i]), uint64(restart)))
	}
}

// scatter moves image j to a random point of its ball: each value uniform (Linf), or in the direction of a
// uniform point of a cube, at a distance uniform up to epsilon (L2).
func (r *batchAttack[T]) scatter(j int, s random.Stream) {
	p := r.images.Row(j)
	direction := tensor.New[float64](p.Shape...)
	for k := range direction.Data {
		direction.Data[k] = s.Unit(uint64(k))
	}
	length := r.Epsilon
	if r.Norm == L2 {
		length *= s.Float(data.ImageBytes) / math.Sqrt(tensor.SumSquaresWithin(r.model.Workers, direction))
	}
	for k, d := range direction.Data {
		p.Data[k] += T(length * d)
	}
	r.project(j)
}

// step moves image j along the gradient g and projects it onto the ball. A gradient of zeros does not move
// it.
func (r *batchAttack[T]) step(j int, g []T) {
	p, length := r.images.Row(j), stepShare*r.Epsilon/float64(r.Steps)
	if r.Norm == L2 {
		norm := math.Sqrt(tensor.SumSquaresWithin(r.model.Workers, tensor.From(g, len(g))))
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

// project projects image j onto the ball around its original, then onto [0, 1]. The original lies in [0, 1],
// so the second projection does not leave the ball.
func (r *batchAttack[T]) project(j int) {
	p, origin := r.images.Row(j), r.examples.Images.Row(r.open[j])
	if r.Norm == L2 {
		difference := tensor.New[T](p.Shape...)
		tensor.AddScaledWithin(r.model.Workers, difference, p, origin, -1)
		if size := math.Sqrt(tensor.SumSquaresWithin(r.model.Workers, difference)); size > r.Epsilon {
			tensor.AddScaledWithin(r.model.Workers, p, origin, difference, T(r.Epsilon/size))
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
