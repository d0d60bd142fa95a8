package cases

import (
	"fmt"
	"maps"
	"strings"

	"sdref/autodiff"
	"sdref/conv"
	"sdref/csc"
	"sdref/golden/graph"
	"sdref/sdnet"
)

// network is a case of a whole network: evaluation, or training steps.
type network struct {
	name   string
	spec   sdnet.Spec
	images int
	rounds int // of power iteration
	steps  int // of training; 0 for evaluation
	flags  []string
	why    string
}

// narrow returns the published design of a name with few channels, for small images.
func narrow(name string, stem sdnet.Stem, image int, widths ...int) sdnet.Spec {
	s, err := sdnet.Lookup(name, "cifar10")
	if err != nil {
		panic(err)
	}
	s.Widths = widths
	s.Blocks = s.Blocks[:len(widths)]
	s.Data = sdnet.Data{Name: "small", Classes: 10, Image: image, Stem: stem}
	return s
}

// with returns the network with other settings of its CSC layers.
func with(s sdnet.Spec, lambda, mu float64, iterations int, v csc.Variant) sdnet.Spec {
	s.CSC.Lambda, s.CSC.Mu, s.CSC.Iterations, s.CSC.Variant = lambda, mu, iterations, v
	return s
}

var networks = []network{
	{"resnet18", narrow("resnet18", sdnet.CIFARStem, 16, 8, 12, 16, 20), 2, 0, 0, nil,
		"ResNet-18 with few channels, evaluated"},
	{"sdnet18", narrow("sdnet18", sdnet.CIFARStem, 16, 8, 12, 16, 20), 2, 5, 0, []string{"smoke"},
		"SDNet-18 with few channels, evaluated"},
	{"sdnet34", narrow("sdnet34", sdnet.CIFARStem, 16, 8, 12, 16, 20), 2, 5, 0, nil,
		"SDNet-34 with few channels, evaluated"},
	{"sdnet18_all", narrow("sdnet18_all", sdnet.CIFARStem, 16, 8, 12, 16, 20), 2, 5, 0, nil,
		"SDNet-18-All with few channels, evaluated"},
	{"sdnet18_all_noshortcut", narrow("sdnet18_all_noshortcut", sdnet.CIFARStem, 16, 8, 12, 16, 20), 2, 5, 0,
		nil, "the form that can be inverted"},
	{"sdnet18-imagenet", narrow("sdnet18", sdnet.ImageNetStem, 32, 8, 12, 16, 20), 2, 5, 0, nil,
		"the stem for ImageNet, with max-pool"},
	{"sdnet18_all-imagenet", narrow("sdnet18_all", sdnet.ImageNetStem, 32, 8, 12, 16, 20), 2, 5, 0, nil,
		"a CSC layer in the max-pool's place"},
	{"resnet", narrow("resnet8_narrow", sdnet.CIFARStem, 8, 4, 8), 3, 0, 1, nil,
		"a training step of plain residual blocks"},
	{"sdnet", narrow("sdnet8_narrow", sdnet.CIFARStem, 8, 8, 12), 3, 4, 1, []string{"smoke"},
		"a training step with a CSC stem"},
	{"sdnet-two-steps", narrow("sdnet8_narrow", sdnet.CIFARStem, 8, 8, 12), 3, 4, 2, []string{"smoke"},
		"two steps: the second one's step sizes come from the weights as the first left them"},
	{"sdnet_all", narrow("sdnet8_all_narrow", sdnet.CIFARStem, 8, 6, 10), 3, 4, 1, nil,
		"a training step with CSC layers throughout"},
	{"sdnet_all-elastic", with(narrow("sdnet8_all_narrow", sdnet.CIFARStem, 8, 6, 10), 0.05, 0.2, 4,
		csc.Paper), 2, 4, 1, []string{"elastic", "paper"},
		"the elastic net, four iterations of the paper's variant"},
	{"sdnet_all_noshortcut", narrow("sdnet8_all_narrow_noshortcut", sdnet.CIFARStem, 8, 6, 10), 3, 4, 1, nil,
		"without shortcuts"},
	{"sdnet-imagenet", narrow("sdnet8_narrow", sdnet.ImageNetStem, 16, 6, 10), 3, 4, 1, nil,
		"the stem for ImageNet and the gradient of its max-pool"},
}

