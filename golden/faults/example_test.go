package faults_test

import (
	"fmt"

	"sdref/golden/cases"
	"sdref/golden/faults"
)

// A mistake planted in an honest backend, and what the judge says of it on one case of FISTA.
func ExampleRun() {
	c := cases.Find("fista-20")
	in := c.Generate()
	expected, err := c.Evaluate(in)
	if err != nil {
		panic(err)
	}
	planted := []faults.Fault{*faults.Find("fista/momentum-from-5")}
	matrix, err := faults.Run(faults.Standard, planted, []faults.Subject{{Case: c, In: in, Expected: expected, Bounds: cases.Bounds(c.ID)}}, true)
	if err != nil {
		panic(err)
	}
	for _, row := range matrix.Rows() {
		fmt.Println(row.Fault.ID, "killed in", row.Killed, "of", row.Live, "cases:", row.Verdict)
	}
	// Output:
	// fista/momentum-from-5 killed in 1 of 1 cases: LOGIC
}
