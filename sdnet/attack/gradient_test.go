package attack

import (
	"math"
	"slices"
	"testing"

	"sdref/sdnet/data"
	"sdref/tensor"
)

// The gradient with respect to pixels, multiplied by its divisor, agrees with central differences of the loss
// in float64.
func TestGradient(t *testing.T) {
	for _, name := range []string{"resnet8_narrow", "sdnet8_narrow", "sdnet8_all_narrow"} {
		v := model(network[float64](t, name), 4)
		tr := v.Begin(data.Shapes(0, 3, 1).Test, []int{0, 2})
		labels := []int{4, 9}
		before := losses(v, tr.Images, labels)
		gradient, classes := v.Gradient(tr.Images, labels)
		if !slices.Equal(classes, v.Classes(tr.Images)) {
			t.Errorf("%s: classes %v", name, classes)
		}
		gradient = gradient.Clone()
		for j := range labels {
			direction := tensor.New[float64](3, 32, 32)
			tensor.FillUniform(direction, uint64(j), 1, 0)
			const h = 1e-6
			at := func(by float64) float64 {
				moved := tr.Images.Clone()
				tensor.AddScaled(moved.Row(j), moved.Row(j), direction, by)
				return losses(v, moved, labels)[j]
			}
			want := (at(h) - at(-h)) / (2 * h)
			got := tensor.Dot(gradient.Row(j), direction) * (1 - math.Exp(-before[j]))
			scale := math.Sqrt(tensor.SumSquares(gradient.Row(j)) * tensor.SumSquares(direction))
			if !(math.Abs(got-want) <= 1e-6*scale) || want == 0 {
				t.Errorf("%s, image %d: gradient %.10g, difference %.10g, scale %g", name, j, got, want,
					scale)
			}
		}
	}
}

// Logits' gradient against softmax - onehot, and of a network so sure that softmax rounds to 1.
func TestLossGradient(t *testing.T) {
	logits, d := []float64{1, 3, -2, 2.5}, make([]float64, 4)
	lossGradient(d, logits, 3)
	sum := 0.0
	for _, l := range logits {
		sum += math.Exp(l)
	}
	for k, l := range logits {
		want := math.Exp(l) / sum
		if k == 3 {
			want--
		}
		if got := d[k] * (1 - math.Exp(logits[3])/sum); math.Abs(got-want) > 1e-15 {
			t.Errorf("class %d: %v, want %v", k, got, want)
		}
	}
	sure := make([]float32, 3)
	lossGradient(sure, []float32{500, -40, -40}, 0)
	if !slices.Equal(sure, []float32{-1, 0.5, 0.5}) {
		t.Errorf("a sure network: %v", sure)
	}
}

// Pixels become the bits that training and evaluation see.
func TestNormalise(t *testing.T) {
	set := data.Shapes(0, 2, 1).Test
	mean, std := [3]float64{0.49, 0.48, 0.45}, [3]float64{0.25, 0.24, 0.26}
	v := NewModel(network[float32](t, "sdnet8_narrow"), mean, std, 1)
	x := v.Begin(set, []int{1}).Images
	v.normalise(x)
	want := tensor.New[float32](1, 3, 32, 32)
	data.NewNormaliser[float32](mean, std).Plain(want.Data, set, []int{1})
	if at := tensor.FirstDifference(x, want); at >= 0 {
		t.Errorf("value %d is %v, want %v", at, x.Data[at], want.Data[at])
	}
}
