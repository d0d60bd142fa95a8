package study

import (
	"fmt"
	"math"
	"text/tabwriter"

	"sdref/cmd/ref/internal/cli"
	"sdref/csc"
	"sdref/csc/solve"
	"sdref/csc/spectrum"
	"sdref/sdnet"
	"sdref/sdnet/data"
	"sdref/tensor"
)

// steps compares step sizes on the input signals of a network's layers.
type steps struct {
	net     *sdnet.Network[float64]
	images  *tensor.Tensor[float64]
	title   string
	signals map[string]*tensor.Tensor[float64] // by layer
}

// newSteps reads the images; it is nil if none are to be coded.
func newSteps(c *cli.Call, f spectrumFlags, net *sdnet.Network[float64], about data.Description) (*steps, error) {
	if f.count == 0 {
		return nil, nil
	}
	d, pixels, err := openImages(c, f.images, net, about)
	if err != nil {
		return nil, err
	}
	if f.count > d.Test.Len() {
		return nil, fmt.Errorf("-images: %d of %d test images", f.count, d.Test.Len())
	}
	s := &steps{net: net.Evaluable(), title: fmt.Sprintf("%d images of %s", f.count, d.Test),
		signals: map[string]*tensor.Tensor[float64]{}}
	shape := net.Data.Shape()
	s.images = tensor.New[float64](f.count, shape[0], shape[1], shape[2])
	for i := range f.count {
		image, _, err := pixels.image(d.Test, i)
		if err != nil {
			return nil, err
		}
		copy(s.images.Row(i).Data, image.Data)
	}
	p := sdnet.NewPredictor(s.net)
	p.ObserveSignal = func(layer string, x *tensor.Tensor[float64]) { s.signals[layer] = x.Clone() }
	p.Logits(s.images)
	return s, nil
}

// codes prints how far the certified steps change the layers' codes.
func (s *steps) codes(c *cli.Call, layers []layerSpectrum) {
	fmt.Fprintf(c.Stdout, "\ncodes of %s after the network's iterations, by t and by the certified step t' "+
		"= 0.9/bound:\n\n", s.title)
	w := tabwriter.NewWriter(c.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "layer\titerations\tt\tt'\t|z' - z|/|z|\tF\tF'\tnonzeros\tnonzeros'\t")
	for _, l := range layers {
		x, set := s.signals[l.Name], l.Current()
		z, other := codeBy(l, x, l.Step()), codeBy(l, x, l.certified())
		difference := tensor.New[float64](z.Shape...)
		tensor.AddScaled(difference, other, z, -1)
		before, _, _, _ := csc.Objective(x, z, l.Weight, set)
		after, _, _, _ := csc.Objective(x, other, l.Weight, set)
		fmt.Fprintf(w, "%s\t%d\t%.5f\t%.5f\t%.2g\t%.6g\t%.6g\t%.2f %%\t%.2f %%\t\n", l.Name, l.Iterations,
			l.Step(), l.certified(), share(difference, z), before, after,
			100*float64(tensor.CountNonzero(z))/float64(z.Len()),
			100*float64(tensor.CountNonzero(other))/float64(z.Len()))
	}
	w.Flush()
}

// codeBy is the layer's code of x with the given step size.
func codeBy(l layerSpectrum, x *tensor.Tensor[float64], step float64) *tensor.Tensor[float64] {
	return csc.Solve(x, l.Weight, step, l.Current())
}

// share is |a|/|b|, 0 where both are 0.
func share(a, b *tensor.Tensor[float64]) float64 {
	if tensor.SumSquares(a) == 0 {
		return 0
	}
	return math.Sqrt(tensor.SumSquares(a) / tensor.SumSquares(b))
}

// stepShares are the step sizes tried, in units of 1/lambda_max by the Ritz value. Gradient steps converge up
// to 2, with momentum in the long run up to 4/3.
var stepShares = []float64{1, 1.5, 1.9, 2.1, 3}

