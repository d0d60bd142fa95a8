package cli

import (
	"fmt"
	"time"

	"sdref/sdnet"
	"sdref/sdnet/data"
	"sdref/sdnet/training"
	"sdref/tensor"
)

// EvaluationBatch is the number of images that are evaluated at once.
const EvaluationBatch = 100

// Evaluate evaluates a network, weights as the optimiser left them, and prints the result. If the loss is not
// finite the error wraps ErrNotFinite, and the evaluation is complete.
func Evaluate[T tensor.Float](c *Call, p *Progress, net *sdnet.Network[T], d data.Dataset, set data.Images, batch int) (training.Evaluation, error) {
	return EvaluateBy(c, p, &training.Evaluator[T]{Net: net, Mean: d.Mean, Std: d.Std, Batch: batch}, d, set)
}

// EvaluateBy is Evaluate by an evaluator, whose network's weights are as the optimiser left them.
func EvaluateBy[T tensor.Float](c *Call, p *Progress, v *training.Evaluator[T], d data.Dataset, set data.Images) (training.Evaluation, error) {
	net := v.Net
	known := d.Name == net.Data.Name // the labels are the network's
	v.Net = net.Evaluable()
	v.Progress = func(e training.Evaluation) bool {
		top := ""
		if known {
			top = fmt.Sprintf(", top-1 %.2f %%", 100*e.Accuracy())
		}
		p.Show(float64(e.Images)/float64(set.Len()), fmt.Sprintf("evaluated %d of %d images%s, %.0f images/s", e.Images, set.Len(), top, float64(e.Images)/time.Since(p.Start).Seconds()))
		return c.Context.Err() == nil
	}
	e := v.Evaluate(set)
	p.End()
	if e.Err != nil {
		return e, fmt.Errorf("evaluating %s: %w", set, HowToGoOn(e.Err, "ref eval with"))
	}
	if c.Context.Err() != nil {
		fmt.Fprintf(c.Stdout, "evaluation stopped after %d of %d images\n", e.Images, set.Len())
		return e, ErrInterrupted
	}
	if known {
		fmt.Fprintf(c.Stdout, "%s: top-1 %.2f %%, top-5 %.2f %%, loss %.4f on %d images\n", set, 100*e.Accuracy(), 100*e.Accuracy5(), e.Loss, e.Images)
	} else {
		fmt.Fprintf(c.Stdout, "%s: no accuracy, since these are none of the classes of %s; -data FOLDER has them\n", set, net.Data.Name)
	}
	if e.LeftOut > 0 {
		fmt.Fprintf(c.Stdout, "left out: %d images of %s, which cannot be read\n", e.LeftOut, set)
	}
	for _, l := range e.Codes {
		fmt.Fprintf(c.Stdout, "zeros in the codes of %s: %.1f %%\n", l.Layer, 100*l.ZeroShare())
	}
	if !Finite(e.Loss) {
		return e, fmt.Errorf("evaluating %s: loss %v: %w", set, e.Loss, ErrNotFinite)
	}
	return e, nil
}
