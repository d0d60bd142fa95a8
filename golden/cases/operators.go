package cases

import (
	"sdref/autodiff"
	"sdref/golden"
	"sdref/golden/graph"
)

// proxCase is a case of the proximal operator and its derivative.
type proxCase struct {
	name       string
	data       data
	count      int
	scale      float64 // of u
	step       float64
	lambda, mu float64
	signed     bool
	nan        []int
	flags      []string
	why        string
}

var proxes = []proxCase{
	{"nonnegative-exact", data{"prox", true}, 257, 0x1p-4, 0x1p-4, 2, 0, false, nil,
		[]string{"smoke", "kink"},
		"many values lie on the threshold exactly, some below -threshold: z is 0 there, and so is the " +
			"derivative"},
	{"signed-exact", data{"prox", true}, 257, 0x1p-4, 0x1p-4, 2, 0, true, nil,
		[]string{"smoke", "kink", "signed"}, "both signs, ties on both sides"},
	{"elastic-exact", data{"prox", true}, 257, 0x1p-4, 0x1p-4, 2, 16, false, nil,
		[]string{"smoke", "elastic"}, "1 + mu t is 2"},
	{"elastic-signed-exact", data{"prox", true}, 257, 0x1p-4, 0x1p-4, 2, 48, true, nil,
		[]string{"elastic", "signed"}, "1 + mu t is 4"},
	{"nan-exact", data{"prox", true}, 64, 0x1p-4, 0x1p-4, 2, 0, false, []int{0, 17, 63},
		[]string{"smoke", "nan"}, "NaN stays NaN and spreads to no neighbour"},
	{"subnormal-exact", data{"prox", true}, 257, 0x1p-130, 0x1p-4, 0x1p-125, 0, true, nil,
		[]string{"smoke", "subnormal", "signed"}, "results below float32's least normal number"},
	{"nonnegative", data{"prox-real", false}, 1025, 0x1p-3, single(0.0282), 0.1, 0, false, nil,
		[]string{"smoke"}, "lambda and step as published, in no short format"},
	{"signed", data{"prox-real", false}, 1025, 0x1p-5, single(0.3), 0.03, 0, true, nil, []string{"signed"},
		"lambda and step in no short format"},
	{"elastic", data{"prox-real", false}, 1025, 0x1p-3, single(0.3), 0.1, 0.7, true, nil,
		[]string{"smoke", "elastic", "signed"}, "all three settings in no short format"},
}

func (r proxCase) build() *graph.Case {
	b := graph.New("prox-"+r.name, "prox", r.why, append([]string{r.data.flag()}, r.flags...)...)
	u := r.data.fill("u", 17, r.scale, r.count)
	if r.data.exact {
		u.Scale = r.scale / 2 // half steps of the threshold's neighbourhood
	}
	b.Attrs["lambda"], b.Attrs["mu"], b.Attrs["nonnegative"] = r.lambda, r.mu, !r.signed
	a := graph.Attrs{"lambda": r.lambda, "mu": r.mu, "nonnegative": 1}
	if r.signed {
		a["nonnegative"] = 0
	}
	in, step := b.Input("u", u), b.Constant("step", r.step)
	b.Case.Input("u").NaN = r.nan
	z := b.Node("prox", graph.Place{Quantity: "z"}, a, in, step)
	gradients := b.Backward(z, b.Input("grad/z", r.data.fill("dz", 9, 1, r.count)), in)
	b.Require(append(gradients, z)...)
	return b.Case
}

// normCase is a case of BatchNorm and its gradients.
type normCase struct {
	name       string
	exact      bool
	n, c, h, w int
	offset     float64 // of x
	training   bool
	flags      []string
	why        string
}

var batchNorms = []normCase{
	{"training", false, 4, 8, 5, 6, 0, true, []string{"smoke"},
		"the batch's statistics, biased in y, unbiased in the running variance"},
	{"training-64", false, 2, 64, 7, 9, 0, true, nil, "as many channels as the published stem has"},
	{"training-three", false, 3, 5, 1, 1, 0, true, nil,
		"three values a channel: biased and unbiased differ by a factor of 1.5"},
	{"training-offset", false, 3, 6, 6, 5, 64, true, []string{"smoke"},
		"a mean 100 times the spread: the mean of squares less the square of the mean loses it"},
	{"training-faint", false, 3, 6, 6, 5, 0, true, nil, "a variance no larger than epsilon"},
	{"training-9x70", false, 9, 70, 3, 4, 0, true, nil, "nine images, 70 channels: a remainder in both"},
	{"eval", false, 4, 8, 5, 6, 0.5, false, []string{"smoke"},
		"the running statistics, which stay as they are"},
	{"eval-exact", true, 2, 5, 4, 3, 0, false, []string{"smoke"}, "variance and epsilon add up to 1"},
}

func (r normCase) build() *graph.Case {
	d := data{"batchnorm " + r.name, r.exact}
	b := graph.New("batchnorm-"+r.name, "batchnorm", r.why, append([]string{d.flag()}, r.flags...)...)
	shape := []int{r.n, r.c, r.h, r.w}
	epsilon := autodiff.BatchNormEpsilon
	x := d.fill("x", 9, 1, shape...)
	if r.offset != 0 {
		x = d.around("x", r.offset, 1, shape...)
	}
	variance := d.around("running_var", 1, 0.5, r.c)
	switch {
	case r.exact:
		epsilon = 0.25
		variance = golden.Fill{Shape: []int{r.c}, Offset: 0.75}
	case r.name == "training-faint":
		x.Scale = 0x1p-8
	}
	in := []string{b.Input("x", x), b.Input("weight", d.gamma(r.c)),
		b.Input("bias", d.fill("bias", 9, 0.5, r.c))}
	state := b.Of(in[1], in[2], b.Input("running_mean", d.fill("running_mean", 9, 0.25, r.c)),
		b.Input("running_var", variance))
	norm := autodiff.Norm{Gamma: state[0], Beta: state[1], Mean: state[2], Variance: state[3],
		Epsilon: epsilon, Momentum: autodiff.BatchNormMomentum}
	b.Attrs["training"], b.Attrs["epsilon"], b.Attrs["momentum"] = r.training, epsilon,
		autodiff.BatchNormMomentum
	y, mean, movedVariance := b.BatchNorm("", in[0], norm, r.training)
	required := append(b.Backward(y, b.Input("grad/y", d.fill("dy", 9, 1, shape...)), in...), y)
	if r.training {
		required = append(required, mean, movedVariance)
	}
	b.Require(required...)
	return b.Case
}

// gamma is BatchNorm's factor: around 1, or 1, 2 and 3 in an exact case.
func (d data) gamma(channels int) golden.Fill {
	if !d.exact {
		return d.around("weight", 1, 0.5, channels)
	}
	f := d.fill("weight", 3, 1, channels)
	f.Offset = 2
	return f
}
