package study

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"sdref/cmd/ref/internal/cli"
	"sdref/conv"
	"sdref/csc"
	"sdref/csc/solve"
	"sdref/internal/elementary"
	"sdref/sdnet"
	"sdref/sdnet/data"
	"sdref/sdnet/pretrained"
	"sdref/sdnet/training"
	"sdref/tensor"
)

const traceHelp = `ref trace shows the iterates of one CSC layer on one image, a line for each iteration, beside
FISTA's equations, (A.1): objective, what certifies it, momentum, change, support. The signal is
what the layer sees in the network; lambda, mu, atoms and step size are the layer's, but for those
given. Everything is computed in float64. With -out FOLDER the page, all numbers as CSV, plots (gap
and support against k, code maps and reconstructions) and x, w and z as .npy are written there.`

// traceFlags are the flags of ref trace.
type traceFlags struct {
	checkpoint, images, part, layer, solvers, out string
	image, iterations                             int
	gap, lambda, mu, step                         float64
}

// Trace shows the iterates of a layer.
func Trace(c *cli.Call) error {
	var f traceFlags
	c.Flags.StringVar(&f.checkpoint, "checkpoint", pretrained.Prefix+"sdnet8_slim", cli.CheckpointUsage())
	c.Flags.StringVar(&f.images, "data", cli.ShapesName, cli.DataUsage)
	c.Flags.StringVar(&f.part, "set", "test", "where the image is: test or train")
	c.Flags.IntVar(&f.image, "image", 0, "its `number` there, from 0")
	c.Flags.StringVar(&f.layer, "layer", "", "the CSC layer's `name` (default: the first one)")
	c.Flags.StringVar(&f.solvers, "solver", "fista,published", "one or more, with commas: "+tracedNames())
	c.Flags.IntVar(&f.iterations, "iterations", 50, "how many, at most")
	c.Flags.Float64Var(&f.gap, "gap", 1e-9,
		"stop once the objective is proven to be within this share of its least value")
	c.Flags.Float64Var(&f.lambda, "lambda", 0, "weight of |z|_1 (default: the layer's)")
	c.Flags.Float64Var(&f.mu, "mu", 0, "weight of |z|^2/2 (default: the layer's)")
	c.Flags.Float64Var(&f.step, "step", 0, "step size t (default: the layer's)")
	c.ResultFolder(&f.out, "", "the `folder` to write page, numbers and plots to (default: none)")
	if err := c.Parse(traceHelp); err != nil {
		return err
	}
	if err := f.check(c); err != nil {
		return err
	}
	t, err := newTrace(c, f)
	if err != nil {
		return err
	}
	if f.out != "" { // now rather than after the work, if it cannot be done
		if err := os.MkdirAll(f.out, 0o755); err != nil {
			return fmt.Errorf("-out: %w", err)
		}
	}
	if err := t.run(c, f); err != nil {
		return err
	}
	fmt.Fprint(c.Stdout, t.page())
	if f.out != "" {
		if err := t.write(c, f.out); err != nil {
			return err
		}
	}
	if !cli.Finite(t.problem.A.Atoms.Data...) || !cli.Finite(t.problem.X.Data...) {
		return fmt.Errorf("%s: %w", t.layer, cli.ErrNotFinite)
	}
	return nil
}

func (f traceFlags) check(c *cli.Call) error {
	for name, value := range map[string]float64{"gap": f.gap, "lambda": f.lambda, "mu": f.mu} {
		if !(value >= 0 && value <= maxTraceWeight) {
			return fmt.Errorf("-%s: %g is not between 0 and %g", name, value, float64(maxTraceWeight))
		}
	}
	if c.Given("step") && !(f.step > 0 && f.step <= maxTraceWeight) {
		return fmt.Errorf("-step: %g is not positive, or above %g", f.step, float64(maxTraceWeight))
	}
	if f.iterations < 1 || f.iterations > maxTraceIterations {
		return fmt.Errorf("-iterations: %d is not between 1 and %d", f.iterations, maxTraceIterations)
	}
	for i, name := range strings.Split(f.solvers, ",") {
		if _, err := findTraced(name); err != nil {
			return err
		}
		if slices.Contains(strings.Split(f.solvers, ",")[:i], name) {
			return fmt.Errorf("-solver: %s is named twice", name)
		}
	}
	return nil
}

// The greatest values of flags: a longer table is too long to read, and a larger weight or step is a typing
// error.
const (
	maxTraceIterations = 100_000
	maxTraceWeight     = 1e9
)

// trace is the problem of a layer, and the iterates of solvers.
type trace struct {
	network, checkpoint, layer string
	image, label               string
	problem                    *solve.Problem[float64]
	iterations                 int // of the layer in its network
	step                       float64
	lambdaK, factor            float64 // step = factor 0.9/lambdaK; lambdaK is 0 for a step that was given
	mean, std                  [3]float64
	stem                       bool // whether the signal is the image
	runs                       []solverRun
}

// solverRun is the records of a solver.
type solverRun struct {
	tracedSolver
	records []solve.Record
	reason  solve.Reason
	shown   []iterate // the iterates that are drawn; of the first solver only
}

// iterate is the code after iteration k.
type iterate struct {
	k int
	z *tensor.Tensor[float64]
}

