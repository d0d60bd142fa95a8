package faults

import (
	"slices"

	"sdref/golden/graph"
	"sdref/golden/simulate"
	"sdref/tensor"
)

// convolution are mistakes of A*, the convolution of x (N, C, H, W) with w (M, C, K, K) to y (N, M, Ho, Wo).
func convolution() []Fault {
	const x, w = 0, 1
	here := on("analysis")
	return group("conv", []mistake{
		{name: "last-tap", what: "last tap dropped", at: here, compute: before(w, dropTap)},
		{name: "last-tap-of-last-channel", what: "last tap of the last channel dropped", at: here,
			compute: before(w, func(c *simulate.Call, w *Tensor) {
				each(w, func(_, b, i, j int, v *float32) {
					if b == w.Shape[1]-1 && i == w.Shape[2]-1 && j == w.Shape[3]-1 {
						*v = 0
					}
				})
			})},
		{name: "last-column", what: "last column of the last channel left zero", at: here,
			compute: after(func(_ *simulate.Call, y *Tensor) {
				each(y, func(_, b, _, j int, v *float32) {
					if b == y.Shape[1]-1 && j == y.Shape[3]-1 {
						*v = 0
					}
				})
			})},
		{name: "replicated-padding", what: "border repeated instead of zeros",
			at: both(here, having("padding", 0)), compute: repad(true)},
		{name: "one-sided-padding", what: "all padding at the bottom and on the right",
			at: both(here, having("padding", 0)), compute: repad(false)},
		{name: "kernel-transposed", what: "rows and columns of the kernel exchanged", at: here,
			compute: before(w, func(_ *simulate.Call, w *Tensor) {
				read := w.Clone()
				each(w, func(a, b, i, j int, v *float32) {
					*v = read.At(a, b, min(j, w.Shape[2]-1), min(i, w.Shape[3]-1))
				})
			})},
		{name: "kernel-flipped", what: "kernel turned by 180 degrees", at: here, compute: before(w, flip)},
		{name: "channels-swapped", what: "first two channels of the result exchanged", at: here,
			compute: after(func(_ *simulate.Call, y *Tensor) {
				if y.Shape[1] > 1 {
					read := y.Clone()
					each(y, func(a, b, i, j int, v *float32) {
						if b < 2 {
							*v = read.At(a, 1-b, i, j)
						}
					})
				}
			})},
		{name: "stride-phase", what: "positions off by one under a stride",
			at: both(here, having("stride", 1)), compute: setting("padding",
				func(_ *simulate.Call, p float64) float64 { return p - 1 })},
		{name: "height-width", what: "H and W exchanged: memory read as W x H", at: here,
			compute: exchangeSides},
		{name: "first-image", what: "images beyond the first use the first", at: here,
			compute: before(x, firstImage)},
		{name: "one-doubled", what: "one element doubled", at: here, compute: after(oneTimes(2))},
		{name: "one-percent", what: "one element 1 % off", at: here, compute: after(oneTimes(1.01))},
		{name: "scale", what: "everything scaled by 1 + 2^-12", at: here, compute: scaled(1 + 0x1p-12)},
		{name: "stale", what: "the result before it, once more", at: here,
			compute: func(_ *simulate.Machine, c *simulate.Call) *Tensor { return old(c).Clone() }},
		{name: "zeros", what: "zeros", at: here, compute: scaled(0)},
		{name: "accumulates", what: "added to what the buffer held", at: here,
			compute: after(func(c *simulate.Call, y *Tensor) {
				tensor.AddScaled(y, y, old(c), 1)
			})},
		{name: "channel-32", what: "channels 0, 32, 64 ... lack a tap", at: here,
			compute: func(m *simulate.Machine, c *simulate.Call) *Tensor {
				y, wrong := m.Apply(c), before(w, dropTap)(m, c)
				each(y, func(a, b, i, j int, v *float32) {
					if b%32 == 0 {
						*v = wrong.At(a, b, i, j)
					}
				})
				return y
			}},
	})
}