func (r network) build() *graph.Case {
	kind, id := "network", "network-"+r.name
	if r.steps > 0 {
		kind, id = "training_step", "training_step-"+r.name
	}
	n := newNetBuilder(r.spec, r.rounds, r.steps > 0, id, kind, r.why,
		append([]string{"real"}, r.flags...)...)
	n.setSpec(r.spec)
	image := r.spec.Data.Image
	x := n.Input("x", n.data.fill("x", 9, 2, r.images, 3, image, image))
	if r.steps == 0 {
		n.requireNodes(n.forward(n.Of(x)[0]))
		return n.Case
	}
	in := n.Of(x, n.Labels("labels", r.images, r.spec.Data.Classes, n.data.seed("labels")))
	n.train(in[0], in[1], r.steps)
	return n.Case
}

// setSpec tells a backend the network's shape and settings.
func (n *netBuilder) setSpec(s sdnet.Spec) {
	list := func(numbers []int) string {
		return strings.ReplaceAll(strings.Trim(fmt.Sprint(numbers), "[]"), " ", ",")
	}
	maps.Copy(n.Attrs, map[string]any{
		"blocks": list(s.Blocks), "widths": list(s.Widths), "classes": s.Data.Classes,
		"csc_stem": s.CSCStem, "csc_blocks": s.CSCBlocks, "plain": s.Plain,
		"stem_kernel": s.Data.Stem.Kernel, "stem_stride": max(1, s.Data.Stem.Stride),
		"stem_padding": s.Data.Stem.Padding, "stem_pool": s.Data.Stem.Pool,
	})
	n.setCSC(s.CSC)
}

// setCSC tells it the settings of BatchNorm and of all CSC layers.
func (n *netBuilder) setCSC(s csc.Settings) {
	maps.Copy(n.Attrs, map[string]any{
		"lambda": s.Lambda, "mu": s.Mu, "nonnegative": s.Nonnegative, "iterations": s.Iterations,
		"variant": s.Variant.String(), "unit_norm": s.UnitNormAtoms,
		"rounds": n.flow.Power.Rounds, "tolerance": n.flow.Power.Tolerance, "share": n.flow.Power.Share,
		"training": n.flow.Training, "epsilon": autodiff.BatchNormEpsilon,
		"momentum": autodiff.BatchNormMomentum,
	})
}

// descent is the published optimiser, with a rate that shows.
var descent = autodiff.Descent{Rate: 0.1, Momentum: 0.9, Decay: 5e-4}

// residual is a case of one residual block, with its gradients.
type residual struct {
	name          string
	in            [4]int // of x
	width, stride int
	csc, plain    bool
	training      bool
	flags         []string
	why           string
}

var blocks = []residual{
	{"identity", [4]int{2, 6, 7, 5}, 6, 1, false, false, true, []string{"smoke"},
		"x is used twice: the gradient of the identity counts too"},
	{"shortcut", [4]int{2, 5, 7, 8}, 8, 2, false, false, true, []string{"stride2", "odd"},
		"a 1x1 convolution with stride 2 on the shortcut"},
	{"eval", [4]int{2, 5, 7, 8}, 8, 2, false, false, false, []string{"stride2"},
		"BatchNorm with its running statistics"},
	{"64", [4]int{2, 64, 6, 5}, 64, 1, false, false, true, nil, "the published width"},
	{"csc", [4]int{2, 5, 8, 6}, 8, 2, true, false, true, []string{"smoke", "stride2"},
		"CSC layers in the convolutions' place, no inner ReLU"},
	{"csc-plain", [4]int{2, 6, 7, 5}, 6, 1, true, true, true, nil, "without shortcut and final ReLU"},
}

func (r residual) build() *graph.Case { return r.withCSC(sdnet.PublishedCSC) }

// withCSC builds the case with these settings of its CSC layers, if it has any.
func (r residual) withCSC(settings csc.Settings) *graph.Case {
	spec := sdnet.Spec{CSCBlocks: r.csc, Plain: r.plain, CSC: settings}
	n := newNetBuilder(spec, 4, r.training, "block-"+r.name, "block", r.why,
		append([]string{"real"}, r.flags...)...)
	n.Attrs["csc"], n.Attrs["plain"], n.Attrs["stride"], n.Attrs["width"] = r.csc, r.plain, r.stride, r.width
	n.setCSC(spec.CSC)
	x := n.Of(n.Input("x", n.data.fill("x", 9, 2, r.in[:]...)))[0]
	y := n.flow.Block("", x, r.width, conv.Geometry{Stride: r.stride, Padding: 1})
	n.fillState()
	n.requireState(0)
	dy := n.Input("grad/"+y.Name, n.data.fill("dy", 9, 1, y.Shape...))
	gradients := autodiff.Backward(y, n.Of(dy)[0], append([]*autodiff.Node{x}, n.flow.Parameters()...)...)
	n.List()
	n.requireNodes(append(gradients, y)...)
	return n.Case
}
