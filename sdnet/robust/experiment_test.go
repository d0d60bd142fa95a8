package robust

import (
	"math"
	"reflect"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat"

	"sdref/sdnet/data"
)

var some = Experiment{Lambdas: []float64{0.1, 0.4, 0.9},
	Conditions: []Condition{{Clean, 0}, {"gaussian", 1}, {"gaussian", 5}, {"impulse", 1}}, Seed: 1}

// Each number of a curve equals that of predictions one by one.
func TestCurves(t *testing.T) {
	m, set := model(t, network[float64](t, "sdnet8_narrow"), 3), data.Shapes(9, 0, 1).Train
	indices, made := []int{7, 2, 3, 0}, 0
	e := some
	e.Progress = func(n int) bool { made += n; return true }
	curves := Curves(m, e, set, indices)
	if made != e.CurvePredictions()*len(indices) || len(curves) != len(e.Conditions) {
		t.Fatalf("%d predictions, want %d each for %d images; %d curves", made, e.CurvePredictions(),
			len(indices), len(curves))
	}
	images := data.AddNoise(set, indices, data.GaussianNoise, 5, 1)
	want := Curve{Condition: Condition{"gaussian", 5}, Images: 4}
	for _, lambda := range e.Lambdas {
		correct := 0
		for j := range indices {
			a := m.Predict(images.Slice(j, j+1), []float64{lambda}, nil)[0]
			if a.Class == int(set.Labels[indices[j]]) {
				correct++
			}
			if lambda == 0.1 {
				want.Residual += a.Residual / 4
			}
		}
		want.Correct = append(want.Correct, correct)
	}
	got := curves[2]
	if math.Abs(got.Residual-want.Residual) > 1e-15 {
		t.Errorf("residual %v, want %v", got.Residual, want.Residual)
	}
	got.Residual = want.Residual
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if curves[0].Residual >= curves[1].Residual || curves[1].Residual >= curves[2].Residual {
		t.Errorf("residuals of ever noisier images: %v, %v, %v", curves[0].Residual, curves[1].Residual,
			curves[2].Residual)
	}
}

var choices = []Choice{{"gaussian", 0.4, Line{1, -0.3}}, {"impulse", 0.9, Line{0.5, 0.2}},
	{Any, 0.5, Line{2, -1}}}

// Each method's lambda for an image follows from its residual by the definition, and so does whether the
// image is recognised.
func TestOutcomes(t *testing.T) {
	m, set := model(t, network[float64](t, "sdnet8_narrow"), 3), drawn(5)
	indices, made := []int{4, 0, 3}, 0
	e := some
	e.Progress = func(n int) bool { made += n; return true }
	outcomes := Outcomes(m, e, choices, set, indices, true)
	if made != e.OutcomePredictions(true)*3 ||
		e.OutcomePredictions(true) != e.OutcomePredictions(false)+len(e.Lambdas)*len(e.Conditions) {
		t.Errorf("%d predictions, want %d", made, e.OutcomePredictions(true)*3)
	}
	for k, c := range e.Conditions {
		images := c.apply(0, set, indices, 1)
		fixed := m.Predict(images, Repeat(3, 0.1), nil)
		line, constant := map[string]Line{"gaussian": {1, -0.3}, "impulse": {0.5, 0.2},
			Clean: {2, -1}}[c.Noise], map[string]float64{"gaussian": 0.4, "impulse": 0.9, Clean: 0.5}[c.Noise]
		all := (fixed[0].Residual + fixed[1].Residual + fixed[2].Residual) / 3
		for method := range Method(Methods) {
			sum := 0.0
			for j := range indices {
				bound := func(v float64) float64 { return math.Max(0.1, math.Min(0.9, v)) }
				lambda := map[Method]float64{
					Fixed: 0.1, Constant: constant, PerSet: bound(line.Slope*all + line.Intercept),
					PerImage: bound(line.Slope*fixed[j].Residual + line.Intercept),
					AnyNoise: bound(2*fixed[j].Residual - 1),
				}[method]
				sum += lambda / 3
				a := m.Predict(images.Slice(j, j+1), []float64{lambda}, nil)[0]
				if want := a.Class == int(set.Labels[indices[j]]); outcomes[k].Recognised[method][j] != want {
					t.Errorf("%v, %v, image %d: recognised %t, want %t", c, method, j, !want, want)
				}
			}
			if math.Abs(outcomes[k].Lambda[method]-sum) > 1e-12 {
				t.Errorf("%v, %v: mean lambda %v, want %v", c, method, outcomes[k].Lambda[method], sum)
			}
		}
		if want := Curves(m, e, set, indices)[k]; !reflect.DeepEqual(*outcomes[k].Curve, want) {
			t.Errorf("%v: curve %v, want %v", c, *outcomes[k].Curve, want)
		}
	}
	if again := Outcomes(m, e, choices, set, indices, false); again[1].Curve != nil ||
		!reflect.DeepEqual(again[1].Recognised, outcomes[1].Recognised) {
		t.Error("without all lambdas the methods answer differently")
	}
}

