package main

import (
	"errors"
	"fmt"
	"time"

	"sdref/golden/safetensors"
	"sdref/sdnet"
	"sdref/sdnet/cifar"
	"sdref/sdnet/training"
	"sdref/tensor"
)

// runEval evaluates a checkpoint.
func runEval(c *call) error {
	checkpoint := c.flags.String("checkpoint", "", "the `file` that ref train wrote")
	images := c.flags.String("data", shapesName, "a `folder` with CIFAR-10 or CIFAR-100 in the binary layout, or \"shapes\" for the drawn images")
	part := c.flags.String("set", "test", "the images to evaluate: test or train")
	batch := c.flags.Int("batch", 100, "images per batch")
	typ := c.flags.String("type", "", "compute in float32 or float64 (default: as trained)")
	if err := c.parse("ref eval evaluates a checkpoint on images: accuracy, loss, and the share of zeros in each CSC\nlayer's codes. The result is on standard output, the progress on standard error."); err != nil {
		return err
	}
	if *checkpoint == "" {
		return errors.New("-checkpoint is missing (see ref eval -help)")
	}
	if *batch < 1 {
		return fmt.Errorf("-batch: %d images", *batch)
	}
	f, err := safetensors.Read(*checkpoint)
	if err != nil {
		return err
	}
	config, _, err := training.ReadConfig(f)
	if err != nil {
		return err
	}
	data, err := openImages(*images)
	if err != nil {
		return err
	}
	if name := training.DataName(data); name != config.Data {
		return fmt.Errorf("%s was trained on %s, -data %s is %s", *checkpoint, config.Data, *images, name)
	}
	set := map[string]*cifar.Set{"test": data.Test, "train": data.Train}[*part]
	if set == nil {
		return fmt.Errorf("-set: %q is neither test nor train", *part)
	}
	if *typ == "" {
		*typ = config.Type
	}
	switch *typ {
	case "float32":
		return evalAs[float32](c, f, data, set, *batch)
	case "float64":
		return evalAs[float64](c, f, data, set, *batch)
	}
	return fmt.Errorf("-type: %q is neither float32 nor float64", *typ)
}

func evalAs[T tensor.Float](c *call, f *safetensors.File, data *cifar.Data, set *cifar.Set, batch int) error {
	net, config, err := training.LoadNetwork[T](f)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.stdout, "%s\n%s from %s on %d images of %s\n", machine(), config.Network, f.Path, set.Len(), set.Name)
	return evaluate(c, newProgress(c.stderr, 0), net, data, set, batch)
}

// evaluate evaluates a network, weights as the optimiser left them, and prints the result.
func evaluate[T tensor.Float](c *call, p *progress, net *sdnet.Network[T], data *cifar.Data, set *cifar.Set, batch int) error {
	e := training.Evaluate(net.Evaluable(), set, data.Mean, data.Std, batch, func(e training.Evaluation) bool {
		done := float64(e.Images) / float64(set.Len())
		p.show(done, fmt.Sprintf("evaluated %d of %d images, top-1 %.2f %%, %.0f images/s", e.Images, set.Len(), 100*e.Accuracy(), float64(e.Images)/time.Since(p.start).Seconds()))
		return c.ctx.Err() == nil
	})
	p.end()
	if c.ctx.Err() != nil {
		fmt.Fprintf(c.stdout, "evaluation stopped after %d of %d images\n", e.Images, set.Len())
		return errInterrupted
	}
	fmt.Fprintf(c.stdout, "%s: top-1 %.2f %%, top-5 %.2f %%, loss %.4f on %d images\n", set.Name, 100*e.Accuracy(), 100*e.Accuracy5(), e.Loss, e.Images)
	for _, l := range e.Codes {
		fmt.Fprintf(c.stdout, "zeros in the codes of %s: %.1f %%\n", l.Layer, 100*l.ZeroShare())
	}
	return nil
}
