package training

import (
	"sdref/internal/elementary"
	"sdref/internal/random"
	"sdref/tensor"
)

// maxMixup is the greatest parameter of mixup: more than a few tenths, which its authors use, make all images even mixtures.
const maxMixup = 4

// soften makes the targets of a step where labels are smoothed or images mixed, and mixes them. With s the Smoothing, K classes, and
// for mixup (Zhang et al., "mixup: beyond empirical risk minimization", 2018) a share m drawn for the batch from Beta(alpha, alpha)
// and a permutation of its images,
//
//	x'_j = m x_j + (1 - m) x_partner(j),   q_j = m e(label_j) + (1 - m) e(label_partner(j)),
//	q'_j = (1 - s) q_j + s/K,              (Szegedy et al., "Rethinking the Inception architecture", 2016, section 7)
//
// e(k) being 1 at class k. All draws are functions of the seed and the step. Without either setting there is nothing to do.
func (r *Run[T]) soften(labels []int) {
	r.Trainer.Shares = nil
	if r.Smoothing == 0 && r.Mixup == 0 {
		return
	}
	m, partners := 1.0, make([]int, len(labels))
	if r.Mixup > 0 {
		draws := r.streams.Sub("mixup", uint64(r.Iteration))
		m, partners = beta(draws.Sub("share"), r.Mixup), draws.Sub("partners").Permutation(len(labels))
		r.mix(T(m), partners)
	}
	classes := r.Net().Data.Classes
	shares := tensor.New[T](len(labels), classes)
	for j, label := range labels {
		q := shares.Row(j).Data
		for k := range q {
			q[k] = T(r.Smoothing / float64(classes))
		}
		q[label] += T((1 - r.Smoothing) * m)
		q[labels[partners[j]]] += T((1 - r.Smoothing) * (1 - m))
	}
	r.Trainer.Shares = shares
}

// mix replaces each image of the batch by m of it and 1 - m of its partner.
func (r *Run[T]) mix(m T, partners []int) {
	from := r.images.Clone()
	for j, partner := range partners {
		other := from.Row(partner).Data
		for i, v := range from.Row(j).Data {
			r.images.Row(j).Data[i] = T(m*v) + T((1-m)*other[i])
		}
	}
}

// beta is a draw from the distribution Beta(a, a), by Johnk's method: with u and v uniform, of x = u^(1/a) and y = v^(1/a), drawn
// until x + y is at most 1, x/(x + y). Logarithms keep a small a from underflow.
func beta(draws random.Stream, a float64) float64 {
	for i := uint64(0); ; i += 2 {
		x, y := elementary.Log(1-draws.Float(i))/a, elementary.Log(1-draws.Float(i+1))/a
		if elementary.Exp(x)+elementary.Exp(y) > 1 {
			continue
		}
		return 1 / (1 + elementary.Exp(y-x))
	}
}
