package sdnet

import (
	"strings"
	"testing"

	"sdref/autodiff"
	"sdref/tensor"
)

// TestStepsDoNotGrowTheArena: the memory of a trainer's and a predictor's values is that of the first step; batches of other sizes find
// room in it if they are smaller, and programs of several sizes have one arena.
func TestStepsDoNotGrowTheArena(t *testing.T) {
	for _, name := range []string{"resnet8_narrow", "sdnet8_narrow", "sdnet8_all_narrow"} {
		s, err := Lookup(name, "shapes")
		if err != nil {
			t.Fatal(err)
		}
		s.Widths = []int{4, 6, 10}
		n, err := New[float32](s)
		if err != nil {
			t.Fatal(err)
		}
		n.Initialize(1)
		trainer, predictor := NewTrainer(n, 0.9, 5e-4), NewPredictor(n)
		images := func(count int) *tensor.Tensor[float32] {
			x := tensor.New[float32](count, 3, 32, 32)
			tensor.FillUniform(x, 5, 1, 0)
			return x
		}
		var first [2]int
		for i, count := range []int{16, 16, 4, 16, 1, 9} {
			trainer.Step(images(count), make([]int, count), 0) // at rate 0 codes keep their size when packed
			predictor.Logits(images(count))
			held := [2]int{trainer.programs.arena.Capacity(), predictor.programs.arena.Capacity()}
			if i == 0 {
				if first = held; held[0] == 0 || held[1] == 0 {
					t.Fatalf("%s: the arenas hold %v elements", name, held)
				}
			}
			// Power iteration moves step sizes at first, and with them the size of packed codes.
			if held[0] > first[0]+first[0]/20 || held[1] != first[1] {
				t.Errorf("%s: after %d images arenas hold %v elements, after the first 16 %v", name, count, held, first)
			}
		}
		if trainer.programs.arena.Live() != 0 {
			t.Errorf("%s: %d tensors are out after a step", name, trainer.programs.arena.Live())
		}
	}
}

// TestResidualsOfLargeImagesAreNotKept: where images are large, a residual is computed again for the gradient, also where the signal
// that it is computed from is computed again itself.
func TestResidualsOfLargeImagesAreNotKept(t *testing.T) {
	s, err := Lookup("sdnet8_all_narrow", "cifar10")
	if err != nil {
		t.Fatal(err)
	}
	plan := s.Plan(8, true)
	again := 0
	for _, step := range plan.Steps {
		for _, v := range step.Values {
			if v.How == autodiff.Again && strings.HasPrefix(v.Node.Name, "layer1.") && strings.HasSuffix(v.Node.Name, "/2/residual") {
				again++
			}
		}
	}
	if again != 2 { // of the stage's two layers
		t.Errorf("%d residuals are computed again, want 2", again)
	}
}
