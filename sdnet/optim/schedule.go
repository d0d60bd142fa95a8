package optim

import (
	"math"

	"sdref/internal/elementary"
)

// Schedule gives the learning rate of each step of a run.
type Schedule interface {
	// Rate is the learning rate of step number i (from 0) of a run of total steps with perEpoch steps each
	// epoch.
	Rate(i, perEpoch, total int) float64
}

// Cosine is the published CIFAR schedule, changed at every iteration: Base (1 + cos(pi i/total))/2, after
// Warmup epochs of linear rise (0 as published).
type Cosine struct {
	Base   float64
	Warmup float64 // epochs
}

func (c Cosine) Rate(i, perEpoch, total int) float64 {
	warm := c.Warmup * float64(perEpoch)
	if float64(i) < warm {
		return c.Base * (float64(i) + 1) / math.Ceil(warm)
	}
	return c.Base * (1 + elementary.Cos(math.Pi*float64(i)/float64(total))) / 2
}

// Steps is the published ImageNet schedule: Base times Factor for every one of the Epochs that has passed.
type Steps struct {
	Base, Factor float64 // 0.1, 0.1
	Epochs       []int   // 30, 60, 90
}

func (s Steps) Rate(i, perEpoch, _ int) float64 {
	rate := s.Base
	for _, e := range s.Epochs {
		if i >= e*perEpoch {
			rate *= s.Factor
		}
	}
	return rate
}

// Triangle is a schedule of straight lines: from From*Base to Base at the end of Warmup epochs, and from there to To*Base at the run's end (K.
// Jordan, "94% on CIFAR-10 in 3.29 seconds on a single GPU", 2024: 0.2 and 0.07, Warmup 0.23 of the run).
type Triangle struct {
	Base     float64
	From, To float64 // shares of Base
	Warmup   float64 // epochs
}

func (t Triangle) Rate(i, perEpoch, total int) float64 {
	peak := int(t.Warmup * float64(perEpoch)) // whole steps, as in the paper's program
	if i < peak {
		share := float64(i) / float64(peak)
		return t.Base * (float64(t.From*(1-share)) + share)
	}
	share := float64(i-peak) / float64(max(1, total-peak))
	return t.Base * (1 - share + float64(t.To*share))
}
