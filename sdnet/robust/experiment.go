package robust

import (
	"math"
	"slices"

	"sdref/internal/misuse"
	"sdref/internal/names"
	"sdref/sdnet/data"
	"sdref/tensor"
)

// Experiment is the settings that Curves and Outcomes share.
type Experiment struct {
	// Lambdas ascend; a lambda that is computed for an image is clamped to the first and the last.
	Lambdas    []float64
	Conditions []Condition
	Seed       uint64 // of the noises
	// Progress, if set, is called after each batch with the number of its predictions; the experiment stops
	// if it returns false.
	Progress func(predictions int) bool
}

// Method is a way to choose the stem's lambda.
type Method int

const (
	Fixed    Method = iota // the lambda of training
	Constant               // the lambda that is best for training images with this noise, over all severities
	PerSet                 // the line of this noise at the mean residual of all images of a condition
	PerImage               // the line of this noise at the image's own residual
	AnyNoise               // the line of all noises together at the image's own residual
	Methods  int    = iota // the number of methods
)

func (m Method) String() string {
	return names.Of(m, []string{"fixed", "constant", "per set", "per image", "any noise"})
}

// MarshalText returns the text, for files.
func (m Method) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// Outcome is the results of all methods on test images under one condition.
type Outcome struct {
	Condition
	Images     int
	Lambda     [Methods]float64 // the mean lambda over the images
	Recognised [Methods][]bool  // whether each image was recognised
	Curve      *Curve           // the accuracy at every lambda, for comparison; nil if that was not asked for
}

// Correct is the number of images that a method recognised.
func (t Outcome) Correct(m Method) int {
	n := 0
	for _, ok := range t.Recognised[m] {
		if ok {
			n++
		}
	}
	return n
}

// CurvePredictions is the number of predictions that Curves makes for each image.
func (e Experiment) CurvePredictions() int { return len(e.Conditions) * (1 + len(e.Lambdas)) }

// OutcomePredictions is the number of predictions that Outcomes makes for each image.
func (e Experiment) OutcomePredictions(oracle bool) int {
	if oracle {
		return len(e.Conditions) * (Methods + len(e.Lambdas))
	}
	return len(e.Conditions) * Methods
}

// Curves measures a model on the images of a set with the given indices, under each condition at each lambda.
// If it was stopped it returns the curves that were finished.
func Curves[T tensor.Float](m *Model[T], e Experiment, set *data.Set, indices []int) []Curve {
	var curves []Curve
	for _, c := range e.Conditions {
		images := c.apply(m.Workers, set, indices, e.Seed)
		predictions := m.Predict(images, Repeat(len(indices), m.Lambda), e.Progress)
		if predictions == nil {
			return curves
		}
		curve := m.curve(e, c, images, predictions)
		if curve == nil {
			return curves
		}
		curves = append(curves, *curve)
	}
	return curves
}

// Outcomes measures every method on the images of a set with the given indices, under each condition. With
// oracle it measures all lambdas too: the best of these is chosen by the labels, so no method that does not
// know them can be expected to do better. If it was stopped it returns the outcomes that were finished.
func Outcomes[T tensor.Float](m *Model[T], e Experiment, choices []Choice, set *data.Set, indices []int,
	oracle bool) []Outcome {
	var outcomes []Outcome
	for _, c := range e.Conditions {
		images := c.apply(m.Workers, set, indices, e.Seed)
		fixed := m.Predict(images, Repeat(len(indices), m.Lambda), e.Progress)
		if fixed == nil {
			return outcomes
		}
		t := Outcome{Condition: c, Images: len(indices)}
		t.Lambda[Fixed], t.Recognised[Fixed] = m.Lambda, recognised(fixed, images)
		for method := Constant; int(method) < Methods; method++ {
			lambdas := e.choose(method, choices, c, fixed)
			predictions := m.Predict(images, lambdas, e.Progress)
			if predictions == nil {
				return outcomes
			}
			t.Lambda[method], t.Recognised[method] = mean(lambdas), recognised(predictions, images)
		}
		if oracle {
			if t.Curve = m.curve(e, c, images, fixed); t.Curve == nil {
				return outcomes
			}
		}
		outcomes = append(outcomes, t)
	}
	return outcomes
}