// synthesis are mistakes of A, the transposed convolution of z (N, M, Ho, Wo) with w to x.
func synthesis() []Fault {
	const z, w = 0, 1
	here := on("synthesis")
	strided := both(here, having("stride", 1))
	return group("transpose", []mistake{
		{name: "kernel-not-flipped", what: "a convolution where the adjoint of one is asked for", at: here,
			compute: before(w, flip)},
		{name: "output-padding", what: "rows and columns of the output padding left zero", at: strided,
			compute: after(func(c *simulate.Call, y *Tensor) {
				rows, columns := plainSize(c, 0), plainSize(c, 1)
				each(y, func(_, _, i, j int, v *float32) {
					if i >= rows || j >= columns {
						*v = 0
					}
				})
			})},
		{name: "crop", what: "cropped one row and column too late under a stride", at: strided,
			compute: setting("padding",
				func(_ *simulate.Call, p float64) float64 { return p + 1 })},
		{name: "last-row", what: "last row of the code dropped", at: here,
			compute: before(z, func(_ *simulate.Call, z *Tensor) {
				each(z, func(_, _, i, _ int, v *float32) {
					if i == z.Shape[2]-1 {
						*v = 0
					}
				})
			})},
		{name: "last-atom", what: "last atom dropped", at: here,
			compute: before(w, func(_ *simulate.Call, w *Tensor) { w.Row(w.Shape[0] - 1).Fill(0) })},
		{name: "lost-update", what: "one product lost in a scatter", at: here, compute: loseUpdate},
		{name: "channels-exchanged", what: "weights read as (channels, atoms)", at: here,
			compute: before(w, func(_ *simulate.Call, w *Tensor) {
				read, atoms, channels, area := w.Clone(), w.Shape[0], w.Shape[1], w.Shape[2]*w.Shape[3]
				for at := range w.Data {
					m, c := at/(channels*area), at/area%channels
					w.Data[at] = read.Data[(c*atoms+m)*area+at%area]
				}
			})},
		{name: "border-row", what: "first row lacks a tap: no longer the adjoint", at: here,
			compute: func(m *simulate.Machine, c *simulate.Call) *Tensor {
				y, wrong := m.Apply(c), before(w, func(_ *simulate.Call, w *Tensor) {
					each(w, func(_, _, i, _ int, v *float32) {
						if i == 0 {
							*v = 0
						}
					})
				})(m, c)
				each(y, func(a, b, i, j int, v *float32) {
					if i == 0 {
						*v = wrong.At(a, b, i, j)
					}
				})
				return y
			}},
		{name: "one-doubled", what: "one element doubled", at: here, compute: after(oneTimes(2))},
		{name: "stride-phase", what: "positions off by one under a stride", at: strided,
			compute: setting("padding",
				func(_ *simulate.Call, p float64) float64 { return p - 1 })},
	})
}

// dropTap leaves the last tap of every kernel out.
func dropTap(_ *simulate.Call, w *Tensor) {
	each(w, func(_, _, i, j int, v *float32) {
		if i == w.Shape[2]-1 && j == w.Shape[3]-1 {
			*v = 0
		}
	})
}

// flip turns every kernel by 180 degrees.
func flip(_ *simulate.Call, w *Tensor) {
	read, h, width := w.Clone(), w.Shape[2], w.Shape[3]
	each(w, func(a, b, i, j int, v *float32) { *v = read.At(a, b, h-1-i, width-1-j) })
}

// firstImage overwrites all images with the first.
func firstImage(_ *simulate.Call, x *Tensor) {
	for n := 1; n < x.Shape[0]; n++ {
		copy(x.Row(n).Data, x.Row(0).Data)
	}
}

// oneTimes multiplies the largest element, which cannot pass for a rounding error.
func oneTimes(s float32) func(*simulate.Call, *Tensor) {
	return func(_ *simulate.Call, y *Tensor) { y.Data[largest(y)] *= s }
}

func largest(y *Tensor) (at int) {
	for i, v := range y.Data {
		if v*v > y.Data[at]*y.Data[at] {
			at = i
		}
	}
	return at
}

// repad puts the border around x beforehand: repeated on all sides, or zeros on two.
func repad(repeat bool) compute {
	return func(m *simulate.Machine, c *simulate.Call) *Tensor {
		x, p := c.In[0], int(c.Attrs["padding"])
		wide := tensor.New[float32](x.Shape[0], x.Shape[1], x.Shape[2]+2*p, x.Shape[3]+2*p)
		each(wide, func(a, b, i, j int, v *float32) {
			if repeat {
				*v = x.At(a, b, min(max(i-p, 0), x.Shape[2]-1), min(max(j-p, 0), x.Shape[3]-1))
			} else if i < x.Shape[2] && j < x.Shape[3] {
				*v = x.At(a, b, i, j)
			}
		})
		return m.Apply(withAttr(with(c, 0, wide), "padding", 0))
	}
}

// exchangeSides reads x, and writes y, as if H were W.
func exchangeSides(m *simulate.Machine, c *simulate.Call) *Tensor {
	x := tensor.From(c.In[0].Data, exchanged(c.In[0].Shape)...)
	call, node := with(c, 0, x), *c.Node
	node.Shape = exchanged(c.Shape)
	call.Node = &node
	return tensor.From(m.Apply(call).Data, c.Shape...)
}

func exchanged(s []int) []int { return []int{s[0], s[1], s[3], s[2]} }

// plainSize is the size of a synthesis along an axis (0 rows, 1 columns) without output padding.
func plainSize(c *simulate.Call, axis int) int {
	g := (&graph.Node{Attrs: c.Attrs}).Geometry()
	g.OutputPadding = 0
	return g.SignalSize(c.In[0].Shape[2+axis], c.In[1].Shape[2+axis])
}

// loseUpdate leaves out what one element of the code adds to one element of the result.
func loseUpdate(m *simulate.Machine, c *simulate.Call) *Tensor {
	y := m.Apply(c)
	without := before(0, func(_ *simulate.Call, z *Tensor) { z.Data[largest(z)] = 0 })(m, c)
	worst, at := float32(-1), 0
	for i, v := range y.Data {
		if lost := (v - without.Data[i]) * (v - without.Data[i]); lost > worst {
			worst, at = lost, i
		}
	}
	y.Data[at] = without.Data[at]
	return y
}

// same tells whether two results have the same bits, NaN counting as NaN.
func same(a, b *Tensor) bool {
	return slices.Equal(a.Shape, b.Shape) && slices.EqualFunc(a.Data, b.Data, func(v, w float32) bool {
		return v == w || v != v && w != w
	})
}
