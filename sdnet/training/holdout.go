package training

import (
	"fmt"
	"slices"

	"sdref/internal/misuse"
	"sdref/internal/random"
	"sdref/sdnet/data"
)

// HoldoutResult is the evaluation of the images held out, at the end of an epoch.
type HoldoutResult struct {
	Images   int     `json:"images"` // 0 means that they were not evaluated
	Loss     float64 `json:"loss"`
	Accuracy float64 `json:"accuracy"`
}

// split returns the images that are trained on and those held out, each in ascending order. Which are held
// out depends on the three numbers alone and not on the run's seed, so that all such runs hold out the same
// images and can be compared.
func split(all, images, holdout int) (trained, held []int) {
	if holdout > 0 {
		held = random.New(0).Sub("held out").Permutation(all)[:holdout]
		slices.Sort(held)
	}
	for i, k := 0, 0; len(trained) < images; i++ {
		if k < len(held) && held[k] == i {
			k++
			continue
		}
		trained = append(trained, i)
	}
	return trained, held
}

// HoldoutImages is the training images that a run of this configuration holds out.
func (c Config) HoldoutImages(d data.Dataset) (data.Images, error) {
	if all := d.Train.Len(); c.Holdout == 0 || c.Holdout > all {
		return nil, fmt.Errorf("holdout: %d of %d training images", c.Holdout, all)
	}
	_, held := split(d.Train.Len(), 0, c.Holdout)
	return subset{data.ForEvaluation(d.Train), held}, nil
}

// HoldoutDue tells whether the images held out are to be evaluated now: at the end of every HoldoutEvery-th
// epoch and of the last one, until SetHoldout has the result.
func (r *Run[T]) HoldoutDue() bool {
	n := len(r.History)
	if len(r.held) == 0 || n == 0 || !r.endsEpoch(r.Iteration) {
		return false
	}
	return r.History[n-1].Holdout.Images == 0 && (n%max(1, r.HoldoutEvery) == 0 || r.Done())
}

// SetHoldout adds an evaluation of the images held out to the history. It panics unless one is due.
func (r *Run[T]) SetHoldout(e Evaluation) {
	if !r.HoldoutDue() || e.Images+e.LeftOut != len(r.held) {
		panic(misuse.Errorf("training.SetHoldout: %d of %d images after step %d, due: %t", e.Images,
			len(r.held), r.Iteration, r.HoldoutDue()))
	}
	r.History[len(r.History)-1].Holdout = HoldoutResult{Images: e.Images, Loss: e.Loss,
		Accuracy: e.Accuracy()}
}

// IsBest tells whether the last epoch's images held out were recognised better than after every epoch before.
func (r *Run[T]) IsBest() bool {
	last := len(r.History) - 1
	if last < 0 || r.History[last].Holdout.Images == 0 {
		return false
	}
	for _, e := range r.History[:last] {
		if e.Holdout.Images > 0 && e.Holdout.Accuracy >= r.History[last].Holdout.Accuracy {
			return false
		}
	}
	return true
}
