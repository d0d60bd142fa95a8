package main

import (
	"fmt"
	"text/tabwriter"

	"sdref/sdnet"
)

// maxIterations keeps the count of multiply-adds within an int.
const maxIterations = 1_000_000

// runDescribe shows a network as a table.
func runDescribe(c *call) error {
	network := c.flags.String("net", "sdnet18", "the `network`: "+networkNames())
	data := c.flags.String("data", "cifar10", "the data `set` that it is made for: "+dataNames())
	iterations := c.flags.Int("iterations", sdnet.PublishedCSC.Iterations, "FISTA iterations of each CSC layer")
	if err := c.parse("ref describe shows a network as a table. Multiply-adds are those of one image in prediction."); err != nil {
		return err
	}
	spec, err := sdnet.Lookup(*network, *data)
	if err != nil {
		return err
	}
	if *iterations < 1 || *iterations > maxIterations {
		return fmt.Errorf("-iterations: %d is not between 1 and %d", *iterations, maxIterations)
	}
	spec.CSC.Iterations = *iterations
	net, err := sdnet.New[float32](spec)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.stdout, "%s for %s: images 3 x %d x %d, %d classes\n\n", spec.Name, spec.Data.Name, spec.Data.Image, spec.Data.Image, spec.Data.Classes)
	w := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "layer\tkind\toutput\tparameters\tmultiply-adds\t")
	adds := 0
	for _, l := range net.Describe() {
		fmt.Fprintf(w, "%s\t%s\t%d x %d x %d\t%s\t%s\t\n", l.Name, l.Kind, l.Output[0], l.Output[1], l.Output[2], thousands(l.Parameters), thousands(l.MultiplyAdds))
		adds += l.MultiplyAdds
	}
	fmt.Fprintf(w, "total\t\t\t%s\t%s\t\n", thousands(net.CountParameters()), thousands(adds))
	return w.Flush()
}
