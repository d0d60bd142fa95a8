package robust

import (
	"math"
	"slices"

	"sdref/sdnet/data"
	"sdref/tensor"
)

// Experiment is what training and test images have in common.
type Experiment struct {
	Lambdas    []float64 // ascending; a lambda that is computed for an image is kept within the first and the last
	Conditions []Condition
	Seed       uint64 // of the noises
	// Progress, if set, is called after each batch with the number of its predictions; everything stops if the answer is false.
	Progress func(predictions int) bool
}

// Method is a way to choose the stem's lambda.
type Method int

const (
	Fixed    Method = iota // that of training
	Constant               // the best one for noised training images of this noise, whatever the severity
	PerSet                 // by the line of this noise, one for all images of a condition, from the mean of their residuals
	PerImage               // by the line of this noise, for each image from its own residual
	AnyNoise               // by the line of all noises together, for each image from its own residual
	Methods  int    = iota
)

func (m Method) String() string {
	return [...]string{"fixed", "constant", "per set", "per image", "any noise"}[m]
}

// Trial is what came of a condition on test images.
type Trial struct {
	Condition
	Images int
	Lambda [Methods]float64 // mean over the images
	Right  [Methods][]bool  // for each image
	Curve  *Curve           // at every lambda of the experiment, for comparison; nil if that was not asked for
}

// Correct is the number of images that a method recognised.
func (t Trial) Correct(m Method) int {
	n := 0
	for _, right := range t.Right[m] {
		if right {
			n++
		}
	}
	return n
}

// Learning and Testing are the numbers of predictions an image that Curves and Trials make.
func (e Experiment) Learning() int { return len(e.Conditions) * (1 + len(e.Lambdas)) }

func (e Experiment) Testing(oracle bool) int {
	if oracle {
		return len(e.Conditions) * (Methods + len(e.Lambdas))
	}
	return len(e.Conditions) * Methods
}

// Curves measures a model on the images of a set with the given indices, under each condition at each lambda. It returns nil if
// it was stopped.
func Curves[T tensor.Float](m *Model[T], e Experiment, set *data.Set, indices []int) []Curve {
	var curves []Curve
	for _, c := range e.Conditions {
		images := c.apply(set, indices, e.Seed)
		answers := m.Predict(images, Same(len(indices), m.Lambda), e.Progress)
		if answers == nil {
			return nil
		}
		curve := m.curve(e, c, images, answers)
		if curve == nil {
			return nil
		}
		curves = append(curves, *curve)
	}
	return curves
}

// Trials tries every method on the images of a set with the given indices, under each condition. With oracle it measures all
// lambdas too: the best of these looks at labels, and no method that does not can be expected to do better. It returns nil if it was
// stopped.
func Trials[T tensor.Float](m *Model[T], e Experiment, choices []Choice, set *data.Set, indices []int, oracle bool) []Trial {
	var trials []Trial
	for _, c := range e.Conditions {
		images := c.apply(set, indices, e.Seed)
		fixed := m.Predict(images, Same(len(indices), m.Lambda), e.Progress)
		if fixed == nil {
			return nil
		}
		t := Trial{Condition: c, Images: len(indices)}
		t.Lambda[Fixed], t.Right[Fixed] = m.Lambda, right(fixed, images)
		for method := Constant; int(method) < Methods; method++ {
			lambdas := e.choose(method, choices, c, fixed)
			answers := m.Predict(images, lambdas, e.Progress)
			if answers == nil {
				return nil
			}
			t.Lambda[method], t.Right[method] = mean(lambdas), right(answers, images)
		}
		if oracle {
			if t.Curve = m.curve(e, c, images, fixed); t.Curve == nil {
				return nil
			}
		}
		trials = append(trials, t)
	}
	return trials
}

// apply returns the images with the given indices under a condition.
func (c Condition) apply(set *data.Set, indices []int, seed uint64) *data.Set {
	if c.Noise == Clean {
		return data.Pick(set, indices)
	}
	kind, err := data.ParseNoise(c.Noise)
	if err != nil {
		panic("robust: " + err.Error())
	}
	return data.AddNoise(set, indices, kind, c.Severity, seed)
}

// curve measures all lambdas on images; answers are those at the lambda of training.
func (m *Model[T]) curve(e Experiment, c Condition, images *data.Set, answers []Answer) *Curve {
	curve := &Curve{Condition: c, Images: len(answers), Residual: meanResidual(answers)}
	for _, lambda := range e.Lambdas {
		answers := m.Predict(images, Same(images.Len(), lambda), e.Progress)
		if answers == nil {
			return nil
		}
		correct := 0
		for i, a := range answers {
			if a.Class == int(images.Labels[i]) {
				correct++
			}
		}
		curve.Correct = append(curve.Correct, correct)
	}
	return curve
}

// choose returns a method's lambda for each image, given the answers at the lambda of training.
func (e Experiment) choose(method Method, choices []Choice, c Condition, answers []Answer) []float64 {
	choice, low, high := choiceFor(choices, c), e.Lambdas[0], e.Lambdas[len(e.Lambdas)-1]
	switch method {
	case Constant:
		return Same(len(answers), choice.Constant)
	case PerSet:
		return Same(len(answers), choice.Line.At(meanResidual(answers), low, high))
	case AnyNoise:
		choice = choiceFor(choices, Condition{Noise: Any})
	}
	lambdas := make([]float64, len(answers))
	for i, a := range answers {
		lambdas[i] = choice.Line.At(a.Residual, low, high)
	}
	return lambdas
}

func right(answers []Answer, set *data.Set) []bool {
	list := make([]bool, len(answers))
	for i, a := range answers {
		list[i] = a.Class == int(set.Labels[i])
	}
	return list
}

func meanResidual(answers []Answer) float64 {
	sum := 0.0
	for _, a := range answers {
		sum += a.Residual
	}
	return sum / float64(max(1, len(answers)))
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(max(1, len(values)))
}

// Share is a mean over images and its standard error.
type Share struct {
	Mean  float64 `json:"mean"`
	Error float64 `json:"error"`
}

// Summary is how a method did on a noise, over all severities.
type Summary struct {
	Accuracy Share `json:"accuracy"` // the mean over severities and images
	Gain     Share `json:"gain"`     // over Fixed, image by image
}

// Summarise takes the mean of a method over the trials of a noise, or over all noises for Any. The same images occur in
// every trial, so errors come from the spread between images of their mean over the trials.
func Summarise(trials []Trial, name string, m Method) Summary {
	trials = slices.DeleteFunc(slices.Clone(trials), func(t Trial) bool { return t.Noise != name && (name != Any || t.Noise == Clean) })
	if len(trials) == 0 {
		panic("robust.Summarise: no trial of " + name)
	}
	accuracy, gain := make([]float64, trials[0].Images), make([]float64, trials[0].Images)
	for i := range accuracy {
		fixed := 0.0
		for _, t := range trials {
			accuracy[i] += count(t.Right[m][i])
			fixed += count(t.Right[Fixed][i])
		}
		gain[i] = (accuracy[i] - fixed) / float64(len(trials))
		accuracy[i] /= float64(len(trials))
	}
	return Summary{shareOf(accuracy), shareOf(gain)}
}

// count is 1 for true.
func count(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// shareOf is the mean of values and its standard error, 0 for a single value.
func shareOf(values []float64) Share {
	s := Share{Mean: mean(values)}
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
