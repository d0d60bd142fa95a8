package explore_test

import (
	"context"
	"fmt"

	"sdref/golden/explore"
	"sdref/golden/faults"
	"sdref/golden/precision"
	"sdref/golden/simulate"
)

// A backend with one mistake is asked case after case until one fails, which is shrunk, and a rule says where it does. backend stands for
// whatever answers the cases and has the answers judged.
func ExampleExplorer() {
	e := &explore.Explorer{Seed: 1, Kinds: []string{"conv_forward"}, Ask: backend(simulate.New(precision.FP32), faults.Find("size/ninth-image"), true)}
	if err := e.Run(context.Background(), func() bool { return len(e.Findings) > 0 }); err != nil {
		panic(err)
	}
	fmt.Println(e.Findings[0].Rule)
	// Output:
	// analysis: wrong in conv_forward where batch is greater than 8; right at batch 1, 2, 3, 4, 5, 6, 7, 8
}
