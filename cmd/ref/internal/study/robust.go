// Package study is the commands that examine a trained network or one of its layers: on noisy images (ref
// robust) and under attack (ref attack), its step sizes (ref spectrum), iteration by iteration (ref trace),
// and the distance of a code from the solution (ref certify).
//
// It is for readers of the paper who want to test its claims. It does not know how a network is trained.
package study

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"sdref/cmd/ref/internal/cli"
	"sdref/sdnet/data"
	"sdref/sdnet/robust"
	"sdref/sdnet/training"
	"sdref/tensor"
	"sdref/tensor/safetensors"
)

const robustHelp = `ref robust measures robust inference: how a network does on noisy images if the lambda of its stem,
the first CSC layer, is raised, and whether the image itself can tell by how much. The noises are
those of CIFAR-10-C at its five severities.

First it learns from noised training images: the best lambda for each noise and severity, and the
line lambda = a r + b through the points (r, best lambda), r being |x - A z|/sqrt(C H W) of the stem
at the lambda of training. Then it tries on noised test images, one by one, whose labels serve to
count only:

  fixed       the lambda of training
  constant    one lambda for all severities of a noise, the best for the training images
  per set     the line at the mean r of all images of a noise and severity
  per image   the line at the image's own r
  any noise   the line through the points of all noises, at the image's own r
  best        the best of -lambdas for these very images: what their labels would choose, no method

Only the stem's lambda changes; BatchNorm keeps its statistics. On the drawn images a network that
was trained on others is compared with its own answers on clean images at the lambda of training.`

// robustFlags are the flags of ref robust.
type robustFlags struct {
	checkpoint, images, out string
	test, learn, batch      int
	kinds                   []data.Noise
	lambdas                 []float64
	seed                    uint64
	best                    bool
}

// Robust measures robust inference.
func Robust(c *cli.Call) error {
	f := robustFlags{kinds: data.Noises()}
	for i := 1; i <= 14; i++ { // the lambdas of the authors' script
		f.lambdas = append(f.lambdas, float64(i)/10)
	}
	c.Flags.StringVar(&f.checkpoint, "checkpoint", "pretrained:sdnet8_slim", cli.CheckpointUsage())
	c.Flags.StringVar(&f.images, "data", cli.ShapesName, cli.DataUsage)
	c.Flags.IntVar(&f.test, "images", 500, "try on that `number` of test images")
	c.Flags.IntVar(&f.learn, "learn", 500,
		"learn from that `number` of training images, those that the run held out if it did")
	c.Flags.Func("noise", "only these `noises`, separated by commas (default: gaussian,shot,speckle,impulse)",
		func(s string) error {
			f.kinds = nil
			for name := range strings.SplitSeq(s, ",") {
				k, err := data.ParseNoise(name)
				if err != nil {
					return err
				}
				if slices.Contains(f.kinds, k) {
					return fmt.Errorf("%s twice", name)
				}
				f.kinds = append(f.kinds, k)
			}
			return nil
		})
	c.Flags.Func("lambdas", "the `lambdas` to choose from, ascending, separated by commas (default: 0.1 to "+
		"1.4 in steps of 0.1)", func(s string) (err error) {
		f.lambdas, err = parseAscending(s)
		return err
	})
	c.Flags.BoolVar(&f.best, "best", true,
		"try all lambdas on the test images too; -best=false does not, in a quarter of the time")
	c.Flags.Uint64Var(&f.seed, "seed", 1, "of the choice of images and of the noises")
	c.Flags.IntVar(&f.batch, "batch", 100, "images per batch")
	c.ResultFolder(&f.out, "",
		"write the numbers as robust.json, and pictures with their numbers as PNG, SVG and CSV, to this "+
			"`folder`")
	if err := c.Parse(robustHelp); err != nil {
		return err
	}
	if f.test < 1 || f.learn < 1 || f.batch < 1 {
		return fmt.Errorf("-images %d, -learn %d, -batch %d: at least 1 each", f.test, f.learn, f.batch)
	}
	file, config, err := cli.OpenTrained(c, f.checkpoint)
	if err != nil {
		return err
	}
	return cli.ByType(config.Type, robustAs[float32], robustAs[float64])(c, f, file, config)
}

