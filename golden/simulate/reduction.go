package simulate

import (
	"math"

	"sdref/tensor"
)

func (m *Machine) sumSquares(c *Call) *Tensor {
	return tensor.From([]float32{m.squares(c.In[0].Data)})
}

func (m *Machine) distance(c *Call) *Tensor {
	a, b := c.In[0].Data, c.In[1].Data
	return tensor.From([]float32{m.total(len(a), func(i int) float64 { return m.square(a[i] - b[i]) })})
}

func (m *Machine) unit(c *Call) *Tensor {
	y := c.In[0].Clone()
	m.normalize(y.Data)
	return y
}

func (m *Machine) unitAtoms(c *Call) *Tensor {
	y := c.In[0].Clone()
	for atom := range y.Shape[0] {
		m.normalize(y.Row(atom).Data)
	}
	return y
}

// normalize divides v by its norm, floored at 1e-12 as published.
func (m *Machine) normalize(v []float32) {
	norm := max(sqrt(m.squares(v)), 1e-12)
	for i := range v {
		v[i] = m.over(v[i], norm)
	}
}

func (m *Machine) step(c *Call) *Tensor {
	return tensor.From([]float32{m.over(c.attr("share"), c.scalar(0))})
}

// rounds counts up to the first change within the tolerance.
func (m *Machine) rounds(c *Call) *Tensor {
	count := 1
	for count < len(c.In) && !(c.scalar(count-1) <= c.attr("tolerance")) {
		count++
	}
	return tensor.From([]float32{float32(count)})
}

// overChannel adds up term over the elements of channel k of x (N, C, H, W), images ascending.
func (m *Machine) overChannel(x *Tensor, k int, term func(at int) float64) float32 {
	area := x.Shape[2] * x.Shape[3]
	return m.total(x.Shape[0]*area, func(i int) float64 { return term((i/area*x.Shape[1]+k)*area + i%area) })
}

// perChannel is how many elements of x a channel has.
func perChannel(x *Tensor) float32 { return float32(x.Len() / x.Shape[1]) }

// channelOf is the channel of element i of x.
func channelOf(x *Tensor, i int) int { return i / (x.Shape[2] * x.Shape[3]) % x.Shape[1] }

func (m *Machine) channelMean(c *Call) *Tensor {
	x := c.In[0]
	return c.each(func(k int) float32 {
		return m.over(m.overChannel(x, k, func(at int) float64 { return float64(x.Data[at]) }), perChannel(x))
	})
}

func (m *Machine) channelVariance(c *Call) *Tensor {
	x, mean := c.In[0], c.In[1].Data
	return c.each(func(k int) float32 {
		return m.over(m.overChannel(x, k, func(at int) float64 {
			return m.square(x.Data[at] - mean[k])
		}), perChannel(x))
	})
}

// inverses returns 1/sqrt(var + epsilon) of each channel.
func (m *Machine) inverses(c *Call, variance *Tensor) []float32 {
	out := make([]float32, variance.Len())
	for k, v := range variance.Data {
		out[k] = 1 / sqrt(v+c.attr("epsilon"))
	}
	return out
}

// batchNorm is gamma i (x - mean) + beta, or (gamma i) x + (beta - gamma i mean).
func (m *Machine) batchNorm(c *Call) *Tensor {
	x, mean, gamma, beta := c.In[0], c.In[1].Data, c.In[3].Data, c.In[4].Data
	inverse := m.inverses(c, c.In[2])
	return c.each(func(i int) float32 {
		k := channelOf(x, i)
		scale := gamma[k] * inverse[k]
		if m.Rearranged {
			return m.muladd(scale, x.Data[i], m.muladd(-scale, mean[k], beta[k]))
		}
		return m.muladd(scale, m.plus(x.Data[i], -mean[k]), beta[k])
	})
}

func (m *Machine) batchNormDGamma(c *Call) *Tensor {
	x, dy, mean := c.In[0], c.In[1].Data, c.In[2].Data
	inverse := m.inverses(c, c.In[3])
	return c.each(func(k int) float32 {
		if m.Rearranged { // the normalised values, added up
			return m.overChannel(x, k, func(at int) float64 {
				return float64(dy[at] * ((x.Data[at] - mean[k]) * inverse[k]))
			})
		}
		return inverse[k] * m.overChannel(x, k, func(at int) float64 {
			return float64(dy[at] * (x.Data[at] - mean[k]))
		})
	})
}

