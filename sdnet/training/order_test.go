package training

import (
	"slices"
	"testing"

	"sdref/sdnet/cifar"
	"sdref/tensor"
)

// Each epoch shows each image once, in an order of its own that the batch size does not change.
func TestOrder(t *testing.T) {
	c := short()
	c.Network, c.Epochs, c.Augment = "resnet8_narrow", 3, false
	r := start[float32](t, c, drawn())
	var epochs [][]int
	for range c.Epochs {
		var order []int
		for at := 0; at < r.PerEpoch(); at++ {
			s := step(t, r)
			indices := r.order[at*c.Batch : at*c.Batch+s.Images]
			order = append(order, indices...)
			want := tensor.New[float32](s.Images, cifar.Channels, cifar.Side, cifar.Side)
			r.normalise.Plain(want.Data, drawn().Train, indices)
			if !tensor.SameBits(r.images, want) {
				t.Errorf("step %d was not shown images %v", s.Iteration, indices)
			}
		}
		if sorted := slices.Sorted(slices.Values(order)); !slices.Equal(sorted, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}) {
			t.Errorf("order %v is no permutation", order)
		}
		for _, other := range epochs {
			if slices.Equal(order, other) {
				t.Errorf("two epochs have the order %v", order)
			}
		}
		epochs = append(epochs, order)
	}
	first := func(seed uint64, batch int) []int {
		c.Seed, c.Batch = seed, batch
		r := start[float32](t, c, drawn())
		step(t, r)
		return r.order
	}
	if got := first(1, 7); !slices.Equal(got, epochs[0]) {
		t.Errorf("in batches of 7 the order is %v, in batches of 4 %v", got, epochs[0])
	}
	if got := first(2, 4); slices.Equal(got, epochs[0]) {
		t.Errorf("seeds 1 and 2 have the same order %v", got)
	}
}

// A sample's crop depends on epoch and position, and neither on the batch nor on what was loaded before.
func TestAugmentationIsAFunctionOfPosition(t *testing.T) {
	r := start[float32](t, short(), drawn())
	order := []int{3, 1, 4, 0, 5}
	load := func(epoch, first, count int) *tensor.Tensor[float32] {
		r.load(order[first:first+count], epoch, first)
		return r.images.Clone()
	}
	whole := load(1, 0, 5)
	last, middle := load(1, 4, 1), load(1, 1, 3)
	for i, want := range []struct {
		got *tensor.Tensor[float32]
		at  int
	}{{last.Row(0), 4}, {middle.Row(0), 1}, {middle.Row(2), 3}} {
		if !tensor.SameBits(want.got, whole.Row(want.at)) {
			t.Errorf("%d: the image at position %d depends on its batch", i, want.at)
		}
	}
	if tensor.SameBits(load(2, 0, 5), whole) {
		t.Error("two epochs have the same crops")
	}
	if labels := r.load(order, 1, 0); !slices.Equal(labels, []int{3, 1, 4, 0, 5}) {
		t.Errorf("labels %v, want those of images %v, which are of these classes", labels, order)
	}
}
