package faults

import (
	"slices"

	"sdref/golden/graph"
	"sdref/golden/simulate"
)

// sizes are mistakes of the convolution A* that only some sizes show: those of a vector, a wave, a workgroup,
// an index, or of settings that rarely come together.
func sizes() []Fault {
	const x = 0
	here := on("analysis")
	// ofKernel is every analysis of which a condition holds for the kernel (M, C, K, K).
	ofKernel := func(holds func(w []int) bool) place {
		return both(here, func(c *graph.Case, n *graph.Node) bool { return holds(c.Shape(n.Inputs[1])) })
	}
	return group("size", []mistake{
		{name: "ninth-image", what: "images from the ninth on are those of eight images before", at: here,
			compute: after(func(_ *simulate.Call, y *Tensor) {
				for n := 8; n < y.Shape[0]; n++ {
					copy(y.Row(n).Data, y.Row(n%8).Data)
				}
			})},
		{name: "channels-beyond-128", what: "of more than 128 channels those beyond a multiple of four left out",
			at: ofKernel(func(w []int) bool { return w[1] > 128 && w[1]%4 != 0 }),
			compute: before(x, func(_ *simulate.Call, x *Tensor) {
				each(x, func(_, c, _, _ int, v *float32) {
					if c >= x.Shape[1]/4*4 {
						*v = 0
					}
				})
			})},
		{name: "columns-beyond-32", what: "columns from the 33rd on left zero", at: here,
			compute: after(func(_ *simulate.Call, y *Tensor) {
				each(y, func(_, _, _, j int, v *float32) {
					if j >= 32 {
						*v = 0
					}
				})
			})},
		// as ONNX Runtime 1.30 did on WebGPU
		{name: "channels-6-9-15", what: "6, 9 or 15 channels, atoms a multiple of 4: channels read one too far",
			at: ofKernel(func(w []int) bool { return slices.Contains([]int{6, 9, 15}, w[1]) && w[0]%4 == 0 }),
			compute: before(x, func(_ *simulate.Call, x *Tensor) {
				read := x.Clone()
				each(x, func(n, c, i, j int, v *float32) { *v = read.At(n, (c+1)%x.Shape[1], i, j) })
			})},
		{name: "elements-beyond-2^15", what: "elements from 2^15 on left zero", at: here,
			compute: after(func(_ *simulate.Call, y *Tensor) {
				clear(y.Data[min(len(y.Data), 1<<15):])
			})},
		{name: "elements-beyond-2^16", what: "elements from 2^16 on are those of 2^16 elements before", at: here,
			compute: after(func(_ *simulate.Call, y *Tensor) {
				for i := 1 << 16; i < len(y.Data); i++ {
					y.Data[i] = y.Data[i-1<<16]
				}
			})},
		{name: "dilation-under-stride", what: "dilation ignored under a stride",
			at: both(here, both(having("stride", 1), having("dilation", 1))), compute: setting("dilation", to(1))},
		{name: "padding-of-oblong", what: "height and width of the kernel differ: padding one row short",
			at: both(having("padding", 0), ofKernel(func(w []int) bool { return w[2] != w[3] })),
			compute: before(x, func(_ *simulate.Call, x *Tensor) {
				read := x.Clone()
				each(x, func(n, c, i, j int, v *float32) {
					if *v = 0; i+1 < x.Shape[2] {
						*v = read.At(n, c, i+1, j)
					}
				})
			})},
	})
}
