package main

import (
	"fmt"
	"time"

	"sdref/sdnet"
	"sdref/sdnet/training"
	"sdref/tensor"
)

// evaluationBatch is the number of images that are evaluated at once.
const evaluationBatch = 100

// evaluate evaluates a network, weights as the optimiser left them, and prints the result.
func evaluate[T tensor.Float](c *call, p *progress, net *sdnet.Network[T], data training.Data, set training.Images, batch int) (training.Evaluation, error) {
	known := data.Name == net.Data.Name // the labels are the network's
	e := training.Evaluate(net.Evaluable(), set, data.Mean, data.Std, batch, func(e training.Evaluation) bool {
		top := ""
		if known {
			top = fmt.Sprintf(", top-1 %.2f %%", 100*e.Accuracy())
		}
		p.show(float64(e.Images)/float64(set.Len()), fmt.Sprintf("evaluated %d of %d images%s, %.0f images/s", e.Images, set.Len(), top, float64(e.Images)/time.Since(p.start).Seconds()))
		return c.ctx.Err() == nil
	})
	p.end()
	if e.Err != nil {
		return e, fmt.Errorf("evaluating %s: %w", set, e.Err)
	}
	if c.ctx.Err() != nil {
		fmt.Fprintf(c.stdout, "evaluation stopped after %d of %d images\n", e.Images, set.Len())
		return e, errInterrupted
	}
	if known {
		fmt.Fprintf(c.stdout, "%s: top-1 %.2f %%, top-5 %.2f %%, loss %.4f on %d images\n", set, 100*e.Accuracy(), 100*e.Accuracy5(), e.Loss, e.Images)
	} else {
		fmt.Fprintf(c.stdout, "%s: no accuracy, since these are none of the classes of %s; -data FOLDER has them\n", set, net.Data.Name)
	}
	for _, l := range e.Codes {
		fmt.Fprintf(c.stdout, "zeros in the codes of %s: %.1f %%\n", l.Layer, 100*l.ZeroShare())
	}
	return e, nil
}