// objective prints the objective of one layer, iteration by iteration, for steps of several sizes, below and
// above 1/lambda_max.
func (s *steps) objective(c *cli.Call, l layerSpectrum, iterations int) error {
	fmt.Fprintf(c.Stdout, "\nobjective F(z_k) of %s on %s; * marks a rise since the iterate before:\n\n",
		l.Name, s.title)
	w := tabwriter.NewWriter(c.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "t lambda_max\tsolver\t")
	shown := shownIterations(iterations)
	for _, k := range shown {
		fmt.Fprintf(w, "k = %d\t", k)
	}
	fmt.Fprintln(w, "rises\toutcome\t")
	problem := solve.FromSettings(s.signals[l.Name], l.Weight, l.Current())
	p := cli.NewProgress(c.Stderr, 0)
	defer p.End()
	least, low := math.Inf(1), 0.0
	var best *tensor.Tensor[float64]
	shares := append([]float64{l.Step() * l.ritz.Value}, stepShares...)
	for i, share := range shares {
		t := share / l.ritz.Value
		for _, solver := range []solve.Solver[float64]{solve.ISTA[float64]{Step: t},
			solve.FISTA[float64]{Step: t}, solve.Published[float64]{Step: t}} {
			p.Show(float64(i)/float64(len(shares)),
				fmt.Sprintf("%s with t lambda_max = %.4g", solver.Name(), share))
			row, result := objectiveRow(c, solver, problem, iterations, shown)
			if c.Context.Err() != nil {
				return cli.ErrInterrupted
			}
			if last := result.Last; last.Objective < least {
				least, best = last.Objective, result.Z
			}
			low = max(low, result.Last.Objective-result.Last.Gap)
			fmt.Fprintf(w, "%.4g\t%s\t%s\n", share, solver.Name(), row)
		}
	}
	w.Flush()
	on := spectrum.New(l.Weight, l.Height, l.Width, l.Geometry).On(best.Row(0)).Lanczos(supportVectors, 1e-6)
	fmt.Fprintf(c.Stdout, "\nthe least F is proven to lie between %.6g and %.6g; on the support of that "+
		"code, of the first image, the largest eigenvalue\n"+
		"is about %.4g: steps meet no other once the support is right, and there up to 2/%.4g = "+
		"%.3g/lambda_max descends\n",
		low, least, on.Value, on.Value, 2*l.ritz.Value/on.Value)
	return nil
}

// supportVectors is the number of Lanczos vectors: enough for three digits.
const supportVectors = 64

// shownIterations are 1, 2, 5, 10, ... up to the last.
func shownIterations(last int) (list []int) {
	for power := 1; power <= last; power *= 10 {
		for _, digit := range []int{1, 2, 5} {
			if k := digit * power; k < last {
				list = append(list, k)
			}
		}
	}
	return append(list, last)
}

// objectiveRow runs a solver and returns its cells and its result.
func objectiveRow(c *cli.Call, solver solve.Solver[float64], p *solve.Problem[float64], iterations int,
	shown []int) (string, solve.Result[float64]) {
	cells, rises := "", 0
	before := tensor.SumSquares(p.X) / 2 // the objective at z_0 = 0
	result := solver.Solve(p, solve.Stop{Iterations: iterations},
		func(r solve.Record, _ *tensor.Tensor[float64]) bool {
			mark := ""
			if r.Objective > before*(1+1e-13) { // not by rounding only
				mark = "*"
				rises++
			}
			before = r.Objective
			if len(shown) > 0 && r.Iteration == shown[0] {
				cells += fmt.Sprintf("%.5g%s\t", r.Objective, mark)
				shown = shown[1:]
			}
			return c.Context.Err() == nil
		})
	for range shown { // if the solver stopped before
		cells += "\t"
	}
	return fmt.Sprintf("%s%d\t%v\t", cells, rises, result.Reason), result
}
