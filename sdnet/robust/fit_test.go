package robust

import (
	"fmt"
	"math"
	"reflect"
	"testing"

	"gonum.org/v1/gonum/stat"

	"sdref/sdnet/data"
)

func TestFit(t *testing.T) {
	x, y := []float64{0.3, 0.5, 0.6, 1.1}, []float64{0.1, 0.4, 0.3, 1.2}
	intercept, slope := stat.LinearRegression(x, y, nil, false)
	if l := Fit(x, y); math.Abs(l.Slope-slope) > 1e-12 || math.Abs(l.Intercept-intercept) > 1e-12 {
		t.Errorf("%v, want %g, %g", l, slope, intercept)
	}
	if l := Fit([]float64{2, 2}, []float64{0.2, 0.4}); l.Slope != 0 || math.Abs(l.Intercept-0.3) > 1e-15 {
		t.Errorf("equal residuals: %v", l)
	}
	for r, want := range map[float64]float64{0.5: 1, 0.1: 0.4, 3: 1.4} {
		if got := (Line{2, 0}).At(r, 0.4, 1.4); got != want {
			t.Errorf("at %g: %g, want %g", r, got, want)
		}
	}
	panics(t, "1 residuals, 2 lambdas", func() { Fit(x[:1], y[:2]) })
	panics(t, "0 residuals", func() { Fit(nil, nil) })
}

// Curves in which each number can come from one place only.
func TestChoose(t *testing.T) {
	lambdas := []float64{0.1, 0.2, 0.3}
	curves := []Curve{
		{Condition{Clean, 0}, 10, 0.5, []int{9, 8, 7}},     // best 0.1
		{Condition{"shot", 1}, 10, 0.6, []int{5, 7, 7}},    // 0.2, the lower of two
		{Condition{"shot", 2}, 10, 0.7, []int{1, 2, 6}},    // 0.3
		{Condition{"speckle", 1}, 10, 0.9, []int{9, 1, 1}}, // 0.1
	}
	got := Choose(curves, lambdas)
	want := []Choice{
		{"shot", 0.3, Line{1, -0.4}},   // 15, 17, 20 images; (0.5, 0.1), (0.6, 0.2), (0.7, 0.3)
		{"speckle", 0.1, Line{0, 0.1}}, // 18, 9, 8
		{Any, 0.1, got[2].Line},        // 24, 18, 21
	}
	for i := range got {
		if i < 2 && (math.Abs(got[i].Line.Slope-want[i].Line.Slope) > 1e-12 ||
			math.Abs(got[i].Line.Intercept-want[i].Line.Intercept) > 1e-12) {
			t.Errorf("%v, want %v", got[i], want[i])
		}
		want[i].Line = got[i].Line
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if all := Fit([]float64{0.5, 0.6, 0.7, 0.9}, []float64{0.1, 0.2, 0.3, 0.1}); got[2].Line != all {
		t.Errorf("any noise: %v, want %v", got[2].Line, all)
	}
	if c := choiceFor(got, Condition{Clean, 0}); c.Noise != Any {
		t.Errorf("clean images have the choice for %s", c.Noise)
	}
	panics(t, "nothing was learnt about impulse", func() { choiceFor(got, Condition{"impulse", 1}) })
}

func TestConditions(t *testing.T) {
	text := fmt.Sprint(Conditions([]data.Noise{data.ShotNoise, data.ImpulseNoise}))
	want := "[clean shot 1 shot 2 shot 3 shot 4 shot 5 impulse 1 impulse 2 impulse 3 impulse 4 impulse 5]"
	if text != want {
		t.Error(text)
	}
}
