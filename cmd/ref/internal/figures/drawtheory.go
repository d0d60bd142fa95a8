package figures

import (
	"fmt"
	"slices"

	"sdref/cmd/ref/internal/cli"
	"sdref/cmd/ref/internal/figures/plot"
	"sdref/csc"
	"sdref/csc/spectrum"
	"sdref/sdnet"
	"sdref/sdnet/figures"
	"sdref/tensor"
)

// curves is the training's loss and accuracy.
func (d *drawing[T]) curves() ([]plot.Figure, error) {
	if len(d.history) == 0 {
		return nil, missing("the checkpoint tells of no completed epoch")
	}
	last := d.history[len(d.history)-1]
	header := []string{"epoch", "loss", "accuracy", "rate", "held_loss", "held_accuracy"}
	var rows [][]string
	for _, e := range d.history {
		cells := append(plot.Row(e.Epoch, e.Loss, e.Accuracy, e.Rate), "", "")
		if e.Holdout.Images > 0 {
			cells[4], cells[5] = fmt.Sprint(e.Holdout.Loss), fmt.Sprint(e.Holdout.Accuracy)
		}
		rows = append(rows, cells)
	}
	list := []plot.Figure{
		{Name: "training-loss", Title: "Loss per epoch",
			Short:   fmt.Sprintf("%.4f after epoch %d", last.Loss, last.Epoch),
			Caption: lossCaption},
		{Name: "training-accuracy", Title: "Accuracy per epoch",
			Short:   fmt.Sprintf("%.2f %% after epoch %d", 100*last.Accuracy, last.Epoch),
			Caption: accuracyCaption},
	}
	loss, accuracy := plot.LearningCurves(d.history)
	for i, chart := range []plot.Chart{loss, accuracy} {
		var err error
		if list[i].Picture, err = chart.Render(); err != nil {
			return nil, err
		}
		list[i].Header, list[i].Rows = header, rows
	}
	return list, nil
}

const (
	iteratesShown = 40   // iterations that are drawn
	iteratesLimit = 2000 // iterations after which the limit is taken
)

// iterates is FISTA on the first test image, in float64 since in float32 the gap to the limit is below
// rounding.
func (d *drawing[T]) iterates() ([]plot.Figure, error) {
	stem, err := d.stem()
	if err != nil {
		return nil, err
	}
	image, err := d.images(0, 1)
	if err != nil {
		return nil, err
	}
	l := csc.NewLayer[float64](stem.Weight.Shape[0], stem.Weight.Shape[1], stem.Weight.Shape[2], stem.Height,
		stem.Width, stem.Settings)
	copy(l.Weight.Data, tensor.Convert[float64](stem.Weight).Data)
	l.StepSize.Data[0] = float64(stem.StepSize.Data[0])
	x := tensor.Convert[float64](image)
	limit := figures.Limit(l, x, iteratesLimit)
	gap := plot.Figure{
		Name: "fista-objective", Title: "FISTA: the objective",
		Caption: fmt.Sprintf(objectiveCaption,
			limit, iteratesLimit, l.StepSize.Data[0], l.Iterations),
		Header: []string{"variant", "k", "objective", "l1_term", "fidelity_term", "nonzeros", "step_length",
			"gap"},
	}
	steps := plot.Figure{
		Name: "fista-step", Title: "FISTA: the length of the step", Header: gap.Header,
		Short:   "|z_k - z_(k-1)| per iteration",
		Caption: stepCaption,
	}
	var gaps, moves []plot.Series
	for i, v := range []csc.Variant{csc.Paper, csc.Published} {
		a := plot.Series{Name: v.String(), Color: i + 1}
		b, stop := a, plot.Series{Mark: plot.Points, Color: i + 1}
		stopMove := stop
		for _, z := range figures.Iterates(l, x, iteratesShown, v) {
			k := float64(z.K)
			a.X, a.Y = append(a.X, k), append(a.Y, z.Objective-limit)
			b.X, b.Y = append(b.X, k), append(b.Y, z.Move)
			if z.K == l.Iterations {
				stop.X, stop.Y = []float64{k}, []float64{z.Objective - limit}
				stopMove.X, stopMove.Y = []float64{k}, []float64{z.Move}
				gap.Short = fmt.Sprintf("F(z_%d) = %.5g, limit %.5g", z.K, z.Objective, limit)
			}
			gap.Rows = append(gap.Rows, plot.Row(v, z.K, z.Objective, z.Sparsity, z.Fidelity, z.Nonzeros,
				z.Move, z.Objective-limit))
		}
		gaps, moves = append(gaps, a, stop), append(moves, b, stopMove)
	}
	steps.Rows = gap.Rows
	axis := plot.Axis{Label: "iteration k"}
	if gap.Picture, err = (plot.Chart{X: axis, Y: plot.Axis{Label: "F(z_k) - F*", Log: true},
		Series: gaps}).Render(); err != nil {
		return nil, err
	}
	steps.Picture, err = plot.Chart{X: axis, Y: plot.Axis{Label: "|z_k - z_(k-1)|", Log: true},
		Series: moves}.Render()
	return []plot.Figure{gap, steps}, err
}

const (
	powerLimit     = 400 // rounds of power iteration after which the limit is taken
	powerShown     = 150 // rounds that are drawn
	maxPowerLayers = 5   // layers in one chart
)

