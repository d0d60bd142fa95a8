package study

import (
	"errors"
	"fmt"
	"text/tabwriter"

	"sdref/cmd/ref/internal/cli"
	"sdref/csc"
	"sdref/csc/spectrum"
	"sdref/sdnet"
	"sdref/sdnet/data"
	"sdref/sdnet/pretrained"
	"sdref/sdnet/training"
)

const spectrumHelp = `ref spectrum shows whether the step sizes of a network's CSC layers may be trusted: whether t is
below 1/lambda_max, the largest eigenvalue of A*A, so that every gradient step descends. For each
layer it brackets lambda_max, by Lanczos' method from below and by a certified bound from above,
beside the value of the paper's power iteration, (A.4) and (A.5), that t = 0.9/lambda_K comes from.
Then it codes images with t and with the certified step, and shows for one layer how the objective
falls, or does not, with steps of several sizes. Everything is computed in float64.`

// spectrumFlags are the flags of ref spectrum.
type spectrumFlags struct {
	checkpoint, net, images, layer string
	seed                           uint64
	vectors, count, iterations     int
}

// layerSpectrum is the estimate and the bounds of a layer's largest eigenvalue.
type layerSpectrum struct {
	*sdnet.CSC[float64]
	estimate csc.Estimate // for the weights as the optimiser left them; t comes from it
	ritz     spectrum.Ritz
	bound    spectrum.Bound
}

// conclusion tells whether t < 1/lambda_max is proven, refuted or open.
func (l layerSpectrum) conclusion() string {
	switch {
	case l.Step()*l.bound.Value < 1:
		return "proven"
	case l.Step()*l.ritz.Value > 1:
		return "refuted"
	}
	return "open"
}

// certified is the step size by the published share of the certified bound.
func (l layerSpectrum) certified() float64 { return csc.StepShare / l.bound.Value }

// Spectrum shows the bounds of all layers' step sizes.
func Spectrum(c *cli.Call) error {
	var f spectrumFlags
	c.Flags.StringVar(&f.checkpoint, "checkpoint", pretrained.Prefix+"sdnet8_slim", cli.CheckpointUsage())
	c.Flags.StringVar(&f.net, "net", "",
		"instead of a checkpoint, this `network` with initial weights: "+cli.NetworkNames())
	c.Flags.Uint64Var(&f.seed, "seed", 1, "of the initial weights")
	c.Flags.IntVar(&f.vectors, "vectors", 96, "Lanczos vectors, at most")
	c.Flags.StringVar(&f.images, "data", cli.ShapesName, cli.DataUsage)
	c.Flags.IntVar(&f.count, "images", 2, "code the first `N` test images; 0: none, bounds only")
	c.Flags.StringVar(&f.layer, "layer", "",
		"the CSC layer's `name` whose objective is shown (default: the first one)")
	c.Flags.IntVar(&f.iterations, "iterations", 100, "for so many iterations")
	if err := c.Parse(spectrumHelp); err != nil {
		return err
	}
	if err := f.check(c); err != nil {
		return err
	}
	net, title, about, err := f.network(c)
	if err != nil {
		return err
	}
	shown, err := findLayer(net, f.layer)
	if err != nil {
		return err
	}
	s, err := newSteps(c, f, net, about)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.Stdout, "%s\n%s\n", cli.Machine(), title)
	layers, err := spectra(c, net, f.vectors)
	if err != nil {
		return err
	}
	printSpectra(c, layers)
	for _, l := range layers {
		if !cli.Finite(l.ritz.Value, l.bound.Value, l.Step()) {
			return fmt.Errorf("%s: %w", l.Name, cli.ErrNotFinite)
		}
	}
	if f.count == 0 {
		return nil
	}
	s.codes(c, layers)
	for _, l := range layers {
		if l.Name == shown.Name {
			return s.objective(c, l, f.iterations)
		}
	}
	return nil
}

// The greatest values of flags: more Lanczos vectors would not fit into memory, and more iterations are too
// many to read.
const (
	maxVectors            = 2000
	maxSpectrumImages     = 1000
	maxSpectrumIterations = 10_000
)

