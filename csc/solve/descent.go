package solve

import (
	"math"

	"sdref/csc"
	"sdref/internal/kernel"
	"sdref/internal/random"
	"sdref/tensor"
)

// The rules of step sizes.
const (
	stepDecrease     = 0.7  // the factor by which a step that is too long is shortened
	longStepFactor   = 4    // times |c|^2/|A c|^2, c = A*x, is the step with which backtracking begins
	powerIterations  = 30   // of power iteration, for the estimate of |A|^2
	eigenvalueMargin = 1.02 // the factor by which the estimate, a lower bound, is enlarged
)

// descent is the state of a proximal gradient method. A z is kept beside z, so that A y = A z + beta (A z - A
// z before) costs no convolution: an iteration is one synthesis and one analysis.
type descent[T tensor.Float] struct {
	rule
	p *Problem[T]
	a *operator[T]
	t float64

	z, before, next *tensor.Tensor[T] // (N, M, Ho, Wo): z_{k-1}, z_{k-2}, z_k
	slope           *tensor.Tensor[T] // (N, M, Ho, Wo): A* r
	az, azBefore    *tensor.Tensor[T] // (N, C, H, W): A z_{k-1}, A z_{k-2}
	azNext, ay, r   *tensor.Tensor[T] // (N, C, H, W): A z_k, A y_k, the residual

	// members is the elements that are moved; nil means all.
	members *members[T]

	m, beta   []float64 // m_k and (m_{k-1} - 1)/m_k, by image
	objective []float64 // F(z_{k-1}), by image, for RestartFunction
	sums      []stepSums
	change    float64 // |z_k - z_{k-1}|
	restarted bool
}

// stepSums are sums over a plane of the code, or over an image's. Those of an image's members are kept as its
// first plane's.
type stepSums struct {
	move, change float64 // |z_k - y_k|^2, |z_k - z_{k-1}|^2
	against      float64 // <y_k - z_k, z_k - z_{k-1}>, positive if the step goes against the momentum
	l1, squares  float64 // |z_k|_1, |z_k|^2
	worst        float64 // the greatest |z_k - y_k| of a member
}

func newDescent[T tensor.Float](p *Problem[T], how rule) *descent[T] {
	code, signal := p.CodeShape(), p.X.Shape
	d := &descent[T]{rule: how, p: p, a: newOperator(p.A, signal), t: how.step}
	for _, t := range []**tensor.Tensor[T]{&d.z, &d.before, &d.next, &d.slope} {
		*t = tensor.New[T](code...)
	}
	for _, t := range []**tensor.Tensor[T]{&d.az, &d.azBefore, &d.azNext, &d.ay, &d.r} {
		*t = tensor.New[T](signal...)
	}
	d.sums = make([]stepSums, code[0]*code[1])
	for n := range code[0] {
		d.m, d.beta = append(d.m, 1), append(d.beta, 0)
		d.objective = append(d.objective, tensor.SumSquares(p.X.Row(n))/2)
	}
	if d.t == 0 {
		d.t = d.firstStep()
	}
	return d
}

// firstStep chooses the first step. If A is 0 any step is as good.
func (d *descent[T]) firstStep() float64 {
	v := d.next
	d.a.analyze(v, d.p.X, nil)
	if !d.long {
		v, start := tensor.New[T](d.p.image(0).CodeShape()...), random.New(1).Sub("power")
		for i := range v.Data {
			v.Data[i] = T(start.Unit(uint64(i)))
		}
		if l := largestEigenvalue(d.p.A, v, d.p.X.Shape); l > 0 {
			return 1 / (eigenvalueMargin * l)
		}
		return 1
	}
	d.a.synthesize(d.r, v, nil)
	if l := tensor.SumSquares(d.r); l > 0 {
		return longStepFactor * tensor.SumSquares(v) / l
	}
	return 1
}

// largestEigenvalue estimates |A|^2 from below by power iteration from v, one image.
func largestEigenvalue[T tensor.Float](dictionary Dictionary[T], v *tensor.Tensor[T], signal []int) float64 {
	x := tensor.New[T](1, signal[1], signal[2], signal[3])
	a, value := newOperator(dictionary, x.Shape), 0.0
	for range powerIterations {
		length := norm(v)
		if length == 0 {
			return 0
		}
		tensor.Scale(v, v, T(1/length))
		a.synthesize(x, v, nil)
		value = tensor.SumSquares(x)
		a.analyze(v, x, nil)
	}
	return value
}

// setResidual sets r to the residual of the point at which the gradient is taken.
func (d *descent[T]) setResidual() {
	if d.variant == csc.Published && d.momentum {
		tensor.AddScaled(d.r, d.p.X, d.az, -1)
		return
	}
	for n, beta := range d.beta {
		ay, az := d.ay.Row(n), d.az.Row(n)
		tensor.AddScaled(ay, az, d.azBefore.Row(n), -1)
		tensor.AddScaled(ay, az, ay, T(beta)) // A y, y by (A.1), third line
	}
	tensor.AddScaled(d.r, d.p.X, d.ay, -1)
}

// stripSize is the number of elements that go through step's passes together, so that they stay in the
// first-level cache.
const stripSize = 1024

