package simulate

import (
	"math"

	"sdref/golden/precision"
	"sdref/internal/elementary"
	"sdref/internal/kernel"
	"sdref/internal/random"
	"sdref/tensor"
)

// attr is a setting as the machine holds it.
func (c *Call) attr(name string) float32 { return float32(c.Attrs[name]) }

// scalar is the first element of input i.
func (c *Call) scalar(i int) float32 { return c.In[i].Data[0] }

// result makes room for the node's value.
func (c *Call) result() *Tensor { return tensor.New[float32](c.Shape...) }

// each returns the node's value with element i = f(i).
func (c *Call) each(f func(i int) float32) *Tensor {
	y := c.result()
	for i := range y.Data {
		y.Data[i] = f(i)
	}
	return y
}

// kept is a result inside a formula as the machine keeps it.
func (m *Machine) kept(v float32) float32 {
	if m.Eager && m.Results != precision.Single {
		return float32(m.Results.Round(float64(v)))
	}
	return v
}

func (m *Machine) times(a, b float32) float32 { return m.kept(float32(a * b)) }
func (m *Machine) plus(a, b float32) float32  { return m.kept(a + b) }

// muladd is ab + c.
func (m *Machine) muladd(a, b, c float32) float32 {
	if m.Fused && !m.Eager {
		return kernel.FMA(a, b, c)
	}
	return m.plus(m.times(a, b), c)
}

func (m *Machine) over(a, b float32) float32 {
	if m.Reciprocal {
		return m.times(a, 1/b)
	}
	return m.kept(a / b)
}

func sqrt(v float32) float32 { return float32(math.Sqrt(float64(v))) }

// exp and log are off by up to one step, as a library's are.
func (m *Machine) exp(v float32) float32 { return m.near(float32(elementary.Exp(float64(v)))) }
func (m *Machine) log(v float32) float32 { return m.near(float32(elementary.Log(float64(v)))) }

// tanh is as exact as exp: 1 - 2/(1 + e^2v) in float64, of which |v| above 1e-8 leaves float32's digits.
func (m *Machine) tanh(v float32) float32 {
	return m.near(float32(1 - 2/(1+elementary.Exp(2*float64(v)))))
}

func (m *Machine) near(v float32) float32 {
	switch random.New(m.Seed).Intn(uint64(math.Float32bits(v)), 3) {
	case 1:
		return math.Nextafter32(v, float32(math.Inf(1)))
	case 2:
		return math.Nextafter32(v, float32(math.Inf(-1)))
	}
	return v
}

// total adds up count terms, the work of a reduction.
func (m *Machine) total(count int, term func(i int) float64) float32 {
	if m.Double {
		sum := 0.0
		for i := range count {
			sum += term(i)
		}
		return float32(sum)
	}
	terms := make([]float32, count)
	for i := range terms {
		terms[i] = float32(term(i))
	}
	return m.reducer().sum(terms)
}

// reducer adds up outside of matrix units: in float32, rounded to nearest.
func (m *Machine) reducer() *adder {
	r := *m
	r.TowardZero = m.Profile == precision.FP32Truncating && m.TowardZero
	return r.adder()
}

// squares is |v|^2.
func (m *Machine) squares(v []float32) float32 {
	return m.total(len(v), func(i int) float64 { return m.square(v[i]) })
}

// square is v*v as a reduction takes it.
func (m *Machine) square(v float32) float64 {
	if m.Double {
		return float64(float64(v) * float64(v))
	}
	return float64(float32(v * v))
}
