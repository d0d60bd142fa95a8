package eval

import (
	"fmt"
	"text/tabwriter"

	"sdref/cmd/ref/internal/cli"
	"sdref/sdnet"
)

// maxIterations keeps the count of multiply-adds within an int.
const maxIterations = 1_000_000

// Describe shows a network as a table.
func Describe(c *cli.Call) error {
	network := c.Flags.String("net", "sdnet18", "the `network`: "+cli.NetworkNames())
	data := c.Flags.String("data", "cifar10", "the data `set` that it is made for: "+cli.DataNames())
	iterations := c.Flags.Int("iterations", sdnet.PublishedCSC.Iterations, "FISTA iterations of each CSC layer")
	if err := c.Parse("ref describe shows a network as a table. Multiply-adds are those of one image in prediction."); err != nil {
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
	fmt.Fprintf(c.Stdout, "%s for %s: images 3 x %d x %d, %d classes\n\n", spec.Name, spec.Data.Name, spec.Data.Image, spec.Data.Image, spec.Data.Classes)
	w := tabwriter.NewWriter(c.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "layer\tkind\toutput\tparameters\tmultiply-adds\t")
	adds := 0
	for _, l := range net.Describe() {
		fmt.Fprintf(w, "%s\t%s\t%d x %d x %d\t%s\t%s\t\n", l.Name, l.Kind, l.Output[0], l.Output[1], l.Output[2], cli.Thousands(l.Parameters), cli.Thousands(l.MultiplyAdds))
		adds += l.MultiplyAdds
	}
	fmt.Fprintf(w, "total\t\t\t%s\t%s\t\n", cli.Thousands(net.CountParameters()), cli.Thousands(adds))
	return w.Flush()
}
