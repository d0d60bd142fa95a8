package cases

import (
	"sdref/conv"
	"sdref/golden/graph"
)

// convolution is a row of three cases: the convolution, its transpose and the gradient of the kernel.
type convolution struct {
	name                string
	n, c, m, h, w, u, v int // batch, channels, atoms, image, kernel
	geometry            conv.Geometry
	exact, real, smoke  bool
	why                 string
}

var convolutions = []convolution{
	{"3x3", 2, 3, 5, 6, 7, 3, 3, conv.Geometry{Padding: 1}, true, true, true,
		"the usual kernel, all five sizes distinct"},
	{"3x3-stride2-odd", 2, 3, 5, 7, 9, 3, 3, conv.Geometry{Stride: 2, Padding: 1}, true, true, true,
		"stride 2 on odd sizes: no output padding"},
	{"3x3-stride2-even", 2, 3, 5, 8, 6, 3, 3, conv.Geometry{Stride: 2, Padding: 1}, true, true, true,
		"stride 2 on even sizes: output padding 1"},
	{"3x3-stride2-mixed", 3, 2, 4, 7, 8, 3, 3, conv.Geometry{Stride: 2, Padding: 1}, true, false, false,
		"output padding along one axis only"},
	{"3x3-stride2-valid", 2, 3, 4, 9, 6, 3, 3, conv.Geometry{Stride: 2}, true, false, false,
		"stride 2 without padding: pixels that no code reaches"},
	{"3x3-valid", 1, 2, 3, 7, 6, 3, 3, conv.Geometry{}, true, false, false, "no padding, one image"},
	{"3x3-wide-padding", 1, 2, 4, 3, 5, 3, 3, conv.Geometry{Padding: 3}, true, false, false,
		"more padding than kernel: rows of zeros"},
	{"3x3-dilation2", 2, 3, 4, 8, 7, 3, 3, conv.Geometry{Padding: 2, Dilation: 2}, true, false, false,
		"a kernel with holes"},
	{"1x1", 2, 3, 6, 4, 5, 1, 1, conv.Geometry{}, true, false, false, "a product of matrices"},
	{"1x1-stride2", 2, 6, 4, 7, 8, 1, 1, conv.Geometry{Stride: 2}, true, true, false,
		"the shortcuts' convolution: three of four pixels are not read"},
	{"5x5", 1, 3, 2, 7, 6, 5, 5, conv.Geometry{Padding: 2}, true, false, false, "a larger kernel"},
	{"7x7-stride2", 2, 3, 8, 14, 13, 7, 7, conv.Geometry{Stride: 2, Padding: 3}, true, true, true,
		"the stem for ImageNet, one size odd"},
	{"2x5-stride2", 2, 3, 4, 5, 8, 2, 5, conv.Geometry{Stride: 2, Padding: 1}, true, false, false,
		"height and width of the kernel differ, one is even"},
	{"3x3-16to24", 2, 16, 24, 9, 11, 3, 3, conv.Geometry{Padding: 1}, true, false, false,
		"tiles of 4x4, 8 and 16 are cut at every border"},
	{"3x3-33to65", 2, 33, 65, 5, 6, 3, 3, conv.Geometry{Padding: 1}, true, true, true,
		"one channel and one atom more than vectors and tiles hold"},
	{"3x3-64", 2, 64, 64, 8, 7, 3, 3, conv.Geometry{Padding: 1}, true, true, false,
		"a layer of the published networks' first stage"},
	{"3x3-64to128-stride2", 2, 64, 128, 9, 8, 3, 3, conv.Geometry{Stride: 2, Padding: 1}, false, true, false,
		"from the first to the second stage"},
	{"1x1-64to128-stride2", 2, 64, 128, 9, 8, 1, 1, conv.Geometry{Stride: 2}, false, true, false,
		"its shortcut"},
	{"3x3-256", 1, 256, 128, 6, 5, 3, 3, conv.Geometry{Padding: 1}, false, true, false,
		"a chain of 2304 products"},
	{"3x3-6to4", 9, 6, 4, 5, 6, 3, 3, conv.Geometry{Padding: 1}, true, true, true,
		"nine images; 6 channels, 4 atoms: not all of a vector of four"},
	{"3x3-9to8", 2, 9, 8, 4, 5, 3, 3, conv.Geometry{Padding: 1}, true, false, true,
		"9 channels, 8 atoms: one more than two vectors of four"},
	{"3x3-15to12", 2, 15, 12, 5, 4, 3, 3, conv.Geometry{Padding: 1}, true, false, true,
		"15 channels, 12 atoms: one less than four vectors of four"},
	{"3x3-wide", 1, 3, 4, 5, 35, 3, 3, conv.Geometry{Padding: 1}, true, true, false,
		"rows longer than 16 and 32, with a remainder"},
	{"3x3-tall", 1, 2, 3, 67, 18, 3, 3, conv.Geometry{Padding: 1}, true, false, false,
		"columns longer than 64, rows longer than 16"},
	{"3x3-131to133", 1, 131, 133, 4, 5, 3, 3, conv.Geometry{Padding: 1}, true, true, false,
		"more than 128 channels and atoms, with a remainder"},
	{"1x1-large", 2, 2, 3, 80, 70, 1, 1, conv.Geometry{}, true, false, false,
		"more than 2^15 elements: 16 bits do not count them"},
	{"3x3-dilation2-stride2", 2, 3, 5, 9, 10, 3, 3, conv.Geometry{Stride: 2, Padding: 2, Dilation: 2}, true,
		true, false, "a kernel with holes under a stride"},
	{"5x3-padding2", 2, 3, 5, 6, 7, 5, 3, conv.Geometry{Padding: 2}, true, true, false,
		"height and width of the kernel differ, with padding, so that the result is wider than the image"},
}

