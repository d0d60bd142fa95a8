package conv

import (
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"sdref/tensor"
)

// TestWeightGradientReusesTables: the tables depend on the shape of an image and of the weights, so eight
// times the images need a few more small slices for each image, but not eight times the memory.
func TestWeightGradientReusesTables(t *testing.T) {
	allocated := func(images int) uint64 {
		r := rand.New(rand.NewPCG(41, 1))
		g := Geometry{Padding: 1}
		x, w := random[float32](r, []int{images, 16, 16, 16}), tensor.New[float32](24, 16, 3, 3)
		y := random[float32](r, g.CodeShape(x.Shape, w.Shape))
		WeightGradient(w, x, y, g) // its scratch memory is kept
		// over several calls, in case the runtime allocates something during one of them
		least := uint64(math.MaxUint64)
		for range 10 {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			WeightGradient(w, x, y, g)
			runtime.ReadMemStats(&after)
			least = min(least, after.TotalAlloc-before.TotalAlloc)
		}
		return least
	}
	few, many := allocated(8), allocated(64)
	t.Logf("8 images: %d bytes a call, 64 images: %d", few, many)
	if many > 4*few {
		t.Errorf("a call allocates %d bytes for 8 images, %d for 64", few, many)
	}
}
