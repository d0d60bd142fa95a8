package robust

import (
	"fmt"

	"sdref/internal/misuse"
	"sdref/sdnet"
	"sdref/sdnet/data"
)

// Condition is a noise and its severity.
type Condition struct {
	Noise    string `json:"noise"`    // Clean or a noise's name
	Severity int    `json:"severity"` // 0 if clean
}

const (
	Clean = "clean" // the name of no noise
	Any   = "any"   // the name of a choice for all noises together
)

func (c Condition) String() string {
	if c.Noise == Clean {
		return Clean
	}
	return fmt.Sprintf("%s %d", c.Noise, c.Severity)
}

// Conditions lists no noise, then each noise at each severity.
func Conditions(kinds []data.Noise) []Condition {
	list := []Condition{{Noise: Clean}}
	for _, k := range kinds {
		for severity := 1; severity <= data.Severities; severity++ {
			list = append(list, Condition{k.String(), severity})
		}
	}
	return list
}

// Curve is a network's accuracy under a condition as a function of its stem's lambda.
type Curve struct {
	Condition
	Images   int     `json:"images"`
	Residual float64 `json:"residual"` // mean r at the lambda of training
	Correct  []int   `json:"correct"`  // images recognised at each lambda of the experiment
}

// Best is the index of the lambda with the most images recognised, the lowest of equal ones.
func (c Curve) Best() int { return sdnet.Largest(c.Correct) }

// Line is lambda = Slope r + Intercept.
type Line struct {
	Slope     float64 `json:"slope"`
	Intercept float64 `json:"intercept"`
}

// At is the line's lambda for a residual, within [low, high].
func (l Line) At(residual, low, high float64) float64 {
	return min(max(float64(l.Slope*residual)+l.Intercept, low), high)
}

// Fit returns the least-squares line through points (r, lambda). If all residuals are equal its slope is 0.
func Fit(residuals, lambdas []float64) Line {
	if len(residuals) != len(lambdas) || len(residuals) == 0 {
		panic(misuse.Errorf("robust.Fit: %d residuals, %d lambdas", len(residuals), len(lambdas)))
	}
	n := float64(len(residuals))
	var meanR, meanL, rr, rl float64
	for i, r := range residuals {
		meanR += r / n
		meanL += lambdas[i] / n
	}
	for i, r := range residuals {
		rr += float64((r - meanR) * (r - meanR))
		rl += float64((r - meanR) * (lambdas[i] - meanL))
	}
	if rr == 0 {
		return Line{0, meanL}
	}
	slope := rl / rr
	return Line{slope, meanL - float64(slope*meanR)}
}

// Choice is the lambdas learnt from training images for a noise.
type Choice struct {
	Noise string `json:"noise"` // or Any, for all noises together
	// Constant is the lambda with the most images recognised over all severities and clean images.
	Constant float64 `json:"constant"`
	// Line is fitted to the mean residual and the best lambda of each severity and of clean images.
	Line Line `json:"line"`
}

// Choose learns from the curves of training images over the same lambdas: a choice for each noise that
// occurs, and one for Any.
func Choose(curves []Curve, lambdas []float64) []Choice {
	names := []string{}
	for _, c := range curves {
		if c.Severity == 1 {
			names = append(names, c.Noise)
		}
	}
	var choices []Choice
	for _, name := range append(names, Any) {
		var residuals, best []float64
		correct := make([]int, len(lambdas))
		for _, c := range curves {
			if name != Any && c.Noise != name && c.Noise != Clean {
				continue
			}
			residuals = append(residuals, c.Residual)
			best = append(best, lambdas[c.Best()])
			for i, n := range c.Correct {
				correct[i] += n
			}
		}
		choices = append(choices, Choice{name, lambdas[sdnet.Largest(correct)], Fit(residuals, best)})
	}
	return choices
}

// choiceFor is the choice for a condition; for clean images it is that of Any.
func choiceFor(choices []Choice, c Condition) Choice {
	name := c.Noise
	if name == Clean {
		name = Any
	}
	for _, choice := range choices {
		if choice.Noise == name {
			return choice
		}
	}
	panic(misuse.Errorf("robust: nothing was learnt about %s", name))
}