func robustAs[T tensor.Float](c *cli.Call, f robustFlags, file *safetensors.File,
	config training.Config) error {
	net, _, err := training.LoadNetwork[T](file)
	if err != nil {
		return err
	}
	s, err := openSamples(c, file, config, f.images, f.learn, f.test, f.seed)
	if err != nil {
		return err
	}
	m, err := robust.NewModel(net, s.data.Mean, s.data.Std, f.batch)
	if err != nil {
		return fmt.Errorf("%s: %w", f.checkpoint, err)
	}
	p := cli.NewProgress(c.Stdout, 0)
	defer p.End()
	p.Say("%s\n%s from %s, lambda %g: learns from %d images of %s, tries on %d of %s", cli.Machine(),
		config.Network, file.Path, m.Lambda,
		f.learn, s.learn.Name, f.test, s.test.Name)
	s.say(p)
	r := &robustReport{Network: config.Network, Checkpoint: file.Path, Data: s.data.Name, Known: s.known,
		Images: f.test, Learn: f.learn, Seed: f.seed,
		Lambda: m.Lambda, Lambdas: f.lambdas}
	e := robust.Experiment{Lambdas: f.lambdas, Conditions: robust.Conditions(f.kinds), Seed: f.seed}
	total, done := f.learn*e.CurvePredictions()+f.test*e.OutcomePredictions(f.best), 0
	if !s.known {
		p.Say("no accuracy, since these are none of the classes of %s: an answer is right if it is that on "+
			"the clean image", config.Data)
		labelByPrediction(m, s.learn)
		labelByPrediction(m, s.test)
	}
	e.Progress = func(n int) bool {
		done += n
		p.Show(float64(done)/float64(total),
			fmt.Sprintf("%d of %d predictions, %.0f a second", done, total,
				float64(done)/time.Since(p.Start).Seconds()))
		return c.Context.Err() == nil
	}
	r.Learnt = robust.Curves(m, e, s.learn, all(s.learn))
	if len(r.Learnt) < len(e.Conditions) {
		return r.stopped(p, f, e)
	}
	r.Choices = robust.Choose(r.Learnt, f.lambdas)
	outcomes := robust.Outcomes(m, e, r.Choices, s.test, all(s.test), f.best)
	p.End()
	r.count(outcomes)
	if err := r.print(c.Stdout); err != nil {
		return err
	}
	if len(outcomes) < len(e.Conditions) {
		return r.stopped(p, f, e)
	}
	if r.Complete = true; f.out == "" {
		return nil
	}
	return r.write(p, f.out)
}

// stopped writes the numbers of what was finished, without pictures, and says how to get the rest.
func (r *robustReport) stopped(p *cli.Progress, f robustFlags, e robust.Experiment) error {
	if len(r.Learnt) == 0 {
		p.Say("stopped before anything was finished")
		return cli.ErrInterrupted
	}
	where := "nowhere, since -out was not given"
	if len(r.Conditions) > 0 {
		where = "shown above"
	}
	if f.out != "" {
		if err := os.MkdirAll(f.out, 0o755); err != nil {
			return err
		}
		where = filepath.Join(f.out, "robust.json")
		if err := cli.WriteJSON(where, r); err != nil {
			return err
		}
		where = "in " + where
	}
	if len(r.Learnt) < len(e.Conditions) {
		p.Say("stopped while learning: the curves of %d of %d conditions are %s; the same command with -noise and one noise is done sooner",
			len(r.Learnt), len(e.Conditions), where)
		return cli.ErrInterrupted
	}
	var rest []string
	for _, c := range e.Conditions[len(r.Conditions):] {
		if c.Noise != robust.Clean && !slices.Contains(rest, c.Noise) {
			rest = append(rest, c.Noise)
		}
	}
	p.Say("stopped: %d of %d conditions are done, and %s; the same command with -noise %s and another -out does the rest (its column %v is of these noises alone)",
		len(r.Conditions), len(e.Conditions), where, strings.Join(rest, ","), robust.AnyNoise)
	return cli.ErrInterrupted
}

// labelByPrediction labels images with the network's own predictions.
func labelByPrediction[T tensor.Float](m *robust.Model[T], set *data.Set) {
	for i, a := range m.Predict(set, robust.Repeat(set.Len(), m.Lambda), nil) {
		set.Labels[i] = uint8(a.Class)
	}
}
