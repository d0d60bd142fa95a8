package faults

import (
	"math"

	"sdref/golden/graph"
	"sdref/golden/judge"
	"sdref/golden/precision"
	"sdref/golden/simulate"
	"sdref/tensor"
)

// precisions are backends that declare fp32 and compute in something coarser.
func precisions() []Fault {
	whole := func(name, what string, change func(m *simulate.Machine)) Fault {
		return Fault{ID: "precision/" + name, What: what, Class: Precision, Machine: change}
	}
	operators := func(name, what string, at place, how compute) Fault {
		return Fault{ID: "precision/" + name, What: what, Class: Precision, At: at, Compute: how}
	}
	return []Fault{
		whole("tf32", "TF32 factors", func(m *simulate.Machine) { m.Factors = precision.TensorFloat }),
		whole("bf16", "bf16 factors", func(m *simulate.Machine) { m.Factors = precision.BFloat }),
		whole("fp16", "fp16 factors", func(m *simulate.Machine) { m.Factors = precision.Half }),
		whole("bf16-partial-sums", "parts of a split sum kept in bf16", func(m *simulate.Machine) {
			m.Partial, m.Order, m.Width = precision.BFloat, simulate.Blocked, 16
		}),
		whole("fp16-accumulator", "sums accumulated in fp16", func(m *simulate.Machine) {
			m.Sums = precision.Half
		}),
		whole("short-accumulator", "sums accumulated in 21 bits", func(m *simulate.Machine) {
			m.Sums = precision.Format{Bits: 21, Least: -126, Most: 127}
		}),
		whole("winograd-fp16", "Winograd's algorithm with results in fp16", func(m *simulate.Machine) {
			m.Winograd, m.Results = true, precision.Half
		}),
		operators("subnormals-flushed", "results below 2^-126 become 0", nil,
			after(func(_ *simulate.Call, y *Tensor) {
				for i, v := range y.Data {
					if math.Abs(float64(v)) < 0x1p-126 {
						y.Data[i] = 0
					}
				}
			})),
		operators("rsqrt", "1/sqrt(var + epsilon) to 12 bits", on("batchnorm"),
			before(3, func(c *simulate.Call, gamma *Tensor) {
				crude := precision.Format{Bits: 12, Least: -126, Most: 127}
				for k, g := range gamma.Data {
					root := math.Sqrt(float64(c.In[2].Data[k]) + c.Attrs["epsilon"])
					gamma.Data[k] = g * float32(crude.Round(1/root)*root)
				}
			})),
		operators("fp16-codes", "codes stored in fp16", called("code"),
			after(func(_ *simulate.Call, y *Tensor) {
				for i, v := range y.Data {
					y.Data[i] = float32(precision.Half.Round(float64(v)))
				}
			})),
	}
}

// protocol are right values handed over wrongly: the first required answer of a case, or all.
func protocol() []Fault {
	tamper := func(name, what string, change func(c *graph.Case, a, other judge.Answers)) Fault {
		return Fault{ID: "protocol/" + name, What: what, Class: Protocol, Tamper: change}
	}
	first := func(change func(n *graph.Node, a *judge.Answer)) func(*graph.Case, judge.Answers,
		judge.Answers) {
		return func(c *graph.Case, a, _ judge.Answers) { change(required(c), a[required(c).Name]) }
	}
	return []Fault{
		tamper("shape", "right number of elements, wrong shape", first(func(_ *graph.Node, a *judge.Answer) {
			a.Shape = []int{1, len(a.Data)}
		})),
		tamper("nhwc", "NHWC for NCHW", func(c *graph.Case, a, _ judge.Answers) {
			for _, answer := range a {
				if len(answer.Shape) == 4 {
					answer.Data = channelsLast(answer)
				}
			}
		}),
		tamper("dtype", "bf16 read as fp16", func(_ *graph.Case, a, _ judge.Answers) {
			for _, answer := range a {
				answer.DType = "float16"
				for i, v := range answer.Data {
					answer.Data[i] = asHalf(precision.BFloat.Round(v))
				}
			}
		}),
		tamper("integers", "labelled int32", first(func(_ *graph.Node, a *judge.Answer) {
			a.DType = "int32"
		})),
		tamper("missing", "a required tensor is missing", func(c *graph.Case, a, _ judge.Answers) {
			delete(a, required(c).Name)
		}),
		tamper("empty", "a tensor without elements", first(func(_ *graph.Node, a *judge.Answer) {
			a.Shape, a.Data = []int{0}, nil
		})),
		tamper("nan", "NaN everywhere", func(_ *graph.Case, a, _ judge.Answers) {
			for _, answer := range a {
				for i := range answer.Data {
					answer.Data[i] = math.NaN()
				}
			}
		}),
		tamper("infinite", "one infinity", first(func(_ *graph.Node, a *judge.Answer) {
			a.Data[0] = math.Inf(1)
		})),
		tamper("replayed", "the answers to the case before it", func(_ *graph.Case, a, other judge.Answers) {
			for name := range a {
				if delete(a, name); other[name] != nil {
					a[name] = other[name]
				}
			}
		}),
		{ID: "protocol/unsteady", What: "one bit differs between two runs", Class: Protocol, Second: true,
			Tamper: first(func(_ *graph.Node, a *judge.Answer) {
				a.Data[len(a.Data)-1] = float64(math.Nextafter32(float32(a.Data[len(a.Data)-1]), 2))
			})},
		tamper("nothing", "no answers at all", func(_ *graph.Case, a, _ judge.Answers) { clear(a) }),
	}
}

// required is the first node that a case requires.
func required(c *graph.Case) *graph.Node {
	for i := range c.Nodes {
		if c.Nodes[i].Required {
			return &c.Nodes[i]
		}
	}
	return &c.Nodes[len(c.Nodes)-1]
}

// channelsLast is an answer's data in the order (N, H, W, C), its shape unchanged.
func channelsLast(a *judge.Answer) []float64 {
	t, s := tensor.From(a.Data, a.Shape...), a.Shape
	out := make([]float64, 0, len(a.Data))
	for n := range s[0] {
		for i := range s[2] {
			for j := range s[3] {
				for c := range s[1] {
					out = append(out, t.At(n, c, i, j))
				}
			}
		}
	}
	return out
}

// asHalf is what the bits of a bfloat16 mean in float16.
func asHalf(v float64) float64 {
	bits := math.Float32bits(float32(v)) >> 16
	exponent, fraction := int(bits>>10&31), float64(bits&1023)
	size := math.Ldexp(1024+fraction, exponent-25)
	switch exponent {
	case 0:
		size = math.Ldexp(fraction, -24)
	case 31:
		size = math.Inf(1)
	}
	return math.Copysign(size, v)
}
