package simulate

import "sdref/tensor"

func (m *Machine) mul(c *Call) *Tensor {
	return c.each(func(i int) float32 { return m.times(c.In[0].Data[i], c.In[1].Data[i]) })
}

func (m *Machine) sum(c *Call) *Tensor {
	x := c.In[0].Data
	total := m.total(len(x), func(i int) float64 { return float64(x[i]) })
	return tensor.From([]float32{m.over(total, c.attr("divisor"))})
}

func (m *Machine) sumGrad(c *Call) *Tensor {
	return c.each(func(int) float32 { return m.over(c.scalar(0), c.attr("divisor")) })
}

func (m *Machine) exponential(c *Call) *Tensor {
	return c.each(func(i int) float32 { return m.exp(c.In[0].Data[i]) })
}

func (m *Machine) logarithm(c *Call) *Tensor {
	return c.each(func(i int) float32 { return m.log(c.In[0].Data[i]) })
}

func (m *Machine) logGrad(c *Call) *Tensor {
	return c.each(func(i int) float32 { return m.over(c.In[1].Data[i], c.In[0].Data[i]) })
}

func (m *Machine) one(*Call) *Tensor { return tensor.From([]float32{1}) }
