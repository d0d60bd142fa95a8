package sdnet

import (
	"cmp"
	"fmt"
	"slices"

	"sdref/tensor"
)

// Softmax returns the probabilities (N, classes) of logits (N, classes), exp(l)/sum of exp over each image's, computed in float64 with the
// largest logit taken out. A NaN makes all of its image's NaN.
func Softmax[T tensor.Float](logits *tensor.Tensor[T]) *tensor.Tensor[float64] {
	if len(logits.Shape) != 2 || logits.Shape[1] < 1 {
		panic(&tensor.ShapeError{Op: "sdnet.Softmax", Shapes: [][]int{logits.Shape}})
	}
	p := tensor.New[float64](logits.Shape...)
	for image := range logits.Shape[0] {
		softmax(p.Row(image).Data, logits.Row(image).Data)
	}
	return p
}

// Largest is the index of the largest number, the first of equal ones: of logits or probabilities the answer.
func Largest[E cmp.Ordered](list []E) int {
	best := 0
	for k := range list {
		if list[k] > list[best] {
			best = k
		}
	}
	return best
}

// Guess is a class and its probability.
type Guess struct {
	Class       string  `json:"class"`
	Label       int     `json:"label"`
	Probability float64 `json:"probability"`
}

// String is the class and the probability in per cent.
func (g Guess) String() string { return fmt.Sprintf("%s %.2f %%", g.Class, 100*g.Probability) }

// Top returns the k most probable classes of one image, all if there are fewer, the most probable first; of equal ones the lower label
// comes first. names are those of the classes, by label; without them a class is called by its label.
func Top(probabilities []float64, k int, names []string) []Guess {
	list := make([]Guess, len(probabilities))
	for label, p := range probabilities {
		list[label] = Guess{fmt.Sprint(label), label, p}
		if label < len(names) {
			list[label].Class = names[label]
		}
	}
	slices.SortStableFunc(list, func(a, b Guess) int { return cmp.Compare(b.Probability, a.Probability) })
	return list[:max(0, min(k, len(list)))]
}
