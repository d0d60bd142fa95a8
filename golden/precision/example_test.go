package precision_test

import (
	"fmt"

	"sdref/golden/precision"
)

// What becomes of 1/3 in the formats that a profile's factors have, and how far a sum of 576 products may be from the truth, as a share
// of the sum of their magnitudes.
func Example() {
	for _, name := range []string{"fp32", "tf32", "bf16"} {
		p, err := precision.Lookup(name)
		if err != nil {
			panic(err)
		}
		fmt.Printf("%s: %.9f, %.2g\n", p, p.Operands().Round(1.0/3), p.Limit(576, true))
	}
	_, err := precision.Lookup("fp12")
	fmt.Println(err)
	// Output:
	// fp32: 0.333333343, 3.4e-05
	// tf32: 0.333251953, 0.002
	// bf16: 0.333984375, 0.047
	// profile "fp12": want one of fp32, fp32-truncating, fp32-winograd, tf32, fp16, bf16
}
