// Package train is ref train: it starts a training run, shows its progress, stops it and resumes it.
//
// It is for users who train a network: it knows the flags, the files in the run's folder and the log. It does
// not know how a step is computed.
package train

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"sdref/cmd/ref/internal/cli"
	"sdref/internal/atomicfile"
	"sdref/sdnet"
	"sdref/sdnet/data"
	"sdref/sdnet/training"
	"sdref/tensor"
	"sdref/tensor/safetensors"
)

const trainHelp = `ref train trains a network. Alone it trains a narrow one on drawn images, in less than a minute. With
-data FOLDER it follows the published recipe for CIFAR, or for ImageNet if there is a folder for each
class. -recipe chooses a recipe, and every flag changes it; the defaults below are those of cifar.

%s

A run is a folder: checkpoint.safetensors (weights and all else that the run is), epochs.csv,
steps.csv, a file for TensorBoard, and the learning curves as loss.png and accuracy.png (not by the
program of make run, which has no library that draws: ref figures does it then). It is saved
at its start, after each epoch, every -save, and on Ctrl-C; -resume FOLDER goes on with the same bits
as if it had never stopped, also if it was killed. -epochs N beside it prolongs the run to N epochs.

The test images are evaluated once, after the last step. With -holdout N, for runs between which one
will choose, or where there are none, they are not: N training images are held out and evaluated
after each epoch instead, and -keep-best keeps the weights of the best of these epochs, as
best.safetensors.

Images are JPEG, PNG, GIF, BMP, TIFF or WebP files, also in folders within that of their class. The
run remembers the names of the classes and which images there are, and goes on with no others.

-start CHECKPOINT begins with trained weights, also for images of another size or with other classes:
what does not fit the new images is initialised, or computed anew. The last layer is taken over if
its classes have the same names, whatever their order.

-spec FILE trains a network of your own, also on grey images and on ones that are not square. ref
describe -json prints the specification of a network to begin with; ref describe -spec shows yours.`

// recipeLines lists the recipes.
func recipeLines() string {
	var lines []string
	for _, r := range training.Recipes() {
		lines = append(lines, fmt.Sprintf("  %-9s %s", r.Name, r.Summary))
	}
	return strings.Join(lines, "\n")
}

// trainFlags are the flags that are not part of the run's configuration.
type trainFlags struct {
	images, out, resume, recipe string
	start                       string
	from                        *safetensors.File // the checkpoint to start from, or nil
	spec                        string
	own                         *sdnet.Spec // of -spec, or of -start's network if no list has it; nil: a listed network
	save                        time.Duration
	stop, prolong               int // prolong: how many epochs a resumed run is to have, 0: as planned
	test, testGiven             bool
	keepBest                    bool
	curves                      Curves
}

// Run is the verb that trains a network, or goes on with a run. Who draws its learning curves is the caller's choice, since libraries that
// draw take longer to compile than all that trains; nil draws none.
func Run(curves Curves) func(c *cli.Call) error {
	return func(c *cli.Call) error { return run(c, curves) }
}

func run(c *cli.Call, curves Curves) error {
	f := trainFlags{curves: curves.ifChanged()}
	config := training.Published()
	c.Flags.StringVar(&f.images, "data", cli.ShapesName, cli.DataUsage)
	c.Flags.StringVar(&f.recipe, "recipe", "",
		"the `recipe` (default: demo on drawn images, imagenet on a folder of classes, else cifar)")
	c.Flags.StringVar(&f.out, "out", "", "the `folder` to write to (default: a new one under runs)")
	c.Flags.StringVar(&f.resume, "resume", "",
		"go on with the run in this `folder`, on the same images; only -broken, -data, -epochs (more of them), "+
			"-force, -keep-best, -kernel, -save, -stop, -test and -verify may be given beside it")
	c.Flags.StringVar(&f.start, "start", "",
		"start from the weights of this checkpoint, which also tells the network, rather than from random "+
			"ones: "+cli.CheckpointUsage())
	c.Flags.StringVar(&f.spec, "spec", "", cli.SpecUsage+"; Data.Name, for images in a folder, and Data.Classes may be left out")
	c.Flags.DurationVar(&f.save, "save", 5*time.Minute, "save at least this often")
	c.Flags.IntVar(&f.stop, "stop", 0, "save and stop once this many steps have been made in all (0: at "+
		"the end)")
	c.Flags.BoolVar(&f.test, "test", true,
		"evaluate the test images at the end (default: unless -holdout is given)")
	c.Flags.BoolVar(&f.keepBest, "keep-best", false,
		"keep the weights of the epoch after which most of the images held out were recognised, as "+
			"best.safetensors; needs -holdout")
	configFlags(c, &config)
	if err := c.Parse(fmt.Sprintf(trainHelp, recipeLines())); err != nil {
		return err
	}
	if f.save < 0 || f.stop < 0 {
		return fmt.Errorf("-save %v, -stop %d: must not be negative", f.save, f.stop)
	}
	f.testGiven = c.Given("test")
	cli.CollectEarly(cli.TrainingGarbageShare)
	if f.resume != "" {
		return resume(c, f, config.Epochs)
	}
	base, err := f.base()
	if err != nil {
		return err
	}
	if base, err = f.begin(c, base); err != nil {
		return err
	}
	if config, err = override(c, base); err != nil {
		return err
	}
	if f.keepBest && config.Holdout == 0 {
		return errors.New("-keep-best: no images are held out to tell which epoch is the best; give -holdout N too")
	}
	if err := f.readOwn(c); err != nil {
		return err
	}
	d, notes, err := f.open(c, config.Extent)
	if err != nil {
		return err
	}
	if err := cli.NoTest(c, d, config.Holdout); err != nil {
		return err
	}
	if config, err = fit(c, config, d, f.own); err != nil {
		return err
	}
	return cli.ByType(config.Type, trainNew[float32], trainNew[float64])(c, f, config, d, notes)
}

