package sdnet_test

import (
	"runtime"
	"slices"
	"testing"

	"sdref/conv"
	"sdref/internal/parallel/paralleltest"
	"sdref/sdnet"
)

// TestWorkers: a trainer and a predictor that may use one goroutine start no other, in any part of their work; as many as there are
// processors start some; and the bits are the same.
func TestWorkers(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	x, labels := drawn[float32](8)
	for _, kind := range kinds {
		for _, algorithm := range []conv.Algorithm{conv.Direct, conv.Winograd} {
			spec, err := sdnet.Lookup(kind, "shapes")
			if err != nil {
				t.Fatal(err)
			}
			spec.Algorithm = algorithm
			var digest string
			var logits []float32
			for _, workers := range []int{0, 1, 3} {
				trainer := sdnet.NewTrainer(build[float32](t, spec, 1), 0.9, 1e-4)
				trainer.Workers = workers
				predictor := sdnet.NewPredictor(trainer.Net)
				predictor.Workers = workers
				var got []float32
				started := paralleltest.Started(func() {
					for range 2 {
						trainer.Step(x, labels, 0.01)
					}
					got = slices.Clone(predictor.Logits(x).Data)
				})
				if workers == 0 {
					digest, logits = trainer.Net.Digest(), got
				}
				if (started == 0) != (workers == 1) {
					t.Errorf("%s, %v, %d workers: started %d goroutines", kind, algorithm, workers, started)
				}
				if trainer.Net.Digest() != digest || !slices.Equal(got, logits) {
					t.Errorf("%s, %v: other bits with %d workers", kind, algorithm, workers)
				}
			}
		}
	}
}
