package attack

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
	net, set := network[float32](t, "sdnet8_all_narrow"), data.Shapes(0, 6, 1).Test
	for _, norm := range []Norm{Linf, L2} {
		var want []*Examples[float32]
		for _, workers := range []int{0, 1, 3} {
			v := model(net, 4)
			v.Workers = workers
			indices := []int{0, 1, 2, 3, 4, 5}
			var got *Examples[float32]
			started := paralleltest.Started(func() {
				got = v.Begin(set, indices)
				v.Attack(got, PGD{Norm: norm, Epsilon: 0.1, Steps: 3, Restarts: 1, MaximizeLoss: true}, nil)
				v.ZeroGradients(got)
				v.Recognised(got)
			})
			if (started == 0) != (workers == 1) {
				t.Errorf("%v, %d workers: started %d goroutines", norm, workers, started)
			}
			if want = append(want, got); !reflect.DeepEqual(want[0], got) {
				t.Errorf("%v: other examples with %d workers", norm, workers)
			}
		}
	}
}