func (f spectrumFlags) check(c *cli.Call) error {
	for _, n := range []struct {
		name             string
		value, low, high int
	}{{"vectors", f.vectors, 1, maxVectors}, {"images", f.count, 0, maxSpectrumImages},
		{"iterations", f.iterations, 1, maxSpectrumIterations}} {
		if n.value < n.low || n.value > n.high {
			return fmt.Errorf("-%s: %d is not between %d and %d", n.name, n.value, n.low, n.high)
		}
	}
	if f.net != "" && c.Given("checkpoint") {
		return errors.New("-net and -checkpoint: only one of them")
	}
	return nil
}

// network is the network that the flags ask for, with unchanged weights, and its title.
func (f spectrumFlags) network(c *cli.Call) (net *sdnet.Network[float64], title string, about data.Description, err error) {
	if f.net != "" {
		spec, err := sdnet.Lookup(f.net, "cifar10")
		if err != nil {
			return nil, "", about, err
		}
		if net, err = sdnet.New[float64](spec); err != nil {
			return nil, "", about, err
		}
		net.Initialize(f.seed)
		about.Mean, about.Std, err = data.Normalisation(spec.Data.Name)
		return net, fmt.Sprintf("%s for %s with initial weights, seed %d", spec.Name, spec.Data.Name, f.seed), about, err
	}
	file, err := cli.OpenCheckpoint(c, f.checkpoint)
	if err != nil {
		return nil, "", about, err
	}
	net, config, err := training.LoadNetwork[float64](file)
	if err != nil {
		return nil, "", about, err
	}
	about, err = training.DescribeImages(file, config)
	return net, fmt.Sprintf("%s for %s from %s", config.Network, config.Data, file.Path), about, err
}

// spectra prepares the network for evaluation, as sdnet's Evaluable does, and bounds the spectra of its
// layers.
func spectra(c *cli.Call, net *sdnet.Network[float64], vectors int) (list []layerSpectrum, err error) {
	ready := net.Clone()
	estimates := ready.UpdateSteps()
	ready.NormalizeAtoms()
	p := cli.NewProgress(c.Stderr, 0)
	defer p.End()
	for i, l := range ready.Layers {
		if c.Context.Err() != nil {
			return nil, cli.ErrInterrupted
		}
		p.Show(float64(i)/float64(len(ready.Layers)),
			fmt.Sprintf("layer %d of %d, %s", i+1, len(ready.Layers), l.Name))
		o := spectrum.New(l.Weight, l.Height, l.Width, l.Geometry)
		ritz := o.Lanczos(vectors, 1e-8)
		list = append(list, layerSpectrum{l, estimates[i], ritz, o.UpperBound(ritz.Value)})
	}
	return list, nil
}

// printSpectra prints the bounds and what they prove.
func printSpectra(c *cli.Call, layers []layerSpectrum) {
	fmt.Fprint(c.Stdout, `
    lambda_K    value of the power iteration on the weights as the optimiser left them, continued from
                the saved vector, in so many rounds (+: still moving after them); t = 0.9/lambda_K
    Ritz        a value of <v, A*A v>, |v| = 1, with the atoms as they are used, of norm 1 if the layer
                asks for it: lambda_max is not below; an eigenvalue lies within +- of it
    bound       lambda_max is proven not to be above
    condition   Ritz over the smallest Ritz value: the largest over the smallest of the eigenvalues that
                are not 0 is not less

`)
	w := tabwriter.NewWriter(c.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "layer\trounds\tlambda_K\tRitz\t+-\tbound\tcondition\tt\tt Ritz\tt bound\tt < "+
		"1/lambda_max\t")
	counts := map[string]int{}
	for _, l := range layers {
		moving := ""
		if !l.estimate.Converged {
			moving = "+"
		}
		t, v := l.Step(), l.conclusion()
		counts[v]++
		fmt.Fprintf(w, "%s\t%d%s\t%.5f\t%.5f\t%.0e\t%.5f\t%.3g\t%.5f\t%.4f\t%.4f\t%s\t\n", l.Name,
			l.estimate.Rounds, moving, l.estimate.Value,
			l.ritz.Value, l.ritz.Residual, l.bound.Value, l.ritz.Value/l.ritz.Smallest, t, t*l.ritz.Value,
			t*l.bound.Value, v)
	}
	w.Flush()
	fmt.Fprintf(c.Stdout, "\nt < 1/lambda_max, which makes every gradient step a descent: proven for %d of "+
		"%d layers, refuted for %d, open for %d\n",
		counts["proven"], len(layers), counts["refuted"], counts["open"])
}