// step sets next = prox(y + t A*r), (A.1), first line, and azNext, with y = z + beta (z - before), (A.1),
// third line.
func (d *descent[T]) step() {
	set, atoms := kernel.Active[T](), d.z.Shape[1]
	t := T(d.t)
	scale := 1 / (1 + float64(d.p.Mu*float64(t)))
	threshold := T(d.p.Lambda * float64(t) * scale)
	shrink := set.Shrink
	if d.p.Nonnegative {
		shrink = set.ShrinkNonnegative
	}
	if d.members != nil {
		d.stepMembers(t, T(scale), threshold)
		return
	}
	size := tensor.Size(d.z.Shape[2:])
	d.a.analyze(d.slope, d.r, func(_, lo, hi int) {
		for plane := lo / size; plane < hi/size; plane++ {
			beta, sums := T(d.beta[plane/atoms]), &d.sums[plane]
			*sums = stepSums{}
			for i := plane * size; i < (plane+1)*size; i += stripSize {
				j := min(i+stripSize, (plane+1)*size)
				z, y, u := d.z.Data[i:j], d.next.Data[i:j], d.slope.Data[i:j]
				set.AddScaled(y, z, d.before.Data[i:j], -1)
				set.AddScaled(y, z, y, beta)
				set.AddScaled(u, y, u, t)
				shrink(u, u, T(scale), threshold)
				addStrip(sums, y, z, u)
			}
		}
	})
	d.a.synthesize(d.azNext, d.next, nil)
}

// addStrip adds a strip of the new code u to the sums, and copies u to y.
func addStrip[T tensor.Float](s *stepSums, y, z, u []T) {
	t := *s
	for i, v := range u {
		t.add(float64(y[i]), float64(z[i]), float64(v))
		y[i] = v
	}
	*s = t
}

// add adds an element to the sums: it moved from z, by way of y, to v.
func (s *stepSums) add(y, z, v float64) {
	move, change := y-v, v-z
	s.move += float64(move * move)
	s.change += float64(change * change)
	s.against += float64(move * change)
	s.l1 += math.Abs(v)
	s.squares += float64(v * v)
}

// image adds up the sums of image n's planes.
func (d *descent[T]) image(n int) (all stepSums) {
	atoms := d.z.Shape[1]
	for _, s := range d.sums[n*atoms : (n+1)*atoms] {
		all.merge(s)
	}
	return all
}

// merge adds sums.
func (s *stepSums) merge(t stepSums) {
	s.move += t.move
	s.change += t.change
	s.against += t.against
	s.l1 += t.l1
	s.squares += t.squares
	s.worst = max(s.worst, t.worst)
}

// tooLong tells whether the quadratic model with step t fails to bound the function at z_k for some image:
//
//	|A (z_k - y_k)|^2 <= |z_k - y_k|^2/t
//
// with a tolerance for rounding errors, which are in proportion to |x| in the difference of two A z.
func (d *descent[T]) tooLong() bool {
	if !d.guarded {
		return false
	}
	tensor.AddScaled(d.ay, d.azNext, d.ay, -1)
	for n := range d.m {
		slack := 64 * epsilon[T]() * norm(d.p.X.Row(n))
		if tensor.SumSquares(d.ay.Row(n)) > d.image(n).move/d.t*(1+1e-9)+float64(slack*slack) {
			d.setResidual()
			return true
		}
	}
	return false
}

// epsilon is the spacing of T's numbers above 1.
func epsilon[T tensor.Float]() float64 {
	if x := T(1) + T(0x1p-30); x == 1 {
		return 0x1p-23
	}
	return 0x1p-52
}

// iterate does one iteration.
func (d *descent[T]) iterate() {
	d.setResidual()
	for d.step(); d.tooLong(); d.step() {
		d.t *= stepDecrease
	}
	d.accept()
}

// accept makes next the iterate and goes on to the next m, (A.1), second line.
func (d *descent[T]) accept() {
	if s := d.members; s != nil {
		s.z, s.before, s.next = s.next, s.z, s.before
	} else {
		d.z, d.before, d.next = d.next, d.z, d.before
	}
	d.az, d.azBefore, d.azNext = d.azNext, d.az, d.azBefore
	d.restarted = false
	change := 0.0
	for n, m := range d.m {
		s := d.image(n)
		change += s.change
		if !d.momentum {
			continue
		}
		next := (1 + math.Sqrt(1+float64(4*m*m))) / 2
		d.beta[n], d.m[n] = (m-1)/next, next
		if d.resets(n, s) && m > 1 {
			d.beta[n], d.m[n], d.restarted = 0, 1, true
		}
	}
	d.change = math.Sqrt(change)
}

// resets tells whether image n's momentum is to be reset.
func (d *descent[T]) resets(n int, s stepSums) bool {
	switch d.restart {
	case RestartGradient:
		return s.against > 0
	case RestartFunction:
		r, before := d.r.Row(n), d.objective[n]
		tensor.AddScaled(r, d.p.X.Row(n), d.az.Row(n), -1)
		d.objective[n] = tensor.SumSquares(r)/2 + float64(d.p.Lambda*s.l1) + float64(d.p.Mu/2*s.squares)
		return d.objective[n] > before
	}
	return false
}
