package train

import (
	"flag"
	"fmt"
	"slices"

	"sdref/cmd/ref/internal/cli"
	"sdref/internal/atomicfile"
	"sdref/sdnet/data"
	"sdref/sdnet/training"
	"sdref/tensor"
	"sdref/tensor/safetensors"
)

// resumeFlags are the flags that do not change a run.
var resumeFlags = []string{"resume", "data", "force", "kernel", "save", "stop", "test"}

// resume continues a run.
func resume(c *cli.Call, f trainFlags) error {
	var extra error
	c.Flags.VisitAll(func(g *flag.Flag) {
		if c.Given(g.Name) && !slices.Contains(resumeFlags, g.Name) {
			extra = fmt.Errorf("-%s: a run's settings cannot be changed when it is resumed", g.Name)
		}
	})
	if extra != nil {
		return extra
	}
	f.out = f.resume
	file, k, err := cli.OpenTrained(c, cli.CheckpointIn(f.out))
	if err != nil {
		return err
	}
	spec, err := k.Spec()
	if err != nil {
		return err
	}
	d, notes, err := cli.OpenData(c, f.images, spec.Data.Image, c.Stdout)
	if err != nil {
		return err
	}
	return cli.ByType(k.Type, trainFrom[float32], trainFrom[float64])(c, f, file, d, notes)
}

func trainFrom[T tensor.Float](c *cli.Call, f trainFlags, file *safetensors.File, d data.Dataset,
	notes []string) error {
	r, err := training.Resume[T](file, d)
	if err != nil {
		return err
	}
	if f.stop != 0 && f.stop <= r.Iteration {
		return fmt.Errorf("-stop %d: the run in %s has made %d steps already", f.stop, f.out, r.Iteration)
	}
	if err := atomicfile.Sweep(f.out); err != nil {
		return err
	}
	// If the run was killed between saving its checkpoint and this table, the table is old.
	if err := saveEpochs(r, f.out); err != nil {
		return err
	}
	return newSession(c, f, r, d).run(notes)
}