// apply returns the images with the given indices under a condition, by so many goroutines at the most.
func (c Condition) apply(workers int, set *data.Set, indices []int, seed uint64) *data.Set {
	if c.Noise == Clean {
		return data.Pick(set, indices)
	}
	kind, err := data.ParseNoise(c.Noise)
	if err != nil {
		panic(misuse.Errorf("robust: %v", err))
	}
	return data.AddNoiseWithin(workers, set, indices, kind, c.Severity, seed)
}

// curve measures all lambdas on images; predictions are those at the lambda of training.
func (m *Model[T]) curve(e Experiment, c Condition, images *data.Set, predictions []Prediction) *Curve {
	curve := &Curve{Condition: c, Images: len(predictions), Residual: meanResidual(predictions)}
	for _, lambda := range e.Lambdas {
		predictions := m.Predict(images, Repeat(images.Len(), lambda), e.Progress)
		if predictions == nil {
			return nil
		}
		correct := 0
		for i, a := range predictions {
			if a.Class == int(images.Labels[i]) {
				correct++
			}
		}
		curve.Correct = append(curve.Correct, correct)
	}
	return curve
}

// choose returns a method's lambda for each image, given the predictions at the lambda of training.
func (e Experiment) choose(method Method, choices []Choice, c Condition, predictions []Prediction) []float64 {
	choice, low, high := choiceFor(choices, c), e.Lambdas[0], e.Lambdas[len(e.Lambdas)-1]
	switch method {
	case Constant:
		return Repeat(len(predictions), choice.Constant)
	case PerSet:
		return Repeat(len(predictions), choice.Line.At(meanResidual(predictions), low, high))
	case AnyNoise:
		choice = choiceFor(choices, Condition{Noise: Any})
	}
	lambdas := make([]float64, len(predictions))
	for i, a := range predictions {
		lambdas[i] = choice.Line.At(a.Residual, low, high)
	}
	return lambdas
}

// recognised tells which predictions are the label.
func recognised(predictions []Prediction, set *data.Set) []bool {
	list := make([]bool, len(predictions))
	for i, a := range predictions {
		list[i] = a.Class == int(set.Labels[i])
	}
	return list
}

func meanResidual(predictions []Prediction) float64 {
	sum := 0.0
	for _, a := range predictions {
		sum += a.Residual
	}
	return sum / float64(max(1, len(predictions)))
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(max(1, len(values)))
}

// Estimate is a mean over images and its standard error.
type Estimate struct {
	Mean  float64 `json:"mean"`
	Error float64 `json:"error"`
}

// Summary is the results of a method on a noise, over all severities.
type Summary struct {
	Accuracy Estimate `json:"accuracy"` // the mean over severities and images
	Gain     Estimate `json:"gain"`     // over Fixed, image by image
}

// Summarise takes the mean of a method over the outcomes of a noise, or over all noises for Any. The same
// images occur in every outcome, so errors come from the spread of the images' means over the outcomes.
func Summarise(outcomes []Outcome, name string, m Method) Summary {
	outcomes = slices.DeleteFunc(slices.Clone(outcomes), func(t Outcome) bool {
		return t.Noise != name && (name != Any || t.Noise == Clean)
	})
	if len(outcomes) == 0 {
		panic(misuse.Errorf("robust.Summarise: no outcome of %s", name))
	}
	accuracy, gain := make([]float64, outcomes[0].Images), make([]float64, outcomes[0].Images)
	for i := range accuracy {
		fixed := 0.0
		for _, t := range outcomes {
			accuracy[i] += count(t.Recognised[m][i])
			fixed += count(t.Recognised[Fixed][i])
		}
		gain[i] = (accuracy[i] - fixed) / float64(len(outcomes))
		accuracy[i] /= float64(len(outcomes))
	}
	return Summary{estimateOf(accuracy), estimateOf(gain)}
}

// count is 1 for true.
func count(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// estimateOf is the mean of values and its standard error, 0 for a single value.
func estimateOf(values []float64) Estimate {
	s := Estimate{Mean: mean(values)}
	if len(values) < 2 {
		return s
	}
	squares := 0.0
	for _, v := range values {
		squares += float64((v - s.Mean) * (v - s.Mean))
	}
	n := float64(len(values))
	s.Error = math.Sqrt(squares / (n - 1) / n)
	return s
}