// power is the convergence of power iteration in every CSC layer.
func (d *drawing[T]) power() ([]plot.Figure, error) {
	if _, err := d.stem(); err != nil {
		return nil, err
	}
	g := plot.Figure{
		Name: "power", Title: "Power iteration: the estimate of the largest eigenvalue",
		Caption: fmt.Sprintf(powerCaption,
			powerLimit, csc.PowerRounds, csc.PowerTolerance),
		Header: []string{"layer", "round", "estimate", "squared_change"},
	}
	var series []plot.Series
	for i, l := range d.net.Layers {
		if d.c.Context.Err() != nil {
			return nil, cli.ErrInterrupted
		}
		d.p.Show(d.share(float64(i)/float64(len(d.net.Layers))),
			fmt.Sprintf("%s: power iteration of %s", d.config.Network, l.Name))
		rounds := figures.PowerRounds(l.Layer, powerLimit)
		final := rounds[powerLimit-1].Value
		color := len(series)/2 + 1
		line, stop := plot.Series{Name: l.Name, Color: color}, plot.Series{Mark: plot.Points, Color: color}
		for k, r := range rounds[:powerShown] {
			line.X, line.Y = append(line.X, float64(k+1)), append(line.Y, 1-r.Value/final)
			g.Rows = append(g.Rows, plot.Row(l.Name, k+1, r.Value, r.Change))
		}
		at := csc.PowerRounds
		if k := slices.IndexFunc(rounds, func(r figures.Round) bool {
			return r.Change <= csc.PowerTolerance
		}); k >= 0 {
			at = min(at, k+1)
		}
		stop.X, stop.Y = []float64{float64(at)}, []float64{1 - rounds[at-1].Value/final}
		if i == 0 {
			g.Short = fmt.Sprintf("%s: %.5g after %d rounds, %.5g after %d; step size %.4g", l.Name,
				rounds[at-1].Value, at, final, powerLimit, float64(l.StepSize.Data[0]))
		}
		if len(series) < 2*maxPowerLayers {
			series = append(series, line, stop)
		}
	}
	if len(d.net.Layers) > maxPowerLayers {
		g.Caption += fmt.Sprintf(" Shown are the first %d of %d CSC layers; the CSV file has all.",
			maxPowerLayers, len(d.net.Layers))
	}
	var err error
	g.Picture, err = plot.Chart{X: plot.Axis{Label: "round"},
		Y: plot.Axis{Label: "1 - estimate/limit", Log: true}, Series: series}.Render()
	return []plot.Figure{g}, err
}

// spectrumSide is the number of frequencies in each direction.
const spectrumSide = 32

// spectrum is the stem's eigenvalues by frequency, and the singular values of its atoms.
func (d *drawing[T]) spectrum() ([]plot.Figure, error) {
	stem, err := d.stem()
	if err != nil {
		return nil, err
	}
	singular, err := d.singular(stem)
	if err != nil {
		return nil, err
	}
	if stem.Stride > 1 {
		return []plot.Figure{singular}, nil
	}
	values := spectrum.New(stem.Weight, stem.Height, stem.Width, stem.Geometry).TorusEigenvalues(spectrumSide,
		spectrumSide)
	estimate := csc.StepShare / float64(stem.StepSize.Data[0])
	g := plot.Figure{
		Name: "spectrum", Title: "The eigenvalues of A A* of the stem",
		Short: fmt.Sprintf("from %.4g to %.4g; power iteration's estimate %.4g", values[len(values)-1],
			values[0], estimate),
		Caption: fmt.Sprintf(spectrumCaption,
			spectrumSide, spectrumSide, stem.Weight.Shape[1], values[0], float64(stem.StepSize.Data[0]),
			estimate),
		Header: []string{"rank", "eigenvalue"},
	}
	line := plot.Series{Name: "eigenvalues"}
	for i, v := range values {
		line.X, line.Y = append(line.X, float64(i+1)), append(line.Y, v)
		g.Rows = append(g.Rows, plot.Row(i+1, v))
	}
	level := plot.Series{Name: "estimate 0.9/t", Mark: plot.Dashes, X: []float64{1, float64(len(values))},
		Y: []float64{estimate, estimate}}
	g.Picture, err = plot.Chart{X: plot.Axis{Label: "rank"}, Y: plot.Axis{Label: "eigenvalue", Log: true},
		Series: []plot.Series{line, level}}.Render()
	return []plot.Figure{g, singular}, err
}

// singular is the singular values of a layer's atoms as the rows of a matrix.
func (d *drawing[T]) singular(l *sdnet.CSC[T]) (plot.Figure, error) {
	values, err := figures.SingularValues(l.Weight)
	if err != nil {
		return plot.Figure{}, err
	}
	patch := l.Weight.Len() / l.Weight.Shape[0]
	g := plot.Figure{
		Name: "singular-values", Title: "The singular values of the stem's atoms",
		Short: fmt.Sprintf("%d, from %.4g to %.4g", len(values), values[0], values[len(values)-1]),
		Caption: fmt.Sprintf(singularCaption,
			l.Weight.Shape[0], patch),
		Header: []string{"rank", "singular_value"},
	}
	bars := plot.Series{Mark: plot.Bars, Width: 0.7}
	for i, v := range values {
		bars.X, bars.Y = append(bars.X, float64(i+1)), append(bars.Y, v)
		g.Rows = append(g.Rows, plot.Row(i+1, v))
	}
	g.Picture, err = plot.Chart{X: plot.Axis{Label: "rank"}, Y: plot.Axis{Label: "singular value"},
		Series: []plot.Series{bars}}.Render()
	return g, err
}
