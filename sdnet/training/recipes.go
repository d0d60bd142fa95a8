package training

import (
	"sdref/conv"
	"sdref/csc"
	"sdref/sdnet"
)

// Recipe is a named configuration, except for the settings that depend on the data.
type Recipe struct {
	Name, Summary string
	Config
}

// Recipes lists the recipes.
func Recipes() []Recipe {
	return []Recipe{
		{"cifar", "as published: 220 epochs, cosine", Published()},
		{"imagenet", "as published: 100 epochs, a tenth of the rate after 30, 60 and 90", ImageNet()},
		{"short", "for CPUs, CIFAR: 10 epochs, one of them warm-up, Winograd", Short()},
		{"fast", "for CPUs, CIFAR: a chain of convolutions behind a CSC layer, 14.9 epochs, Winograd", FastAir()},
		{"fast95", "the same, wider and for 20 epochs", FastWide()},
		{"demo", "less than a minute on drawn images: a narrow network, 3 epochs", Demo()},
	}
}

// Published is the authors' recipe for CIFAR: 220 epochs in batches of 128, cropped and flipped, cosine from
// 0.1, Nesterov momentum 0.9, weight decay 5e-4, lambda 0.1 and two iterations.
func Published() Config {
	return Config{
		Network: "sdnet18", Data: "cifar10", Type: "float32", Seed: 1, Epochs: 220, Batch: 128, Augment: true,
		Schedule: "cosine", Rate: 0.1, Milestones: []int{30, 60, 90}, Momentum: 0.9, Decay: 5e-4,
		Lambda: sdnet.PublishedCSC.Lambda, Iterations: sdnet.PublishedCSC.Iterations,
		Variant: csc.Published.String(),
	}
}

// ImageNet is the authors' recipe for ImageNet: 100 epochs in batches of 512, random boxes and flips, 0.1 and
// a tenth of it after 30, 60 and 90 epochs, weight decay 1e-4. Their configuration has momentum without
// Nesterov's change.
func ImageNet() Config {
	return Config{
		Network: "sdnet18", Data: "imagenet", Type: "float32", Seed: 1, Epochs: 100, Batch: 512,
		Augment:  true,
		Schedule: "steps", Rate: 0.1, Milestones: []int{30, 60, 90}, Momentum: 0.9, PlainMomentum: true,
		Decay:  1e-4,
		Lambda: sdnet.PublishedCSC.Lambda, Iterations: sdnet.PublishedCSC.Iterations,
		Variant: csc.Published.String(),
	}
}

// Short is a recipe for CIFAR on a CPU, for hours rather than weeks: 10 epochs in batches of 64, the rate
// rising to 0.08 in the first, with algorithm Winograd.
func Short() Config {
	return Config{
		Network: "sdnet18", Data: "cifar10", Type: "float32", Seed: 1, Epochs: 10, Batch: 64, Augment: true,
		Schedule: "cosine", Rate: 0.08, Warmup: 1, Milestones: []int{30, 60, 90}, Momentum: 0.9, Decay: 5e-4,
		Lambda: sdnet.PublishedCSC.Lambda, Iterations: sdnet.PublishedCSC.Iterations,
		Variant:   csc.Published.String(),
		Algorithm: conv.Winograd,
	}
}

// FastAir is a recipe for CIFAR on a CPU, for an hour or less: that of K. Jordan ("94% on CIFAR-10 in 3.29 seconds on a single GPU", 2024)
// for a chain with a CSC stem behind whitening, which of such stems learnt most, and for 14.9 epochs where his stem needs 9.9 (docs/cifar.md). His losses are sums over batches of 1024, and his rate of 11.5 is for 1024 (1 + 1/(1 - 0.85)) images; for means
// that is 11.5/(1 + 1/0.15) = 1.5. His decay, 0.0153/7.67 a batch beside the rate, becomes 0.00133.
func FastAir() Config {
	return Config{
		Network: "sdnet_air_whitened", Data: "cifar10", Type: "float32", Seed: 1, Epochs: 15, Batch: 1024, Augment: true,
		Schedule: "triangle", Rate: 1.5, Warmup: 3.427, Milestones: []int{30, 60, 90}, Momentum: 0.85, Decay: 0.00133, Smoothing: 0.2,
		Lambda: sdnet.PublishedCSC.Lambda, Iterations: sdnet.PublishedCSC.Iterations, Variant: csc.Published.String(),
		Algorithm: conv.Winograd,
		Fast:      Fast{LastEpoch: 0.9, RateFrom: 0.2, RateTo: 0.07, BiasRate: 64, Lookahead: 5, Reflect: 2, AlternatingFlip: true, Dirac: true},
	}
}

// FastWide is FastAir for a wider network and 20 epochs.
func FastWide() Config {
	c := FastAir()
	c.Network, c.Whitening, c.Epochs, c.LastEpoch, c.Warmup = "sdnet_air_wide", true, 20, 0, 4.6
	return c
}

// Demo is a run of half a minute on two cores: a narrow network on drawn images.
func Demo() Config {
	return Config{
		Network: "sdnet8_narrow", Data: "shapes", Type: "float32", Seed: 1, Epochs: 3, Batch: 32,
		Images:   8000,
		Schedule: "cosine", Rate: 0.04, Warmup: 0.3, Milestones: []int{30, 60, 90}, Momentum: 0.9, Decay: 5e-4,
		Lambda: sdnet.PublishedCSC.Lambda, Iterations: sdnet.PublishedCSC.Iterations,
		Variant: csc.Published.String(),
	}
}
