package conv

import (
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"sdref/tensor"
)

// Tables depend on the shape of an image and of the weights: eight times the images need some small slices for each image more,
// but not eight times the garbage.
func TestFilterKeepsItsTables(t *testing.T) {
	allocated := func(images int) uint64 {
		r := rand.New(rand.NewPCG(41, 1))
		g := Geometry{Padding: 1}
		x, w := random[float32](r, []int{images, 16, 16, 16}), tensor.New[float32](24, 16, 3, 3)
		y := random[float32](r, g.CodeShape(x.Shape, w.Shape))
		Filter(w, x, y, g)              // its scratch memory is kept
		least := uint64(math.MaxUint64) // of several calls: the collector may empty the scratch memory's pool before some
		for range 10 {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			Filter(w, x, y, g)
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
