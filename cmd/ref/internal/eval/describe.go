package eval

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"sdref/cmd/ref/internal/cli"
	"sdref/sdnet"
)

// maxIterations is the greatest number of iterations.
const maxIterations = 1_000_000

// Describe shows a network as a table.
func Describe(c *cli.Call) error {
	checkpoint := c.Flags.String("checkpoint", "", "the network of this checkpoint, also one of your own: "+cli.CheckpointUsage())
	network := c.Flags.String("net", "sdnet18", "the `network`: "+cli.NetworkNames())
	data := c.Flags.String("data", "cifar10", "the data `set` that it is made for: "+cli.DataNames())
	iterations := c.Flags.Int("iterations", sdnet.PublishedCSC.Iterations,
		"FISTA iterations of each CSC layer (default with -checkpoint and -spec: its own)")
	size := c.Flags.Int("size", 0, "height and width of the images in `pixels` (default: those of the data "+
		"set)")
	classes := c.Flags.Int("classes", 0, "number of classes (default: those of the data set)")
	plan := c.Flags.String("plan", "", "print the memory plan of `what`: training, a training step, or "+
		"prediction: what is computed when, which buffer holds "+
		"what from which step to which, what is computed again, what waits packed, where the most memory "+
		"is needed")
	batch := c.Flags.Int("batch", 32, "images of the memory plan")
	nonzeros := c.Flags.Float64("nonzeros", 0.5,
		"share of nonzero codes that the memory plan assumes for those that wait packed")
	file := c.Flags.String("spec", "", cli.SpecUsage)
	asJSON := c.Flags.Bool("json", false, "print the network's specification as JSON, for -spec of this verb and of ref train, and nothing else")
	if err := c.Parse("ref describe shows a network as a table. Multiply-adds are those of one image in " +
		"prediction."); err != nil {
		return err
	}
	spec, err := sdnet.Lookup(*network, *data)
	switch {
	case *checkpoint != "":
		spec, err = specOf(c, *checkpoint, "checkpoint")
	case *file != "":
		spec, err = specOf(c, *file, "specification")
	}
	if err != nil {
		return err
	}
	if *iterations < 1 || *iterations > maxIterations {
		return fmt.Errorf("-iterations: %d is not between 1 and %d", *iterations, maxIterations)
	}
	if *checkpoint == "" && *file == "" || c.Given("iterations") {
		spec.CSC.Iterations = *iterations
	}
	if *size != 0 {
		spec.Data.Image = *size
	}
	if *classes != 0 {
		spec.Data.Classes = *classes
	}
	if *asJSON {
		return printSpec(c, spec)
	}
	if *plan != "" {
		return printPlan(c, spec, *plan, *batch, *nonzeros)
	}
	if err := spec.Check(); err != nil {
		return err
	}
	fmt.Fprintf(c.Stdout, "%s for %s: images %s, %d classes\n\n", spec.Name, spec.Data.Name, shapeOf(spec), spec.Data.Classes)
	w := tabwriter.NewWriter(c.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "layer\tkind\toutput\tparameters\tmultiply-adds\t")
	adds, parameters := 0, 0
	for _, l := range spec.Describe() {
		fmt.Fprintf(w, "%s\t%s\t%d x %d x %d\t%s\t%s\t\n", l.Name, l.Kind, l.Output[0], l.Output[1],
			l.Output[2], cli.Thousands(l.Parameters), cli.Thousands(l.MultiplyAdds))
		adds += l.MultiplyAdds
		parameters += l.Parameters
	}
	fmt.Fprintf(w, "total\t\t\t%s\t%s\t\n", cli.Thousands(parameters), cli.Thousands(adds))
	return w.Flush()
}

// shapeOf is the shape of a network's images: channels x height x width.
func shapeOf(s sdnet.Spec) string {
	shape := s.Data.Shape()
	return fmt.Sprintf("%d x %d x %d", shape[0], shape[1], shape[2])
}

// specOf is the network of a checkpoint or a specification.
func specOf(c *cli.Call, checkpoint, kind string) (s sdnet.Spec, err error) {
	for _, name := range []string{"net", "data", "size", "classes", "spec"} {
		if c.Given(name) && (name != "spec" || kind == "checkpoint") {
			return s, fmt.Errorf("-%s: the %s says it; leave one of the two out", name, kind)
		}
	}
	if kind == "specification" {
		return cli.ReadSpec(checkpoint)
	}
	_, config, err := cli.OpenTrained(c, checkpoint)
	if err != nil {
		return s, err
	}
	return config.Spec()
}

// printSpec prints a specification as cli.ReadSpec reads it.
func printSpec(c *cli.Call, spec sdnet.Spec) error {
	if err := spec.Check(); err != nil {
		return err
	}
	text, err := json.MarshalIndent(spec, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.Stdout, "%s\n", text)
	return err
}

// maxPlanned is the greatest number of images and of iterations of a plan, which lists every node.
const maxPlanned = 4096

// printPlan prints the plan of a training step or of prediction.
func printPlan(c *cli.Call, spec sdnet.Spec, what string, images int, nonzeros float64) error {
	switch {
	case what != "training" && what != "prediction":
		return fmt.Errorf("-plan: %q is neither training nor prediction", what)
	case images < 1 || images > maxPlanned:
		return fmt.Errorf("-batch: %d is not between 1 and %d", images, maxPlanned)
	case spec.CSC.Iterations > maxPlanned:
		return fmt.Errorf("-iterations: %d is more than the %d that a plan lists", spec.CSC.Iterations,
			maxPlanned)
	case !(nonzeros >= 0 && nonzeros <= 1):
		return fmt.Errorf("-nonzeros: %g is not a share between 0 and 1", nonzeros)
	}
	if err := spec.Check(); err != nil {
		return err
	}
	fmt.Fprintf(c.Stdout, "%s of %s for %d images %s of %s, %d classes; an element has 4 bytes in "+
		"float32, 8 in float64\n\n",
		what, spec.Name, images, shapeOf(spec), spec.Data.Name, spec.Data.Classes)
	return spec.Plan(images, what == "training").Print(c.Stdout, nonzeros)
}