// base is the chosen recipe, or the default recipe of the images.
func (f *trainFlags) base() (training.Config, error) {
	name := f.recipe
	if name == "" {
		switch {
		case f.images == cli.ShapesName:
			name = "demo"
		case data.IsFolder(f.images):
			name = "imagenet"
		default:
			name = "cifar"
		}
	}
	var names []string
	for _, r := range training.Recipes() {
		if r.Name == name {
			return r.Config, nil
		}
		names = append(names, r.Name)
	}
	return training.Config{}, fmt.Errorf("-recipe: unknown recipe %q; there are %s", name,
		strings.Join(names, ", "))
}

// begin opens the checkpoint to start from, if there is one, and returns the recipe with its network, as it
// was trained.
func (f *trainFlags) begin(c *cli.Call, k training.Config) (training.Config, error) {
	if f.start == "" {
		return k, nil
	}
	from, was, err := cli.OpenTrained(c, f.start)
	if err != nil {
		return k, err
	}
	f.from = from
	if was.Own != nil {
		own := *was.Own
		own.Data.Classes = 0 // as many as the images have
		f.own = &own
	}
	k.Network, k.Lambda, k.Mu, k.Iterations, k.Variant = was.Network, was.Lambda, was.Mu, was.Iterations,
		was.Variant
	k.LearnLambda, k.LearnStep, k.Gradient = was.LearnLambda, was.LearnStep, was.Gradient
	k.Stem = was.StemName()
	if spec, err := was.Spec(); err == nil && data.IsFolder(f.images) {
		k.Extent = spec.Data.Image
	}
	return k, nil
}

// override returns base with the settings that were given on the command line: their flags, defined once more for base, are set again. Of a
// recipe with a triangle that is made longer or shorter, the highest rate stays at the same share of the run.
func override(c *cli.Call, base training.Config) (training.Config, error) {
	triangle, share := base.Schedule == "triangle", base.Warmup/passes(&base)
	again := &cli.Call{Flags: flag.NewFlagSet(c.Flags.Name(), flag.ContinueOnError)}
	configFlags(again, &base)
	var err error
	c.Flags.Visit(func(f *flag.Flag) {
		if err == nil && again.Flags.Lookup(f.Name) != nil {
			err = again.Flags.Set(f.Name, f.Value.String())
		}
	})
	if triangle && c.Given("epochs") && !c.Given("warmup") && !c.Given("schedule") {
		base.Warmup = math.Round(share*passes(&base)*1e6) / 1e6
	}
	return base, err
}

// makeFolder makes the folder of a new run: the given one, which must not contain a run, or the next free one
// under runs.
func makeFolder(given string, k training.Config) (string, error) {
	if given != "" {
		if err := holdsNone(given); err != nil {
			return "", err
		}
		return given, os.MkdirAll(given, 0o755)
	}
	if err := os.MkdirAll("runs", 0o755); err != nil {
		return "", err
	}
	for i := 1; ; i++ {
		folder := filepath.Join("runs", fmt.Sprintf("%s-%s-%d", k.Network, k.Data, i))
		err := os.Mkdir(folder, 0o755)
		if !os.IsExist(err) {
			return folder, err
		}
	}
}

// holdsNone refuses a folder that holds a run.
func holdsNone(folder string) error {
	if _, err := os.Stat(cli.CheckpointIn(folder)); err == nil {
		return fmt.Errorf("-out: %s holds a run already; go on with it by -resume %s, or choose another folder", folder, cli.Quote(folder))
	}
	return nil
}

func trainNew[T tensor.Float](c *cli.Call, f trainFlags, k training.Config, d data.Dataset,
	notes []string) error {
	r, err := newRun[T](f.from, k, d)
	if err != nil {
		return err
	}
	if r.Start != "" {
		notes = append(notes, fmt.Sprintf("it starts from the weights of %s, state %.16s", f.from.Path,
			r.Start))
	}
	if len(r.Fresh) > 0 {
		notes = append(notes, fmt.Sprintf("not from there, for they do not fit: %s (vectors v0 are computed anew, weights initialised)", strings.Join(r.Fresh, ", ")))
	}
	notes = append(notes, r.Notes...)
	if f.out, err = makeFolder(f.out, k); err != nil {
		return err
	}
	release, err := lock(f.out)
	if err != nil {
		return err
	}
	defer release()
	if err := holdsNone(f.out); err != nil { // another process may have begun one meanwhile
		return err
	}
	// A run that was killed before its first save has left temporary files.
	if err := atomicfile.Sweep(f.out); err != nil {
		return err
	}
	if err := save(r, f); err != nil { // an error now is better than one after an epoch
		return err
	}
	if err := f.remember(c); err != nil {
		return err
	}
	return newSession(c, f, r, d).run(notes)
}

// newRun is a run at its beginning, from a checkpoint's weights if there is one.
func newRun[T tensor.Float](from *safetensors.File, k training.Config, d data.Dataset) (*training.Run[T],
	error) {
	if from != nil {
		return training.NewFrom[T](k, d, from)
	}
	return training.New[T](k, d)
}
