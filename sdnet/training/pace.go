package training

import (
	"time"

	"sdref/sdnet"
)

// The measurement of Pace: at most so many images in a batch, and steps until so much time has passed, but not more than so many.
const (
	paceBatch = 32
	paceSteps = 3
	paceTime  = 2 * time.Second
)

// Pace measures some training steps on a copy of the network, with grey images, and returns the time that a training image takes. The
// run itself, its weights and its random streams stay as they are. Reading and augmenting images, which goes on meanwhile, is not in
// it. The first step, which plans and takes memory, counts only where it is the only one.
func (r *Run[T]) Pace() time.Duration {
	net, batch := r.Net().Clone(), min(paceBatch, r.Batch, r.Images)
	t := sdnet.NewTrainer(net, r.Momentum, r.Decay)
	t.Workers = r.Trainer.Workers
	images, labels := newBatch[T](batch, net.Data.Shape()), make([]int, batch)
	images.Fill(0.5)
	var best time.Duration
	for k, begin := 0, time.Now(); k <= paceSteps && (k == 0 || time.Since(begin) < paceTime); k++ {
		start := time.Now()
		t.Step(images, labels, 0)
		if took := time.Since(start); k <= 1 || took < best {
			best = took
		}
	}
	return best / time.Duration(batch)
}

// evaluationShare is about what evaluating an image takes, as a share of training on it: the forward pass of three.
const evaluationShare = 1. / 3

// Remaining is about how long the run takes from now on if a training image takes pace: its steps, and the evaluations of the images
// held out. The test images are not in it.
func (r *Run[T]) Remaining(pace time.Duration) time.Duration {
	left := float64(r.TotalSteps() - r.Iteration)
	images := left * float64(r.Images) / float64(r.StepsPerEpoch())
	evaluations := left / float64(r.StepsPerEpoch()) / float64(max(1, r.HoldoutEvery))
	images += evaluationShare * float64(r.Holdout) * evaluations
	return time.Duration(images * float64(pace))
}
