package simulate

import (
	"slices"

	"sdref/conv"
)

// trilinear is one evaluation of package conv's form <y, Forward(x, w)> by a machine: the shapes and the
// geometry.
type trilinear struct {
	n, c, h, w int // x
	m, kh, kw  int // kernel
	ho, wo     int // y
	geometry   conv.Geometry
}

func newTrilinear(x, w, y []int, g conv.Geometry) trilinear {
	g.Stride, g.Dilation = max(1, g.Stride), max(1, g.Dilation)
	return trilinear{x[0], x[1], x[2], x[3], w[0], w[2], w[3], y[2], y[3], g}
}

func (t trilinear) x(n, c, a, b int) int { return ((n*t.c+c)*t.h+a)*t.w + b }
func (t trilinear) k(m, c, u, v int) int { return ((m*t.c+c)*t.kh+u)*t.kw + v }
func (t trilinear) y(n, m, i, j int) int { return ((n*t.m+m)*t.ho+i)*t.wo + j }

// reach is the place in x that tap u of output i meets along one axis of the given size, and whether it lies
// inside.
func (t trilinear) reach(i, u, size int) (a int, inside bool) {
	a = i*t.geometry.Stride + u*t.geometry.Dilation - t.geometry.Padding
	return a, 0 <= a && a < size
}

// source is the output that meets place a with tap u, the other way round.
func (t trilinear) source(a, u, size int) (i int, inside bool) {
	at := a + t.geometry.Padding - u*t.geometry.Dilation
	return at / t.geometry.Stride, at >= 0 && at%t.geometry.Stride == 0 && at/t.geometry.Stride < size
}

// analysis calls link with the places in w and x of each product in element o of y = Forward(x, w).
func (t trilinear) analysis(o int, link func(w, x int)) {
	j, i, m, n := o%t.wo, o/t.wo%t.ho, o/(t.wo*t.ho)%t.m, o/(t.wo*t.ho*t.m)
	for c := range t.c {
		for u := range t.kh {
			if a, inside := t.reach(i, u, t.h); inside {
				for v := range t.kw {
					if b, inside := t.reach(j, v, t.w); inside {
						link(t.k(m, c, u, v), t.x(n, c, a, b))
					}
				}
			}
		}
	}
}

// synthesis does so for element o of x = Transpose(y, w), with the places in w and y.
func (t trilinear) synthesis(o int, link func(w, y int)) {
	b, a, c, n := o%t.w, o/t.w%t.h, o/(t.w*t.h)%t.c, o/(t.w*t.h*t.c)
	for m := range t.m {
		for u := range t.kh {
			if i, inside := t.source(a, u, t.ho); inside {
				for v := range t.kw {
					if j, inside := t.source(b, v, t.wo); inside {
						link(t.k(m, c, u, v), t.y(n, m, i, j))
					}
				}
			}
		}
	}
}

// filter does so for element o of w = Filter(x, y), with the places in y and x.
func (t trilinear) filter(o int, link func(y, x int)) {
	v, u, c, m := o%t.kw, o/t.kw%t.kh, o/(t.kw*t.kh)%t.c, o/(t.kw*t.kh*t.c)
	for n := range t.n {
		for i := range t.ho {
			if a, inside := t.reach(i, u, t.h); inside {
				for j := range t.wo {
					if b, inside := t.reach(j, v, t.w); inside {
						link(t.y(n, m, i, j), t.x(n, c, a, b))
					}
				}
			}
		}
	}
}

// suitsWinograd tells whether a machine with Winograd's algorithm uses it here.
func (t trilinear) suitsWinograd() bool {
	return t.geometry.HasWinograd([]int{t.m, t.c, t.kh, t.kw}) && t.geometry.Padding <= 2
}

// bundle says which elements of a contraction's result share their places but for a shift: those that lie out
// apart, count of them, where each next one takes its factors a and b places further on.
type bundle struct{ count, out, a, b int }

