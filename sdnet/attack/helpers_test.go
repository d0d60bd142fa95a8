package attack

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"sdref/sdnet"
	"sdref/sdnet/data"
	"sdref/sdnet/pretrained"
	"sdref/sdnet/training"
	"sdref/tensor"
)

// network returns an initialised narrow network, made narrower still.
func network[T tensor.Float](t testing.TB, name string) *sdnet.Network[T] {
	t.Helper()
	spec, err := sdnet.Lookup(name, "shapes")
	if err != nil {
		t.Fatal(err)
	}
	spec.Widths = []int{5, 6, 7}
	net, err := sdnet.New[T](spec)
	if err != nil {
		t.Fatal(err)
	}
	net.Initialize(3)
	return net
}

// trained returns the pretrained network.
func trained(t testing.TB) *sdnet.Network[float32] {
	t.Helper()
	f, err := pretrained.Open("sdnet8_slim")
	if err != nil {
		t.Fatal(err)
	}
	net, _, err := training.LoadNetwork[float32](f)
	if err != nil {
		t.Fatal(err)
	}
	return net
}

func model[T tensor.Float](net *sdnet.Network[T], batch int) *Model[T] {
	d := data.Shapes(0, 0, 1)
	return NewModel(net, d.Mean, d.Std, batch)
}

// own returns n drawn images labelled by the network itself, so that it recognises all of them.
func own[T tensor.Float](v *Model[T], n int) (*data.Set, []int) {
	set := data.Shapes(0, n, 1).Test
	var indices []int
	for i := range n {
		indices = append(indices, i)
	}
	for i, class := range v.Classes(v.Begin(set, indices).Images) {
		set.Labels[i] = uint8(class)
	}
	return set, indices
}

// losses is the cross-entropy of each image by the definition, in float64.
func losses[T tensor.Float](v *Model[T], images *tensor.Tensor[T], labels []int) []float64 {
	x := images.Clone()
	v.normalise(x)
	logits := v.predictor.Logits(x)
	var list []float64
	for j, label := range labels {
		sum, row := 0.0, logits.Row(j).Data
		for _, l := range row {
			sum += math.Exp(float64(l) - float64(row[label]))
		}
		list = append(list, math.Log(sum))
	}
	return list
}

// size is the norm of the difference of two images.
func size[T tensor.Float](n Norm, a, b *tensor.Tensor[T]) float64 {
	largest, squares := 0.0, 0.0
	for k := range a.Data {
		d := float64(a.Data[k]) - float64(b.Data[k])
		largest, squares = max(largest, math.Abs(d)), squares+d*d
	}
	if n == Linf {
		return largest
	}
	return math.Sqrt(squares)
}

func panics(t *testing.T, part string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if text := fmt.Sprint(recover()); !strings.Contains(text, part) {
			t.Errorf("panic %q, want one that says %q", text, part)
		}
	}()
	f()
}
