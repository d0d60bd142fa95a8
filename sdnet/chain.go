package sdnet

import (
	"fmt"
	"strings"

	"sdref/autodiff"
	"sdref/conv"
)

// The widths of the chains: those of the networks that K. Jordan trains to 94 % and 95 % of CIFAR-10 ("94% on CIFAR-10 in 3.29 seconds
// on a single GPU", 2024).
var (
	airWidths = []int{64, 256, 256}
	airWide   = []int{128, 384, 384}
)

// chain completes a chain by what all of them share, after the same paper: three groups of two convolutions, GELU, logits by 1/9, and
// BatchNorm without a trained scale, an epsilon that only keeps it from dividing by 0, and running statistics that follow fast, as a run of
// ten epochs needs.
func chain(name string, s Spec) Spec {
	s.Name, s.Chain, s.Blocks = name, true, []int{2, 2, 2}
	s.Activation, s.LogitScale = GELU, 1./9
	s.Norm = NormSettings{Epsilon: 1e-12, Momentum: 0.4, FixedScale: true}
	return s
}

// Group appends stage i of a chain, counted from 1:
//
//	activation(bn1(max-pool 2x2(conv1(x)))),  then activation(bnj(convj(x))) for j = 2, ...
//
// with 3x3 convolutions, or CSC layers, behind which there is no activation, a code being its own nonlinearity.
func (f *Flow) Group(i int, x *autodiff.Node) *autodiff.Node {
	for j := 1; j <= f.Blocks[i-1]; j++ {
		module := func(kind string) string { return fmt.Sprintf("layer%d.%s%d", i, kind, j) }
		x = f.convolution(module("conv"), x, f.Widths[i-1], 3, conv.Geometry{Padding: 1}, f.CSCBlocks)
		if j == 1 {
			x = autodiff.MaxPool(x, 2, 2, 0).At(f.prefix+fmt.Sprintf("layer%d.pool", i), 0, "y")
		}
		x = f.norm(module("bn"), x)
		if !f.CSCBlocks {
			x = f.activate(module("activation"), x)
		}
		f.mark(blockOutput(i, j), x)
	}
	f.mark(fmt.Sprintf("layer%d", i), x)
	return x
}

// whiten appends the convolution that whitens images before the stem's CSC layer.
func (f *Flow) whiten(x *autodiff.Node) *autodiff.Node {
	w := f.state(whiteningName, "weight", true, x.Shape[1], x.Shape[1], whiteningKernel, whiteningKernel)
	return autodiff.Analysis(x, w, conv.Geometry{Padding: whiteningKernel / 2}).At(f.prefix+"layer0.whiten", 0, "y")
}

// whiteningName is the name of that convolution's weights, whiteningKernel its height and width.
const (
	whiteningName   = "layer0.whiten.weight"
	whiteningKernel = 3
)

// stemChannels is the number of channels of the stem.
func (s Spec) stemChannels() int {
	if s.Atoms != 0 {
		return s.Atoms
	}
	return s.Widths[0]
}

// patch is how many numbers of an image one output of the stem's convolution sees.
func (s Spec) patch() int { return s.Data.Shape()[0] * s.Data.Stem.Kernel * s.Data.Stem.Kernel }

// imageChannels is the number of channels of an image unless a Spec says another: red, green, blue.
const imageChannels = 3

// fixed tells whether the filters of a module are not trained.
func (s Spec) fixed(module string) bool { return s.FixedStem && strings.HasPrefix(module, "layer0.") }
