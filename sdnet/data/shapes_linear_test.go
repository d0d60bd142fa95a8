package data

import (
	"math"
	"testing"

	"sdref/internal/elementary"
	"sdref/internal/random"
)

// linear is a softmax classifier of the pixels: 10 rows of 3072 weights and a bias.
type linear [][ImageBytes + 1]float32

// logits returns the row's products with the normalised pixels.
func (l linear) logits(x *[ImageBytes + 1]float32) []float64 {
	out := make([]float64, len(l))
	for k := range l {
		sum := float32(0)
		for p, v := range x {
			sum += float32(v * l[k][p])
		}
		out[k] = float64(sum)
	}
	return out
}

// normalised returns the pixels with mean 0 and deviation 1, and a 1 for the bias.
func normalised(image []byte) *[ImageBytes + 1]float32 {
	x := new([ImageBytes + 1]float32)
	for p, v := range image {
		x[p] = (float32(v)/255 - ShapesMean) / ShapesStd
	}
	x[ImageBytes] = 1
	return x
}

// step moves the weights against the gradient of the cross-entropy of one image.
func (l linear) step(x *[ImageBytes + 1]float32, label uint8, rate float64) {
	p := l.logits(x)
	top, sum := p[argmax(p)], 0.0
	for k := range p {
		p[k] = elementary.Exp(p[k] - top)
		sum += p[k]
	}
	for k := range p {
		g := p[k] / sum
		if k == int(label) {
			g--
		}
		move := float32(rate * g)
		for i, v := range x {
			l[k][i] -= float32(move * v)
		}
	}
}

func argmax(p []float64) int {
	best := 0
	for k := range p {
		if p[k] > p[best] {
			best = k
		}
	}
	return best
}

// accuracy is the share of images that l names rightly.
func (l linear) accuracy(s *Set) float64 {
	right := 0
	for i := range s.Len() {
		if argmax(l.logits(normalised(s.Image(i)))) == int(s.Labels[i]) {
			right++
		}
	}
	return float64(right) / float64(s.Len())
}

// TestShapesLinearClassifierFails trains the classifier on 4000 images by stochastic gradient descent and
// takes its best epoch on unseen ones, which flatters it. Measured: 15 % here, and no more with 10,000 images
// or three times the rate up or down; chance is 10 %. That it learns at all shows on its own images.
func TestShapesLinearClassifierFails(t *testing.T) {
	if testing.Short() {
		t.Skip("trains on 4000 images to show what the data are")
	}
	d := Shapes(4000, 1000, 1)
	l := make(linear, len(figures))
	best := 0.0
	for epoch := range 6 {
		rate := 3e-5 / math.Sqrt(float64(epoch+1))
		for _, i := range random.New(1).Sub("epoch", uint64(epoch)).Permutation(d.Train.Len()) {
			l.step(normalised(d.Train.Image(i)), d.Train.Labels[i], rate)
		}
		best = max(best, l.accuracy(d.Test))
	}
	own := l.accuracy(d.Train)
	t.Logf("right on %.1f %% of unseen images, on %.1f %% of its own", 100*best, 100*own)
	if best > 0.20 {
		t.Errorf("a linear classifier is right on %.1f %% of unseen images", 100*best)
	}
	if own < 0.20 {
		t.Errorf("the classifier did not learn: right on %.1f %% of its own images", 100*own)
	}
}
