package simulate

func (m *Machine) add(c *Call) *Tensor {
	return c.each(func(i int) float32 {
		sum := float32(0)
		for k := range c.In {
			if m.Rearranged {
				k = len(c.In) - 1 - k
			}
			sum = m.plus(sum, c.In[k].Data[i])
		}
		return sum
	})
}

// factor is the attribute scale times the scalar input at, if there is one.
func (m *Machine) factor(c *Call, at int) float32 {
	s := c.attr("scale")
	if len(c.In) > at {
		s *= c.scalar(at)
	}
	return s
}

func (m *Machine) scale(c *Call) *Tensor {
	s := m.factor(c, 1)
	return c.each(func(i int) float32 { return m.times(s, c.In[0].Data[i]) })
}

func (m *Machine) axpy(c *Call) *Tensor {
	s := m.factor(c, 2)
	return c.each(func(i int) float32 { return m.muladd(s, c.In[1].Data[i], c.In[0].Data[i]) })
}

// extrapolate is z + r (z - z'), or (1 + r) z - r z'.
func (m *Machine) extrapolate(c *Call) *Tensor {
	r, z, before := c.attr("ratio"), c.In[0].Data, c.In[1].Data
	return c.each(func(i int) float32 {
		if m.Rearranged {
			return m.muladd(1+r, z[i], -m.times(r, before[i]))
		}
		return m.muladd(r, m.plus(z[i], -before[i]), z[i])
	})
}

// prox shrinks u by lambda t and divides by 1 + mu t, or the other way round.
func (m *Machine) prox(c *Call) *Tensor {
	t := c.scalar(1)
	shrinkage := 1 + float32(c.attr("mu")*t)
	threshold := c.attr("lambda") * t
	return c.each(func(i int) float32 {
		u := c.In[0].Data[i]
		if m.Rearranged {
			return m.over(m.soft(u, threshold, c), shrinkage)
		}
		return m.soft(m.over(u, shrinkage), threshold/shrinkage, c)
	})
}

func (m *Machine) soft(u, threshold float32, c *Call) float32 {
	switch {
	case u > threshold:
		return m.plus(u, -threshold)
	case u < -threshold && c.Attrs["nonnegative"] == 0:
		return m.plus(u, threshold)
	case u != u:
		return u
	}
	return 0
}

func (m *Machine) proxGrad(c *Call) *Tensor {
	shrinkage := 1 + float32(c.attr("mu")*c.scalar(2))
	return c.each(func(i int) float32 {
		if c.In[0].Data[i] == 0 {
			return 0
		}
		return m.over(c.In[1].Data[i], shrinkage)
	})
}

func (m *Machine) relu(c *Call) *Tensor {
	return c.each(func(i int) float32 { return max(c.In[0].Data[i], 0) })
}

func (m *Machine) reluGrad(c *Call) *Tensor {
	return c.each(func(i int) float32 {
		if c.In[0].Data[i] > 0 {
			return c.In[1].Data[i]
		}
		return 0
	})
}

func (m *Machine) bias(c *Call) *Tensor {
	plane := c.In[0].Shape[2] * c.In[0].Shape[3]
	return c.each(func(i int) float32 { return m.plus(c.In[0].Data[i], c.In[1].Data[i/plane%c.In[0].Shape[1]]) })
}

// gelu is x/2 (1 + tanh u), or x/(1 + e^-2u).
func (m *Machine) gelu(c *Call) *Tensor {
	return c.each(func(i int) float32 {
		x := c.In[0].Data[i]
		u, _ := m.bent(x)
		if m.Rearranged {
			return m.over(x, m.plus(1, m.exp(-2*u)))
		}
		return m.times(m.times(0.5, x), m.plus(1, m.tanh(u)))
	})
}

// geluGrad is dy times half of 1 + tanh u + x (1 - tanh^2 u) u', or times s (1 + x (1 - s) 2u') with s = 1/(1 + e^-2u).
func (m *Machine) geluGrad(c *Call) *Tensor {
	return c.each(func(i int) float32 {
		x, dy := c.In[0].Data[i], c.In[1].Data[i]
		u, slope := m.bent(x)
		if m.Rearranged {
			s := m.over(1, m.plus(1, m.exp(-2*u)))
			along := m.times(m.times(x, m.plus(1, -s)), 2*slope)
			return m.times(dy, m.times(s, m.plus(1, along)))
		}
		tanh := m.tanh(u)
		along := m.times(m.times(x, m.plus(1, -m.times(tanh, tanh))), slope)
		return m.times(dy, m.times(0.5, m.plus(m.plus(1, tanh), along)))
	})
}

// bent is the argument of GELU's tanh and its derivative.
func (m *Machine) bent(x float32) (u, slope float32) {
	const scale, cubic = 0.79788456080286535587989211986876, 0.044715
	square := m.times(x, x)
	if m.Rearranged {
		u = m.times(scale, m.muladd(m.times(cubic, square), x, x))
	} else {
		u = m.times(x, m.muladd(scale*cubic, square, scale))
	}
	return u, m.muladd(3*scale*cubic, square, scale)
}

// running is (1 - m) old + m f new, or old + m (f new - old).
func (m *Machine) running(c *Call) *Tensor {
	share, f := c.attr("momentum"), c.attr("factor")
	return c.each(func(i int) float32 {
		old, latest := c.In[0].Data[i], m.times(f, c.In[1].Data[i])
		if m.Rearranged {
			return m.muladd(share, m.plus(latest, -old), old)
		}
		return m.muladd(share, latest, m.times(1-share, old))
	})
}

func (m *Machine) velocity(c *Call) *Tensor {
	return c.each(func(i int) float32 { return m.push(c, c.In[0].Data[i], c.In[1].Data[i], c.In[2].Data[i]) })
}

func (m *Machine) nesterov(c *Call) *Tensor {
	return c.each(func(i int) float32 {
		w := c.In[0].Data[i]
		return m.muladd(-c.attr("rate"), m.push(c, c.In[2].Data[i], c.In[1].Data[i], w), w)
	})
}

// push is g + decay w + momentum v.
func (m *Machine) push(c *Call, v, g, w float32) float32 {
	return m.muladd(c.attr("momentum"), v, m.muladd(c.attr("decay"), w, g))
}
