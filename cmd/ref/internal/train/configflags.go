package train

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"sdref/cmd/ref/internal/cli"
	"sdref/sdnet/training"
)

// epochList is a flag of epochs with commas between them.
type epochList []int

func (l *epochList) String() string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(*l), " ", ","), "[]")
}

func (l *epochList) Set(text string) error {
	*l = nil
	for part := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return fmt.Errorf("%q is no epoch", part)
		}
		*l = append(*l, n)
	}
	return nil
}

// configFlags defines a flag for each setting of a run.
func configFlags(c *cli.Call, k *training.Config) {
	c.Flags.StringVar(&k.Network, "net", k.Network, "the `network`: "+cli.NetworkNames())
	c.Flags.StringVar(&k.Type, "type", k.Type, "float32 or float64")
	c.Flags.Uint64Var(&k.Seed, "seed", k.Seed, "of all random choices")
	c.Flags.Var((*epochs)(k), "epochs", "passes over the training images; 9.9 leaves out the last tenth of the tenth")
	c.Flags.IntVar(&k.Batch, "batch", k.Batch, "images per step")
	c.Flags.IntVar(&k.Images, "images", k.Images, "train on the first `N` images only (0: all)")
	c.Flags.IntVar(&k.Holdout, "holdout", k.Holdout,
		"hold out `N` training images, which are evaluated and not trained on")
	c.Flags.IntVar(&k.HoldoutEvery, "holdout-every", k.HoldoutEvery,
		"evaluate them after every so many epochs, and the last (0: after each)")
	c.Flags.IntVar(&k.Extent, "size", k.Extent,
		"height and width to which images of a folder of classes are brought (0: 224)")
	c.Flags.StringVar(&k.Stem, "stem", k.Stem,
		"the first convolution: cifar (3x3), for images of some tens of pixels, imagenet (7x7, stride 2, and pooling), or patches (2x2) (default: "+
			"that of -start's network, else cifar for CIFAR and drawn images, imagenet for a folder of classes)")
	c.Flags.Float64Var(&k.Smoothing, "smoothing", k.Smoothing,
		"label smoothing: this share of each target is spread evenly over all classes")
	c.Flags.Float64Var(&k.Mixup, "mixup", k.Mixup,
		"mix each batch with itself, images and labels, by a share drawn from Beta(`alpha`, alpha); 0.1 to 0.4 are usual")
	c.Flags.BoolVar(&k.Augment, "augment", k.Augment, "crop and flip; -augment=false does not")
	c.Flags.StringVar(&k.Schedule, "schedule", k.Schedule,
		"of the learning rate: cosine, steps (a tenth after each of -milestones), or triangle (from -rate-from up in -warmup epochs, and down to -rate-to)")
	c.Flags.Var((*epochList)(&k.Milestones), "milestones",
		"the `epochs` after which the rate falls, with steps")
	c.Flags.Float64Var(&k.Rate, "rate", k.Rate, "learning rate at its highest")
	c.Flags.Float64Var(&k.Warmup, "warmup", k.Warmup, "epochs in which the rate rises linearly, with cosine and triangle (a new run by fast or fast95 with other -epochs: the same share of them)")
	c.Flags.Float64Var(&k.Momentum, "momentum", k.Momentum, "momentum")
	c.Flags.BoolVar(&k.LearnLambda, "learn-lambda", k.LearnLambda,
		"train each CSC layer's lambda, from -lambda on")
	c.Flags.BoolVar(&k.LearnStep, "learn-step", k.LearnStep,
		"train a factor on each CSC layer's step size, from 1 on")
	c.Flags.TextVar(&k.Gradient, "gradient", k.Gradient,
		"of the CSC layers: unrolled (through the iterations) or implicit (of the solution, for many "+
			"iterations)")
	c.Flags.BoolVar(&k.PlainMomentum, "plain-momentum", k.PlainMomentum, "momentum without Nesterov's change")
	c.Flags.Float64Var(&k.Decay, "decay", k.Decay, "weight decay")
	c.Flags.Float64Var(&k.Lambda, "lambda", k.Lambda, "weight of |z|_1 in the CSC layers")
	c.Flags.Float64Var(&k.Mu, "mu", k.Mu, "weight of |z|^2/2 in the CSC layers")
	c.Flags.IntVar(&k.Iterations, "iterations", k.Iterations, "FISTA iterations of each CSC layer")
	c.Flags.TextVar(&k.Algorithm, "algorithm", k.Algorithm,
		"of the 3x3 convolutions: direct, or winograd (faster, other bits, somewhat less exact)")
	c.Flags.StringVar(&k.Variant, "variant", k.Variant,
		"FISTA's gradient from the third iteration on: published (at the last iterate) or paper (at the "+
			"extrapolated point)")
	fastFlags(c, &k.Fast)
}

