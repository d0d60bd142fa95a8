package train

import (
	"fmt"
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
	c.Flags.IntVar(&k.Epochs, "epochs", k.Epochs, "passes over the training images")
	c.Flags.IntVar(&k.Batch, "batch", k.Batch, "images per step")
	c.Flags.IntVar(&k.Images, "images", k.Images, "train on the first `N` images only (0: all)")
	c.Flags.IntVar(&k.Holdout, "holdout", k.Holdout,
		"hold out `N` training images, which are evaluated and not trained on")
	c.Flags.IntVar(&k.HoldoutEvery, "holdout-every", k.HoldoutEvery,
		"evaluate them after every so many epochs, and the last (0: after each)")
	c.Flags.IntVar(&k.Extent, "size", k.Extent,
		"height and width to which images of a folder of classes are brought (0: 224)")
	c.Flags.StringVar(&k.Stem, "stem", k.Stem,
		"the first convolution: cifar (3x3), for images of some tens of pixels, or imagenet (7x7, stride 2, and pooling) (default: "+
			"that of -start's network, else cifar for CIFAR and drawn images, imagenet for a folder of classes)")
	c.Flags.Float64Var(&k.Smoothing, "smoothing", k.Smoothing,
		"label smoothing: this share of each target is spread evenly over all classes")
	c.Flags.Float64Var(&k.Mixup, "mixup", k.Mixup,
		"mix each batch with itself, images and labels, by a share drawn from Beta(`alpha`, alpha); 0.1 to 0.4 are usual")
	c.Flags.BoolVar(&k.Augment, "augment", k.Augment, "crop and flip; -augment=false does not")
	c.Flags.StringVar(&k.Schedule, "schedule", k.Schedule,
		"of the learning rate: cosine, or steps (a tenth after each of -milestones)")
	c.Flags.Var((*epochList)(&k.Milestones), "milestones",
		"the `epochs` after which the rate falls, with steps")
	c.Flags.Float64Var(&k.Rate, "rate", k.Rate, "learning rate at its highest")
	c.Flags.Float64Var(&k.Warmup, "warmup", k.Warmup, "epochs in which the rate rises linearly, with cosine")
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
}
