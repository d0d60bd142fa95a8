package train

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"

	"sdref/cmd/ref/internal/cli"
	"sdref/internal/atomicfile"
	"sdref/sdnet/data"
	"sdref/sdnet/training"
	"sdref/tensor"
	"sdref/tensor/safetensors"
)

// resumeFlags are the flags that do not change a run, and -epochs, which prolongs it.
var resumeFlags = []string{"resume", "broken", "data", "epochs", "force", "keep-best", "kernel", "save", "stop", "test", "verify"}

// resume continues a run, for so many epochs if -epochs is given.
func resume(c *cli.Call, f trainFlags, epochs int) error {
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
	if _, err := os.Stat(cli.CheckpointIn(f.out)); err != nil {
		return err
	}
	release, err := lock(f.out)
	if err != nil {
		return err
	}
	defer release()
	if err := f.recall(c); err != nil {
		return err
	}
	file, k, err := cli.OpenTrained(c, cli.CheckpointIn(f.out))
	if err != nil {
		return err
	}
	spec, err := k.Spec()
	if err != nil {
		return err
	}
	name := ""
	if k.Own != nil {
		name = k.Data
	}
	d, notes, err := cli.OpenToTrain(c, f.images, spec.Data.Shape(), name, c.Stdout)
	if err != nil {
		return fmt.Errorf("-data: %w", err)
	}
	if c.Given("epochs") {
		f.prolong = epochs
	}
	return cli.ByType(k.Type, trainFrom[float32], trainFrom[float64])(c, f, file, d, notes)
}

// reopen is the run of a checkpoint, prolonged if that is asked for.
func reopen[T tensor.Float](f trainFlags, file *safetensors.File, d data.Dataset) (*training.Run[T], error) {
	if f.prolong > 0 {
		return training.Prolong[T](file, d, f.prolong)
	}
	return training.Resume[T](file, d)
}

func trainFrom[T tensor.Float](c *cli.Call, f trainFlags, file *safetensors.File, d data.Dataset,
	notes []string) error {
	r, err := reopen[T](f, file, d)
	if errors.Is(err, training.ErrOtherImages) {
		return fmt.Errorf("%w; to begin another run with its weights: ref train -start %s -data %s", err,
			cli.Quote(cli.CheckpointIn(f.out)), cli.Quote(f.images))
	}
	if err != nil {
		return err
	}
	notes = append(notes, r.Notes...)
	if f.prolong > 0 {
		if err := save(r, f); err != nil { // so that it is as long if this process is killed
			return err
		}
		notes = append(notes, fmt.Sprintf("prolonged from %d to %d epochs: the rate goes on at what a run of %d epochs, with this warm-up, would have now", r.Planned[len(r.Planned)-1], r.Epochs, r.Epochs))
	}
	if f.stop != 0 && f.stop <= r.Iteration {
		return fmt.Errorf("-stop %d: the run in %s has made %d steps already", f.stop, f.out, r.Iteration)
	}
	if err := atomicfile.Sweep(f.out); err != nil {
		return err
	}
	// If the run was killed between saving its checkpoint and this table, the table is old.
	if err := saveEpochs(r, f); err != nil {
		return err
	}
	if err := f.remember(c); err != nil {
		return err
	}
	return newSession(c, f, r, d).run(notes)
}