// contract sets y to the sums of a[j] b[k]. links lists the places (j, k) for the first element of a bundle.
// The factors are rounded first.
func (m *Machine) contract(y *Tensor, a, b *Tensor, s bundle,
	links func(o int, link func(j, k int))) *Tensor {
	left, right := m.factors(a), m.factors(b)
	adder := m.adder()
	var js, ks []int
	var as, bs []float32
	link := func(j, k int) { js, ks = append(js, j), append(ks, k) }
	for o := range y.Data {
		if o/s.out%s.count > 0 {
			continue
		}
		js, ks = js[:0], ks[:0]
		links(o, link)
		for q := range s.count {
			if q == 0 || s.a != 0 { // else they are those of the element before
				as = gather(as, left, js, q*s.a)
			}
			if q == 0 || s.b != 0 {
				bs = gather(bs, right, ks, q*s.b)
			}
			y.Data[o+q*s.out] = adder.dot(as, bs)
		}
	}
	return y
}

// gather returns the factors that lie shift beyond the given places, in the memory of factors.
func gather(factors, from []float32, places []int, shift int) []float32 {
	factors, from = slices.Grow(factors[:0], len(places))[:len(places)], from[shift:]
	for i, place := range places {
		factors[i] = from[place]
	}
	return factors
}

// factors returns a tensor's elements as the machine multiplies them.
func (m *Machine) factors(t *Tensor) []float32 {
	if !m.Cut {
		return rounded(m.Factors, t.Data)
	}
	out := make([]float32, t.Len())
	for i, v := range t.Data {
		out[i] = float32(m.Factors.Truncate(float64(v)))
	}
	return out
}

func (m *Machine) analysis(c *Call) *Tensor {
	x, w, y := c.In[0], c.In[1], c.result()
	t := newTrilinear(x.Shape, w.Shape, c.Shape, c.Geometry())
	if m.Winograd && t.suitsWinograd() {
		conv.DefineWinogradForward(y, x, w, t.geometry)
		return y
	}
	return m.contract(y, w, x, bundle{count: t.m, out: t.ho * t.wo, a: t.c * t.kh * t.kw}, t.analysis)
}

func (m *Machine) synthesis(c *Call) *Tensor {
	z, w, x := c.In[0], c.In[1], c.result()
	t := newTrilinear(c.Shape, w.Shape, z.Shape, c.Geometry())
	if m.Winograd && t.suitsWinograd() {
		conv.DefineWinogradTranspose(x, z, w, t.geometry)
		return x
	}
	return m.contract(x, w, z, bundle{count: t.c, out: t.h * t.w, a: t.kh * t.kw}, t.synthesis)
}

func (m *Machine) filter(c *Call) *Tensor {
	x, y, w := c.In[0], c.In[1], c.result()
	t := newTrilinear(x.Shape, c.Shape, y.Shape, c.Geometry())
	if m.Winograd && t.suitsWinograd() {
		conv.DefineWinogradWeightGradient(w, x, y, t.geometry)
		return w
	}
	return m.contract(w, y, x, bundle{count: t.c, out: t.kh * t.kw, b: t.h * t.w}, t.filter)
}

// linear is x w' + b. Shapes: x (N, C), w (K, C), b (K).
func (m *Machine) linear(c *Call) *Tensor {
	x, w, b := c.In[0], c.In[1], c.In[2].Data
	classes, channels := w.Shape[0], w.Shape[1]
	y := m.contract(c.result(), x, w, bundle{count: classes, out: 1, b: channels},
		func(o int, link func(j, k int)) {
			for i := range channels {
				link(o/classes*channels+i, i)
			}
		})
	for o := range y.Data {
		y.Data[o] += b[o%classes]
	}
	return y
}

func (m *Machine) linearDX(c *Call) *Tensor {
	dy, w := c.In[0], c.In[1]
	classes, channels := w.Shape[0], w.Shape[1]
	return m.contract(c.result(), dy, w, bundle{count: channels, out: 1, b: 1},
		func(o int, link func(j, k int)) {
			for k := range classes {
				link(o/channels*classes+k, k*channels)
			}
		})
}

func (m *Machine) linearDW(c *Call) *Tensor {
	dy, x := c.In[0], c.In[1]
	classes, channels := dy.Shape[1], x.Shape[1]
	return m.contract(c.result(), dy, x, bundle{count: channels, out: 1, b: 1},
		func(o int, link func(j, k int)) {
			for n := range dy.Shape[0] {
				link(n*classes+o/channels, n*channels)
			}
		})
}

func (m *Machine) linearDB(c *Call) *Tensor {
	dy := c.In[0]
	return c.each(func(k int) float32 {
		return m.total(dy.Shape[0], func(n int) float64 { return float64(dy.Row(n).Data[k]) })
	})
}
