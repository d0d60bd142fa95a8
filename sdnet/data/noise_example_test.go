package data_test

import (
	"fmt"

	"sdref/sdnet/data"
)

// How many bytes of an image each noise changes at its mildest and at its worst.
func ExampleAddNoise() {
	set := data.Shapes(0, 1, 1).Test
	for _, k := range data.Noises() {
		var changed [2]int
		for i, severity := range []int{1, data.Severities} {
			corrupted := data.AddNoise(set, []int{0}, k, severity, 1)
			for j, b := range corrupted.Images {
				if b != set.Images[j] {
					changed[i]++
				}
			}
		}
		fmt.Printf("%v: %d and %d of 3072\n", k, changed[0], changed[1])
	}
	// Output:
	// gaussian: 2890 and 2943 of 3072
	// shot: 2841 and 2944 of 3072
	// speckle: 2821 and 2939 of 3072
	// impulse: 34 and 223 of 3072
}
