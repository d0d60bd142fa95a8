package robust

import (
	"math"
	"slices"
	"strings"
	"testing"

	"sdref/sdnet"
	"sdref/sdnet/data"
	"sdref/tensor"
)

// byHand predictions for one image: a network made anew with the lambda, and A z as loops.
func byHand(t *testing.T, net *sdnet.Network[float64], set *data.Set, i int, lambda float64) Prediction {
	n := net.Evaluable()
	n.Layers[0].Lambda = lambda
	p := sdnet.NewPredictor(n)
	x := tensor.New[float64](1, 3, 32, 32)
	for j, b := range set.Image(i) {
		x.Data[j] = (float64(b)/255 - 0.5) / 0.3
	}
	var answer Prediction
	w := n.Layers[0].Weight
	p.Observe = func(name string, z *tensor.Tensor[float64]) {
		if name != "layer0.0.dn" {
			return
		}
		rest := x.Clone()
		for m := range w.Shape[0] {
			for row := range 32 {
				for column := range 32 {
					for c := range 3 {
						for u := range 3 {
							for v := range 3 {
								if h, k := row+u-1, column+v-1; h >= 0 && h < 32 && k >= 0 && k < 32 {
									rest.Set(rest.At(0, c, h, k)-z.At(0, m, row, column)*w.At(m, c, u, v), 0,
										c, h, k)
								}
							}
						}
					}
				}
			}
		}
		for _, v := range rest.Data {
			answer.Residual += v * v
		}
		answer.Residual = math.Sqrt(answer.Residual / 3072)
	}
	logits := p.Logits(x).Data
	answer.Class = slices.Index(logits, slices.Max(logits))
	return answer
}

// Classes and residuals at a lambda for each image, in batches of any size, equal those of one image at a
// time computed in another way.
func TestPredict(t *testing.T) {
	for _, name := range []string{"sdnet8_narrow", "sdnet8_all_narrow"} {
		net, set := network[float64](t, name), drawn(6)
		lambdas := []float64{0.4, 0.1, 0.4, 1.3, 0.1, 0.4}
		var first []Prediction
		for _, batch := range []int{1, 2, 100} {
			total := 0
			predictions := model(t, net, batch).Predict(set, lambdas, func(n int) bool {
				total += n
				return n <= batch
			})
			if first == nil {
				first = predictions
			}
			if total != 6 || !slices.Equal(predictions, first) {
				t.Errorf("%s in batches of %d: %v, in other batches %v", name, batch, predictions, first)
			}
		}
		differ := false
		for i, a := range first {
			want := byHand(t, net, set, i, lambdas[i])
			if a.Class != want.Class || math.Abs(a.Residual-want.Residual) > 1e-12 {
				t.Errorf("%s, image %d at %g: %v, want %v", name, i, lambdas[i], a, want)
			}
			differ = differ || math.Abs(byHand(t, net, set, i, 0.7).Residual-a.Residual) > 1e-3
		}
		if !differ {
			t.Errorf("%s: lambda changes nothing", name)
		}
	}
}

// Predict changes only the stem of the model's copy of the network.
func TestTheNetworkStaysAsItIs(t *testing.T) {
	net, set := network[float32](t, "sdnet8_all_narrow"), drawn(2)
	before := net.Clone()
	m := model(t, net, 2)
	m.Predict(set, Repeat(2, 0.9), nil)
	for i, s := range net.State() {
		if !tensor.SameBits(s.Tensor, before.State()[i].Tensor) {
			t.Errorf("%s changed", s.Name)
		}
	}
	for i, l := range m.predictor.Net.Layers {
		if want := []float64{0.9, 0.1}[min(i, 1)]; l.Lambda != want || net.Layers[i].Lambda != 0.1 {
			t.Errorf("%s: lambda %g in the copy, %g in the network; want %g, 0.1", l.Name, l.Lambda,
				net.Layers[i].Lambda, want)
		}
	}
	if m.Lambda != 0.1 {
		t.Errorf("lambda of training %g", m.Lambda)
	}
}

func TestStop(t *testing.T) {
	m, set := model(t, network[float32](t, "sdnet8_narrow"), 2), drawn(5)
	calls := 0
	if m.Predict(set, Repeat(5, 0.1), func(int) bool { calls++; return calls < 2 }) != nil || calls != 2 {
		t.Errorf("stopped after %d batches", calls)
	}
}

func TestRefusals(t *testing.T) {
	d := [3]float64{1, 1, 1}
	if _, err := NewModel(network[float32](t, "resnet8_narrow"), d, d, 1); err == nil ||
		!strings.Contains(err.Error(), "resnet8_narrow: the stem is no CSC layer") {
		t.Error(err)
	}
	spec := network[float32](t, "sdnet8_narrow").Spec
	spec.Data.Image = 40
	net, err := sdnet.New[float32](spec)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewModel(net, d, d, 1); err == nil || !strings.Contains(err.Error(), "40 x 40 pixels, not 32 x 32 pixels") {
		t.Error(err)
	}
	panics(t, "a batch of 0", func() { NewModel(net, d, d, 0) })
	panics(t, "2 lambdas for the 1 images", func() {
		model(t, network[float32](t, "sdnet8_narrow"), 1).Predict(drawn(1), Repeat(2, 1), nil)
	})
}
