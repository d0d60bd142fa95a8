package robust

import (
	"reflect"
	"runtime"
	"testing"

	"sdref/internal/parallel/paralleltest"
	"sdref/sdnet/data"
)

// TestWorkers: a model that may use one goroutine starts no other, in any part of its work; as many as there are processors start some;
// and the bits are the same.
func TestWorkers(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	net, set := network[float32](t, "sdnet8_all_narrow"), drawn(6)
	var want [][]any
	for _, workers := range []int{0, 1, 3} {
		m := model(t, net, 4)
		m.Workers = workers
		var got []any
		started := paralleltest.Started(func() {
			got = append(got, m.Predict(set, []float64{0.1, 0.2, 0.1, 0.3, 0.1, 0.1}, nil),
				Curves(m, Experiment{Conditions: Conditions([]data.Noise{data.GaussianNoise}), Lambdas: []float64{0.1, 0.2}}, set, []int{1, 3, 4}))
		})
		if (started == 0) != (workers == 1) {
			t.Errorf("%d workers: started %d goroutines", workers, started)
		}
		if want = append(want, got); !reflect.DeepEqual(want[0], got) {
			t.Errorf("other predictions with %d workers", workers)
		}
	}
}
