package official_test

import (
	"fmt"
	"os"

	"sdref/golden"
	"sdref/golden/official"
)

// A case that the authors' code recorded, computed in float64 and compared with what it gave.
func ExampleCheck() {
	c, err := golden.LoadFS(os.DirFS("../testdata/official"), "layer/one_iteration.json")
	if err != nil {
		panic(err)
	}
	rows, err := official.Check[float64](c)
	if err != nil {
		panic(err)
	}
	passed := 0
	for _, r := range rows {
		if r.Pass {
			passed++
		}
	}
	fmt.Println(c.Name, passed, "of", len(rows), "passed")
	// Output:
	// layer/one_iteration 11 of 11 passed
}