func (m *Machine) batchNormDBeta(c *Call) *Tensor {
	dy := c.In[0]
	return c.each(func(k int) float32 {
		return m.overChannel(dy, k, func(at int) float64 { return float64(dy.Data[at]) })
	})
}

func (m *Machine) batchNormDX(c *Call) *Tensor {
	x, dy, mean, gamma, dgamma, dbeta := c.In[0], c.In[1].Data, c.In[2].Data, c.In[4].Data, c.In[5].Data,
		c.In[6].Data
	inverse, count := m.inverses(c, c.In[3]), perChannel(x)
	return c.each(func(i int) float32 {
		k := channelOf(x, i)
		d := dy[i]
		if c.Attrs["training"] != 0 {
			d = m.plus(d, -dbeta[k]/count)
			d = m.muladd(m.plus(x.Data[i], -mean[k]), -inverse[k]*(dgamma[k]/count), d)
		}
		return m.times(gamma[k]*inverse[k], d)
	})
}

// maxPoolWinners calls visit with each output's place and that of the first largest element of its window.
func maxPoolWinners(c *Call, outputs []int, visit func(out, winner int)) {
	x := c.In[0]
	size, stride, padding := int(c.Attrs["size"]), int(c.Attrs["stride"]), int(c.Attrs["padding"])
	h, w, ho, wo := x.Shape[2], x.Shape[3], outputs[2], outputs[3]
	for out := range tensor.Size(outputs) {
		plane, top, left := out/(ho*wo)*h*w, out/wo%ho*stride-padding, out%wo*stride-padding
		best, winner := math.Inf(-1), -1
		for a := max(0, top); a < min(h, top+size); a++ {
			for b := max(0, left); b < min(w, left+size); b++ {
				if v := float64(x.Data[plane+a*w+b]); winner < 0 || v > best {
					best, winner = v, plane+a*w+b
				}
			}
		}
		visit(out, winner)
	}
}

func (m *Machine) maxPool(c *Call) *Tensor {
	y := c.result()
	maxPoolWinners(c, c.Shape, func(out, winner int) { y.Data[out] = c.In[0].Data[winner] })
	return y
}

func (m *Machine) maxPoolGrad(c *Call) *Tensor {
	dx := c.result()
	maxPoolWinners(c, c.In[1].Shape, func(out, winner int) {
		dx.Data[winner] = m.plus(dx.Data[winner], c.In[1].Data[out])
	})
	return dx
}

func (m *Machine) averagePool(c *Call) *Tensor {
	area := c.In[0].Shape[2] * c.In[0].Shape[3]
	return c.each(func(i int) float32 {
		return m.over(m.total(area, func(k int) float64 {
			return float64(c.In[0].Data[i*area+k])
		}), float32(area))
	})
}

func (m *Machine) averagePoolGrad(c *Call) *Tensor {
	area := c.Shape[2] * c.Shape[3]
	return c.each(func(i int) float32 { return m.over(c.In[0].Data[i/area], float32(area)) })
}

// softmax returns an image's probabilities, its largest logit and the logarithm of the sum of exp(x - top).
func (m *Machine) softmax(x []float32) (p []float32, top, logSum float32) {
	top = x[0]
	for _, v := range x {
		top = max(top, v)
	}
	p = make([]float32, len(x))
	for k, v := range x {
		p[k] = m.exp(v - top)
	}
	sum := m.total(len(p), func(k int) float64 { return float64(p[k]) })
	for k := range p {
		p[k] = m.over(p[k], sum)
	}
	return p, top, m.log(sum)
}

func (m *Machine) crossEntropy(c *Call) *Tensor {
	images := c.In[0].Shape[0]
	loss := m.total(images, func(n int) float64 {
		x := c.In[0].Row(n).Data
		_, top, logSum := m.softmax(x)
		return float64(logSum - (x[int(c.In[1].Data[n])] - top))
	})
	return tensor.From([]float32{m.over(loss, float32(images))})
}

func (m *Machine) crossEntropyGrad(c *Call) *Tensor {
	y, images := c.result(), float32(c.In[0].Shape[0])
	for n, label := range c.In[1].Data {
		p, _, _ := m.softmax(c.In[0].Row(n).Data)
		p[int(label)] = m.plus(p[int(label)], -1)
		for k := range p {
			y.Row(n).Data[k] = m.over(p[k], images)
		}
	}
	return y
}
