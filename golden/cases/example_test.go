package cases_test

import (
	"fmt"
	"strings"

	"sdref/golden/cases"
	"sdref/golden/precision"
)

// A case is found by its name; its inputs follow a rule, its values are computed, and its bounds are stored.
func ExampleFind() {
	c := cases.Find("fista-20")
	values, err := c.Evaluate(c.Generate())
	if err != nil {
		panic(err)
	}
	last := c.Nodes[len(c.Nodes)-1]
	fmt.Println(c.Kind, len(c.Nodes), "nodes; the last one:", last.Name, values[last.Name].Shape)
	bound := cases.Bounds(c.ID)[last.Name][precision.FP32]
	fmt.Printf("from its own inputs, an honest backend's is off by less than %.3g units of rounding\n", bound.Local)

	kinds := map[string]int{}
	for _, c := range cases.All() {
		kinds[c.Kind]++
	}
	fmt.Println(kinds["fista"], "cases of FISTA of", len(cases.All()), "in", len(kinds), "kinds:", strings.Join(cases.Kinds()[:3], ", "), "...")
	// Output:
	// fista 116 nodes; the last one: 20/code [2 8 4 5]
	// from its own inputs, an honest backend's is off by less than 4 units of rounding
	// 29 cases of FISTA of 201 in 11 kinds: conv_forward, conv_transpose, conv_filter ...
}