func (r convolution) cases() (cases []*graph.Case) {
	for _, kind := range []string{"conv_forward", "conv_transpose", "conv_filter"} {
		if r.exact {
			cases = append(cases, r.build(kind, data{r.name, true}))
		}
		if r.real {
			cases = append(cases, r.build(kind, data{r.name, false}))
		}
	}
	return cases
}

func (r convolution) build(kind string, d data) *graph.Case {
	b := graph.New(kind+"-"+r.name+"-"+d.flag(), kind, r.why, d.flag())
	if r.smoke {
		b.Flags = append(b.Flags, "smoke")
	}
	setGeometry(b, r.geometry)
	signal, kernel := []int{r.n, r.c, r.h, r.w}, []int{r.m, r.c, r.u, r.v}
	code := r.geometry.CodeShape(signal, kernel)
	x := d.fill("x", 9, 2, signal...)
	w := d.fill("w", 3, 0.25, kernel...)
	z := d.fill("z", 9, 1, code...)
	switch a := graph.Convolution(r.geometry); kind {
	case "conv_forward":
		b.Require(b.Node("analysis", graph.Place{Quantity: "y"}, a, b.Input("x", x), b.Input("w", w)))
	case "conv_transpose":
		b.Attrs["height"], b.Attrs["width"] = r.h, r.w
		a = graph.TransposedConvolution(r.geometry, r.h, r.w)
		b.Require(b.Node("synthesis", graph.Place{Quantity: "x"}, a, b.Input("z", z), b.Input("w", w)))
	case "conv_filter":
		a["kernel_height"], a["kernel_width"] = float64(r.u), float64(r.v)
		b.Require(b.Node("filter", graph.Place{Layer: "grad", Quantity: "w"}, a, b.Input("x", x),
			b.Input("grad/y", z)))
	}
	return b.Case
}

// setGeometry tells a backend the settings of a convolution.
func setGeometry(b *graph.Builder, g conv.Geometry) {
	b.Attrs["stride"], b.Attrs["padding"], b.Attrs["dilation"] = max(1, g.Stride), g.Padding,
		max(1, g.Dilation)
}