// The test images' labels are not used: with other labels, lambdas and classes are the same, and right
// predictions are wrong.
func TestLabelsDoNotMatter(t *testing.T) {
	m, set := model(t, network[float32](t, "sdnet8_narrow"), 8), drawn(8)
	indices := []int{0, 1, 2, 3, 4, 5, 6, 7}
	outcomes := Outcomes(m, some, choices, set, indices, false)
	none := *set
	none.Labels = slices.Repeat([]uint8{255}, 8)
	for k, other := range Outcomes(m, some, choices, &none, indices, false) {
		if other.Lambda != outcomes[k].Lambda {
			t.Errorf("%v: lambdas %v, with other labels %v", other.Condition, outcomes[k].Lambda,
				other.Lambda)
		}
		if other.Correct(Fixed) != 0 {
			t.Errorf("%v: a class 255 was recognised", other.Condition)
		}
	}
}

// What was finished when an experiment is stopped is what it gives when it is not.
func TestStopExperiment(t *testing.T) {
	m, set := model(t, network[float32](t, "sdnet8_narrow"), 8), &data.Set{}
	*set = *drawn(2)
	both := []int{0, 1}
	outcomes, curves := Outcomes(m, some, choices, set, both, true), Curves(m, some, set, both)
	lengths := map[string]map[int]bool{"outcomes": {}, "curves": {}}
	for after := range some.OutcomePredictions(true) {
		e, calls := some, 0
		e.Progress = func(int) bool { calls++; return calls <= after }
		got := Outcomes(m, e, choices, set, both, true)
		if len(got) == len(outcomes) || !reflect.DeepEqual(got, outcomes[:len(got):len(got)]) && len(got) > 0 || calls != after+1 {
			t.Fatalf("stopped at prediction %d: %d outcomes after %d", after+1, len(got), calls)
		}
		lengths["outcomes"][len(got)] = true
		if after >= some.CurvePredictions() {
			continue
		}
		calls = 0
		finished := Curves(m, e, set, both)
		if len(finished) == len(curves) || !reflect.DeepEqual(finished, curves[:len(finished):len(finished)]) && len(finished) > 0 || calls != after+1 {
			t.Fatalf("stopped at prediction %d: %d curves after %d", after+1, len(finished), calls)
		}
		lengths["curves"][len(finished)] = true
	}
	for what, seen := range lengths {
		if len(seen) < len(some.Conditions)-1 {
			t.Errorf("%s: only %v were finished", what, seen)
		}
	}
}

// Means and errors against gonum's, over images of the means over outcomes.
func TestSummarise(t *testing.T) {
	outcome := func(name string, fixed, image []bool) Outcome {
		t := Outcome{Condition: Condition{name, 1}, Images: len(fixed)}
		t.Recognised[Fixed], t.Recognised[PerImage] = fixed, image
		return t
	}
	const x, o = true, false
	outcomes := []Outcome{
		outcome(Clean, []bool{x, x, x, x}, []bool{o, o, o, o}),
		outcome("shot", []bool{x, o, o, x}, []bool{x, x, o, o}),
		outcome("shot", []bool{o, o, o, x}, []bool{x, x, o, x}),
		outcome("impulse", []bool{o, o, o, o}, []bool{x, x, x, x}),
	}
	check := func(name string, accuracy, gain []float64) {
		t.Helper()
		s := Summarise(outcomes, name, PerImage)
		for _, c := range []struct {
			what   string
			got    Estimate
			values []float64
		}{{"accuracy", s.Accuracy, accuracy}, {"gain", s.Gain, gain}} {
			mean, deviation := stat.MeanStdDev(c.values, nil)
			if math.Abs(c.got.Mean-mean) > 1e-12 || math.Abs(c.got.Error-deviation/2) > 1e-12 {
				t.Errorf("%s, %s: %v, want %g and %g", name, c.what, c.got, mean, deviation/2)
			}
		}
	}
	check("shot", []float64{1, 1, 0, 0.5}, []float64{0.5, 1, 0, -0.5})
	check(Any, []float64{1, 1, 1. / 3, 2. / 3}, []float64{2. / 3, 1, 1. / 3, 0})
	check(Clean, []float64{0, 0, 0, 0}, []float64{-1, -1, -1, -1})
	if outcomes[1].Correct(PerImage) != 2 || outcomes[3].Correct(Fixed) != 0 {
		t.Error("images are counted wrongly")
	}
	panics(t, "no outcome of speckle", func() { Summarise(outcomes, "speckle", Fixed) })
}

func TestMethodNames(t *testing.T) {
	seen := map[string]bool{}
	for m := range Method(Methods) {
		if m.String() == "" || seen[m.String()] {
			t.Errorf("method %d is called %q", int(m), m)
		}
		seen[m.String()] = true
	}
}
