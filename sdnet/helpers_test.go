package sdnet_test

import (
	"testing"

	"sdref/internal/random"
	"sdref/sdnet"
	"sdref/sdnet/data"
	"sdref/tensor"
)

// kinds lists the narrow networks, one of each kind.
var kinds = []string{"resnet8_narrow", "sdnet8_narrow", "sdnet8_all_narrow", "sdnet8_all_narrow_noshortcut", "sdnet_air_narrow"}

// small is the specification of a narrow network made narrower still, with a number of distinct prime factors for every width.
func small(t testing.TB, network string, image int) sdnet.Spec {
	t.Helper()
	spec, err := sdnet.Lookup(network, "shapes")
	if err != nil {
		t.Fatal(err)
	}
	spec.Widths = []int{4, 6, 10}
	spec.Data.Image, spec.Data.Classes = image, 5
	return spec
}

// build returns an initialised network.
func build[T tensor.Float](t testing.TB, spec sdnet.Spec, seed uint64) *sdnet.Network[T] {
	t.Helper()
	n, err := sdnet.New[T](spec)
	if err != nil {
		t.Fatal(err)
	}
	n.Initialize(seed)
	return n
}

// noise is a tensor of numbers in [-scale, scale).
func noise[T tensor.Float](seed uint64, scale float64, shape ...int) *tensor.Tensor[T] {
	x := tensor.New[T](shape...)
	tensor.FillUniform(x, seed, scale, 0)
	return x
}

// stir moves a network's state away from what Initialize leaves, so that no weight is 0 or 1, no atom has norm 1, and BatchNorm
// does something. Step sizes are multiplied.
func stir[T tensor.Float](n *sdnet.Network[T], seed uint64) {
	streams := random.New(seed)
	for _, s := range n.State() {
		stream := streams.Sub(s.Name)
		for i := range s.Data {
			s.Data[i] = T(float64(float64(s.Data[i])*(1+0.25*stream.Unit(uint64(2*i)))) + 0.03*stream.Unit(uint64(2*i+1)))
		}
	}
}

// drawn returns n drawn images and their labels.
func drawn[T tensor.Float](n int) (*tensor.Tensor[T], []int) {
	d := data.Shapes(n, 0, 1)
	x := tensor.New[T](n, data.Channels, data.Side, data.Side)
	indices, labels := make([]int, n), make([]int, n)
	for i := range n {
		indices[i], labels[i] = i, int(d.Train.Labels[i])
	}
	data.NewNormaliser[T](d.Mean, d.Std).Plain(x.Data, d.Train, indices)
	return x, labels
}

// sameState fails unless two networks of one specification have the same state, bit for bit.
func sameState[T tensor.Float](t *testing.T, what string, got, want *sdnet.Network[T]) {
	t.Helper()
	for i, s := range want.State() {
		if !tensor.SameBits(got.State()[i].Tensor, s.Tensor) {
			t.Errorf("%s: %s differs", what, s.Name)
		}
	}
}

// state returns a network's tensor by name.
func state[T tensor.Float](t testing.TB, n *sdnet.Network[T], name string) *tensor.Tensor[T] {
	t.Helper()
	for _, s := range n.State() {
		if s.Name == name {
			return s.Tensor
		}
	}
	t.Fatalf("network %s has no tensor %s", n.Name, name)
	return nil
}
