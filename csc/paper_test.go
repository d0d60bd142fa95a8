package csc

import (
	"testing"

	"sdref/conv"
	"sdref/tensor"
)

// TestPaperConvention: with PaperKernel and PaperGeometry the convolution is A and the transposed convolution A*, as (A.6)
// says. The order of the sums differs, so the bits are equal only where every sum is exact.
func TestPaperConvention(t *testing.T) {
	count := 0
	for i, p := range setups {
		if p.g.Stride > 1 || p.g.Padding > max(1, p.g.Dilation)*(max(1, p.kw)-1) {
			continue // with more padding than the kernel reaches, the paper's would be negative
		}
		count++
		seed := uint64(500 + 10*i)
		p.paperEquals(t, small(seed, p.signalShape(p.n)...), small(seed+1, p.codeShape(p.n)...), small(seed+2, p.atomShape()...), 0)
		p.paperEquals(t, fill[float64](seed+3, 2, p.signalShape(p.n)...), fill[float64](seed+4, 2, p.codeShape(p.n)...),
			fill[float64](seed+5, 0.5, p.atomShape()...), 1e-13)
	}
	if count < 5 {
		t.Errorf("only %d setups have the paper's form", count)
	}
}

// paperEquals compares both operators within a relative bound, 0 asking for equality.
func (p setup) paperEquals(t *testing.T, x, z, w *tensor.Tensor[float64], bound float64) {
	t.Helper()
	kernel, g := PaperKernel(w), PaperGeometry(p.g, max(1, p.kw))
	az, ax := tensor.New[float64](x.Shape...), tensor.New[float64](z.Shape...)
	conv.Forward(az, z, kernel, g)
	conv.Transpose(ax, x, kernel, g)
	near(t, p.String()+": conv.Forward with PaperKernel", az.Data, synthesis(z, w, p.height, p.width, p.g).Data, bound)
	near(t, p.String()+": conv.Transpose with PaperKernel", ax.Data, analysis(x, w, p.g).Data, bound)
}

// TestPaperKernel: flipped in both axes, channels exchanged, and an involution.
func TestPaperKernel(t *testing.T) {
	w := fill[float32](1, 1, 4, 3, 2, 5)
	k := PaperKernel(w)
	if got, want := k.At(2, 3, 0, 1), w.At(3, 2, 1, 3); got != want {
		t.Errorf("PaperKernel[2,3,0,1] is %g, want w[3,2,1,3] = %g", got, want)
	}
	if k.Shape[0] != 3 || k.Shape[1] != 4 || k.Shape[2] != 2 || k.Shape[3] != 5 {
		t.Errorf("PaperKernel of (4, 3, 2, 5) has shape %v, want [3 4 2 5]", k.Shape)
	}
	same(t, "PaperKernel twice", PaperKernel(k), w)
	for _, kernel := range []int{1, 3, 5, 7} {
		g := conv.Geometry{Padding: (kernel - 1) / 2}
		if twice := PaperGeometry(PaperGeometry(g, kernel), kernel); twice != g {
			t.Errorf("PaperGeometry twice turns %v into %v", g, twice)
		}
	}
	mustPanic(t, "PaperGeometry at stride 2", func() { PaperGeometry(conv.Geometry{Stride: 2, Padding: 1}, 3) })
}
