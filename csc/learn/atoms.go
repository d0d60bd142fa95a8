package learn

import (
	"math"

	"sdref/csc"
	"sdref/tensor"
)

// The rules of improve.
const (
	atomSteps    = 20  // gradient steps on the atoms in a round
	atomDecrease = 0.5 // of the step size, when it proves too long
)

// improve makes accelerated projected gradient steps on the atoms for the codes as they are,
//
//	w_k = P(y_k - t grad(y_k)),   y_{k+1} = w_k + (m_k - 1)/m_{k+1} (w_k - w_{k-1}),   (A.1) with w for z
//
// P scaling atoms longer than 1 down to 1, which is a projection onto a convex set, so that the fidelity does not rise but for
// momentum. t shrinks until |A_d z|^2 <= |d|^2/t for the step d, A_d z being what d synthesizes: then the quadratic model bounds the
// fidelity. In the end atoms are scaled up to 1, and their codes down by as much, which A z does not see and |z|_1 likes.
func (l *learner) improve(r *Round) {
	before, y, m := l.w, l.w.Clone(), 1.0
	at := l.residuals(y)
	restBefore, t := at, l.firstStep(at)
	for range atomSteps {
		w, rest := l.descend(y, l.gradient(at), at, &t)
		if squares(rest) > squares(restBefore) { // momentum went too far: begin it again
			if m == 1 {
				break
			}
			m, y, at = 1, before.Clone(), restBefore
			continue
		}
		next := (1 + math.Sqrt(1+float64(4*m*m))) / 2
		beta := (m - 1) / next
		y, at = beyond(w, before, beta), nil
		for i, v := range rest { // linear in the atoms
			at = append(at, beyond(v, restBefore[i], beta))
		}
		before, restBefore, m = w, rest, next
	}
	l.w = before
	l.rescale()
	r.After = squares(l.residuals(l.w)) / 2
	for _, z := range l.z {
		r.After += float64(l.Lambda * tensor.SumAbs(z))
	}
}

// beyond is a + beta (a - b).
func beyond(a, b *tensor.Tensor[float64], beta float64) *tensor.Tensor[float64] {
	c := tensor.New[float64](a.Shape...)
	tensor.AddScaled(c, a, b, -1)
	tensor.AddScaled(c, a, c, beta)
	return c
}

// descend makes a step from y, whose residuals and gradient are given, and returns where it ends, and the residuals there.
func (l *learner) descend(y, gradient *tensor.Tensor[float64], at []*tensor.Tensor[float64], t *float64) (w *tensor.Tensor[float64],
	rest []*tensor.Tensor[float64]) {
	for {
		w = tensor.New[float64](y.Shape...)
		tensor.AddScaled(w, y, gradient, -*t)
		project(w)
		rest = l.residuals(w)
		change := 0.0
		for i, r := range rest {
			change += squaredDistance(r, at[i])
		}
		if d := squaredDistance(w, y); !(change > d / *t * (1+1e-9)) || *t < 1e-300 {
			return w, rest
		}
		*t *= atomDecrease
	}
}

// firstStep is the step that is best along the gradient, times a factor: too long rather than too short.
func (l *learner) firstStep(at []*tensor.Tensor[float64]) float64 {
	g := l.gradient(at)
	moved := tensor.New[float64](l.w.Shape...)
	tensor.AddScaled(moved, l.w, g, 1)
	change := 0.0
	for i, r := range l.residuals(moved) {
		change += squaredDistance(r, at[i])
	}
	if change == 0 {
		return 1
	}
	const longer = 4
	return longer * tensor.SumSquares(g) / change
}

// project scales atoms longer than 1 to length 1.
func project(w *tensor.Tensor[float64]) {
	for m := range w.Shape[0] {
		atom := w.Row(m)
		if size := math.Sqrt(tensor.SumSquares(atom)); size > 1 {
			tensor.Scale(atom, atom, 1/size)
		}
	}
}

// rescale brings every atom that is not 0 to norm 1, and its code to what synthesizes the same.
func (l *learner) rescale() {
	for m := range l.Atoms {
		size := math.Sqrt(tensor.SumSquares(l.w.Row(m)))
		if size == 0 {
			continue
		}
		for _, z := range l.z {
			plane := z.Shape[2] * z.Shape[3]
			for i, v := range z.Data[m*plane : (m+1)*plane] {
				z.Data[m*plane+i] = v * size
			}
		}
	}
	csc.NormalizeAtoms(l.w)
}

// replaceUnused gives atoms that no code uses a patch to be, and counts them.
func (l *learner) replaceUnused() (count int) {
	for m := range l.Atoms {
		used := false
		for _, z := range l.z {
			plane := z.Shape[2] * z.Shape[3]
			for _, v := range z.Data[m*plane : (m+1)*plane] {
				used = used || v != 0
			}
		}
		if !used {
			l.cut(l.w.Row(m))
			count++
		}
	}
	if count > 0 {
		csc.NormalizeAtoms(l.w)
	}
	return count
}

// squares is the sum of |r|^2.
func squares(list []*tensor.Tensor[float64]) (sum float64) {
	for _, r := range list {
		sum += tensor.SumSquares(r)
	}
	return sum
}
