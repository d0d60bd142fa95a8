package training

import (
	"slices"
	"testing"

	"sdref/sdnet/data"
	"sdref/tensor"
)

// shown returns the pixels that a step uses, N x 3 x 32 x 32, and their labels.
func shown[T tensor.Float](t *testing.T, r *Run[T], iteration int) ([]byte, []int) {
	t.Helper()
	var pixels []byte
	var labels []int
	for _, s := range r.plan(iteration) {
		image := make([]byte, data.ImageBytes)
		if err := s.write(image); err != nil {
			t.Fatal(err)
		}
		pixels, labels = append(pixels, image...), append(labels, s.label)
	}
	return pixels, labels
}

// find returns which images of a set the pixels are.
func find(t *testing.T, set *data.Set, pixels []byte) (indices []int) {
	t.Helper()
	for image := range slices.Chunk(pixels, data.ImageBytes) {
		at := -1
		for i := range set.Len() {
			if slices.Equal(set.Image(i), image) {
				at = i
			}
		}
		indices = append(indices, at)
	}
	return indices
}

// Each epoch uses each image once, in an order of its own that the batch size does not change, and each step
// uses its images.
func TestOrder(t *testing.T) {
	c := short()
	c.Network, c.Epochs, c.Augment = "resnet8_narrow", 3, false
	r, set := start[float32](t, c, drawn()), drawn().Train
	order := func(r *Run[float32], epoch int) (order []int) {
		for k := epoch * r.StepsPerEpoch(); k < (epoch+1)*r.StepsPerEpoch(); k++ {
			pixels, labels := shown(t, r, k)
			indices := find(t, set, pixels)
			for j, i := range indices {
				if labels[j] != set.Label(i) {
					t.Errorf("step %d: label %d of image %d, want %d", k, labels[j], i, set.Label(i))
				}
			}
			order = append(order, indices...)
		}
		return order
	}
	var epochs [][]int
	for epoch := range c.Epochs {
		epochs = append(epochs, order(r, epoch))
		if sorted := slices.Sorted(slices.Values(epochs[epoch])); !slices.Equal(sorted,
			[]int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}) {
			t.Errorf("order %v is no permutation", epochs[epoch])
		}
		for _, other := range epochs[:epoch] {
			if slices.Equal(other, epochs[epoch]) {
				t.Errorf("two epochs have the order %v", other)
			}
		}
	}
	if r.plan(r.TotalSteps()) != nil {
		t.Error("samples beyond the last step")
	}
	for k := range r.TotalSteps() {
		s := step(t, r)
		indices := epochs[k/3][k%3*c.Batch:][:s.Images]
		want := tensor.New[float32](s.Images, data.Channels, data.Side, data.Side)
		data.NewNormaliser[float32](drawn().Mean, drawn().Std).Plain(want.Data, set, indices)
		if !tensor.SameBits(r.images, want) {
			t.Errorf("step %d was not shown images %v", s.Iteration, indices)
		}
	}
	c.Batch = 7
	if got := order(start[float32](t, c, drawn()), 0); !slices.Equal(got, epochs[0]) {
		t.Errorf("in batches of 7 the order is %v, in batches of 4 %v", got, epochs[0])
	}
	c.Seed = 2
	if got := order(start[float32](t, c, drawn()), 0); slices.Equal(got, epochs[0]) {
		t.Errorf("seeds 1 and 2 have the same order %v", got)
	}
}

// A sample's crop depends on epoch and position, and neither on the batch nor on what was read before.
func TestAugmentationIsAFunctionOfPosition(t *testing.T) {
	epoch := func(batch int, backwards bool) (pixels []byte) {
		c := short()
		c.Batch = batch
		r := start[float32](t, c, drawn())
		var steps [][]byte
		for k := range r.StepsPerEpoch() {
			if backwards {
				k = r.StepsPerEpoch() - 1 - k
			}
			part, _ := shown(t, r, r.StepsPerEpoch()+k)
			steps = append(steps, part)
		}
		if backwards {
			slices.Reverse(steps)
		}
		return slices.Concat(steps...)
	}
	want := epoch(10, false)
	for _, batch := range []int{1, 3, 4} {
		if !slices.Equal(epoch(batch, batch == 3), want) {
			t.Errorf("the crops depend on the batch of %d", batch)
		}
	}
	r := start[float32](t, short(), drawn())
	first, _ := shown(t, r, 0)
	again, _ := shown(t, r, 3)
	if slices.Equal(first, again) {
		t.Error("two epochs have the same crops")
	}
	if n := len(slices.DeleteFunc(find(t, drawn().Train, first), func(i int) bool { return i < 0 })); n == 4 {
		t.Error("nothing was cropped")
	}
}