// fastFlags defines a flag for each setting of Fast.
func fastFlags(c *cli.Call, f *training.Fast) {
	c.Flags.Float64Var(&f.RateFrom, "rate-from", f.RateFrom, "the share of -rate at which a triangle begins")
	c.Flags.Float64Var(&f.RateTo, "rate-to", f.RateTo, "the share of -rate at which a triangle ends")
	c.Flags.Float64Var(&f.BiasRate, "bias-rate", f.BiasRate, "a `factor` on the rate of BatchNorm's beta, whose decay is divided by it (0: 1)")
	c.Flags.Float64Var(&f.StemRate, "stem-rate", f.StemRate, "a `factor` on the rate of the stem's filters, whose decay is divided by it (0: 1)")
	c.Flags.Float64Var(&f.Muon, "muon", f.Muon,
		"the `rate` of Muon's steps, of all filters but the stem's, where -rate is that of other parameters (0: SGD for all)")
	c.Flags.Float64Var(&f.MuonMomentum, "muon-momentum", f.MuonMomentum, "momentum of Muon's steps (0: 0.6)")
	c.Flags.IntVar(&f.Lookahead, "lookahead", f.Lookahead, "move slow weights after every so many `steps` and go on from them (0: no slow weights)")
	c.Flags.IntVar(&f.Reflect, "reflect", f.Reflect,
		"move images by up to so many `pixels`, edges reflected (0: the usual crops with black edges)")
	c.Flags.BoolVar(&f.AlternatingFlip, "alternating-flip", f.AlternatingFlip, "mirror each image in every other epoch, not at random; with -reflect")
	c.Flags.BoolVar(&f.Dirac, "dirac", f.Dirac, "begin with 3x3 convolutions that pass their input on")
	c.Flags.StringVar((*string)(&f.StemAtoms), "stem-atoms", string(f.StemAtoms),
		"begin the stem's filters as the training patches' principal `components`, or as patches (default: at random)")
	c.Flags.TextVar(&f.Activation, "activation", f.Activation, "relu or gelu, where it is not the network's own")
	c.Flags.Float64Var(&f.NormEpsilon, "norm-epsilon", f.NormEpsilon, "what BatchNorm adds to variances (0: the network's own)")
	c.Flags.Float64Var(&f.NormMomentum, "norm-momentum", f.NormMomentum, "the weight of a batch in BatchNorm's running statistics (0: the network's own)")
	c.Flags.BoolVar(&f.FixedScale, "fixed-scale", f.FixedScale, "do not train BatchNorm's gamma")
	c.Flags.BoolVar(&f.FixedStem, "fixed-stem", f.FixedStem, "do not train the stem's filters")
	c.Flags.BoolVar(&f.Whitening, "whitening", f.Whitening, "begin the stem with a fixed convolution that whitens patches")
	c.Flags.IntVar(&f.Atoms, "atoms", f.Atoms, "channels of the stem (0: the network's own)")
}

// epochs is a flag of epochs, the last of them perhaps in part.
type epochs training.Config

func (e *epochs) String() string {
	return strconv.FormatFloat(passes((*training.Config)(e)), 'g', -1, 64)
}

// passes is the number of epochs, the last of which counts as far as it goes.
func passes(k *training.Config) float64 {
	if k.LastEpoch == 0 {
		return float64(k.Epochs)
	}
	return float64(k.Epochs-1) + k.LastEpoch
}

func (e *epochs) Set(text string) error {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || !(math.Abs(v) <= 1e9) {
		return fmt.Errorf("%q is no number of epochs", text)
	}
	whole := math.Floor(v)
	e.Epochs, e.LastEpoch = int(whole), math.Round((v-whole)*1e6)/1e6 // 9.9 - 9 is not 0.9
	if e.LastEpoch > 0 {
		e.Epochs++
	}
	return nil
}