// newTrace loads the network and computes the layer's signal.
func newTrace(c *cli.Call, f traceFlags) (*trace, error) {
	file, err := cli.OpenCheckpoint(c, f.checkpoint)
	if err != nil {
		return nil, err
	}
	loaded, config, err := training.LoadNetwork[float64](file)
	if err != nil {
		return nil, err
	}
	net := loaded.Evaluable()
	l, err := findLayer(net, f.layer)
	if err != nil {
		return nil, err
	}
	about, err := training.DescribeImages(file, config)
	if err != nil {
		return nil, err
	}
	set, normalise, err := f.open(c, net, about)
	if err != nil {
		return nil, err
	}
	image, label, err := normalise.image(set, f.image)
	if err != nil {
		return nil, err
	}
	t := &trace{
		network: config.Network, checkpoint: file.Path, layer: l.Name, mean: normalise.mean, std: normalise.std,
		stem:  l == net.Layers[0] && l.Weight.Shape[1] == data.Channels,
		image: fmt.Sprintf("%d of %s", f.image, set), label: label, iterations: l.Iterations,
	}
	t.setProblem(c, f, l, signalOf(net, image, l.Name))
	return t, f.fits(t)
}

// open opens the images, and checks that they are for the network and that there is one of that number.
func (f traceFlags) open(c *cli.Call, net *sdnet.Network[float64], about data.Description) (data.Images, pixels, error) {
	d, p, err := openImages(c, f.images, net, about)
	if err != nil {
		return nil, p, err
	}
	set := map[string]data.Images{"test": d.Test, "train": d.Train}[f.part]
	if set == nil {
		return nil, p, fmt.Errorf("-set: %q is neither test nor train", f.part)
	}
	if f.image < 0 || f.image >= set.Len() {
		return nil, p, fmt.Errorf("-image: %s has images 0 to %d, not %d", set, set.Len()-1, f.image)
	}
	return set, p, nil
}

// fits refuses a solver that does not support the problem, before any has begun.
func (f traceFlags) fits(t *trace) error {
	if !(t.step > 0) {
		return errors.New("the layer's step size is 0: give one by -step")
	}
	for name := range strings.SplitSeq(f.solvers, ",") {
		s, err := findTraced(name)
		if err != nil {
			return err
		}
		if err := s.with(t.step).Supports(t.problem); err != nil {
			return fmt.Errorf("-solver %s: %w; -help lists those that do", name, err)
		}
	}
	return nil
}

// setProblem makes the problem from the layer's settings and the flags.
func (t *trace) setProblem(c *cli.Call, f traceFlags, l *sdnet.CSC[float64], x *tensor.Tensor[float64]) {
	s := l.Settings
	s.Algorithm = conv.Direct // which has the smaller rounding errors
	t.step, t.factor = l.StepSize.Data[0], 1
	t.lambdaK = csc.StepShare / t.step
	if l.Penalty != nil {
		s.Lambda = l.Penalty.Data[0]
	}
	if l.StepFactor != nil {
		t.factor = l.StepFactor.Data[0]
		t.step *= t.factor
	}
	if c.Given("lambda") {
		s.Lambda = f.lambda
	}
	if c.Given("mu") {
		s.Mu = f.mu
	}
	if c.Given("step") {
		t.step, t.lambdaK = f.step, 0
	}
	t.problem = solve.FromSettings(x, l.Weight, s)
}

// run runs every solver.
func (t *trace) run(c *cli.Call, f traceFlags) error {
	names := strings.Split(f.solvers, ",")
	p := cli.NewProgress(c.Stderr, 0)
	defer p.End()
	for i, name := range names {
		s, err := findTraced(name)
		if err != nil {
			return err
		}
		solver := s.with(t.step)
		w := solverRun{tracedSolver: s}
		result := solver.Solve(t.problem, solve.Stop{RelativeGap: f.gap, Iterations: f.iterations},
			func(r solve.Record, z *tensor.Tensor[float64]) bool {
				w.records = append(w.records, r)
				if i == 0 && isDrawn(r.Iteration) {
					w.shown = append(w.shown, iterate{r.Iteration, z.Clone()})
				}
				done := (float64(i) + f.share(r)) / float64(len(names))
				p.Show(done, fmt.Sprintf("%s: iteration %d of %d, relative gap %.2g", name, r.Iteration,
					f.iterations, r.RelativeGap))
				return c.Context.Err() == nil
			})
		w.reason = result.Reason
		if c.Context.Err() != nil {
			return cli.ErrInterrupted
		}
		if last := result.Last.Iteration; i == 0 && !isDrawn(last) {
			w.shown = append(w.shown, iterate{last, result.Z})
		}
		t.runs = append(t.runs, w)
	}
	return nil
}

// share is the progress of a solver: the share of the iterations or of the gap's digits, whichever is larger.
func (f traceFlags) share(r solve.Record) float64 {
	done := float64(r.Iteration) / float64(f.iterations)
	if f.gap > 0 && f.gap < 1 && r.RelativeGap > 0 && r.RelativeGap < 1 {
		done = max(done, elementary.Log(r.RelativeGap)/elementary.Log(f.gap))
	}
	return min(1, done)
}

// isDrawn tells whether the code after iteration k is drawn: 1, 2, 5, 10, 20, 50, ...
func isDrawn(k int) bool {
	for k%10 == 0 {
		k /= 10
	}
	return k == 1 || k == 2 || k == 5
}
