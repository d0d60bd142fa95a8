package autodiff

import (
	"fmt"
	"testing"

	"sdref/tensor"
)

// Every operation gives the same bits, forwards and backwards, on every kernel row with any number of goroutines.
func TestSameBitsPerOperation(t *testing.T) {
	t.Run("float32", testOperationBits[float32])
	t.Run("float64", testOperationBits[float64])
}

func testOperationBits[T tensor.Float](t *testing.T) {
	type result struct {
		y         *tensor.Tensor[T]
		gradients []*tensor.Tensor[T]
	}
	var first []result
	everywhere(t, func(where string) {
		for k, r := range table[T]() {
			values := r.draw(5)
			y, gradients := evaluate(r, values, all, seedFor(r, values), nil)
			if len(first) <= k {
				first = append(first, result{y, gradients})
			}
			mustEqual(t, r.title()+" on "+where, y, first[k].y)
			for i, g := range gradients {
				mustEqual(t, fmt.Sprintf("%s on %s: gradient %d", r.title(), where, i), g, first[k].gradients[i])
			}
		}
	})
}

// The whole network at sizes that several goroutines share: 8*8*24*24 elements are more than two grains of tensor's loops
// and more than four of its pieces.
func TestSameBitsOfANetwork(t *testing.T) {
	t.Run("float32", testNetworkBits[float32])
	t.Run("float64", testNetworkBits[float64])
}

func testNetworkBits[T tensor.Float](t *testing.T) {
	var first []*tensor.Tensor[T]
	everywhere(t, func(where string) {
		results := step(newTape[T](), 8, 8, 24, 24, true)
		if first == nil {
			first = results
		}
		for i, r := range results {
			mustEqual(t, fmt.Sprintf("result %d on %s", i, where), r, first[i])
			for at, v := range r.Data {
				if v != v {
					t.Fatalf("result %d on %s: element %d is NaN", i, where, at)
				}
			}
		}
	})
}
