package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"sdref/internal/atomicfile"
	"sdref/sdnet"
	"sdref/sdnet/data"
	"sdref/sdnet/training"
	"sdref/tensor"
	"sdref/tensor/safetensors"
)

// evaluationBatch is the number of images that are evaluated at once.
const evaluationBatch = 100

const evalHelp = `ref eval evaluates a checkpoint on images: accuracy, loss, and the share of zeros in each CSC
layer's codes. The result is on standard output, the progress on standard error. -set held takes
the training images that the run held out. On the drawn images, which show none of the classes of
CIFAR or ImageNet, a network that was trained on those is evaluated for its codes alone. -json writes
the result, the run's configuration and epochs, and the weights' digest to a file.`

// runEval evaluates a checkpoint.
func runEval(c *call) error {
	checkpoint := c.flags.String("checkpoint", "", checkpointUsage())
	images := c.flags.String("data", shapesName, dataUsage)
	part := c.flags.String("set", "test", "the images to evaluate: test, train or held")
	batch := c.flags.Int("batch", evaluationBatch, "images per batch")
	typ := c.flags.String("type", "", "compute in float32 or float64 (default: as trained)")
	report := c.flags.String("json", "", "write the result to this `file` too")
	if err := c.parse(evalHelp); err != nil {
		return err
	}
	if *checkpoint == "" {
		return errors.New("-checkpoint is missing (see ref eval -help)")
	}
	if *batch < 1 {
		return fmt.Errorf("-batch: %d images", *batch)
	}
	f, config, err := openTrained(*checkpoint)
	if err != nil {
		return err
	}
	spec, err := config.Spec()
	if err != nil {
		return err
	}
	d, _, err := openData(c, *images, spec.Data.Image, c.stderr)
	if err != nil {
		return err
	}
	switch foreign := *images == shapesName && config.Data != shapesName; {
	case foreign && spec.Data.Image != d.Train.Extent():
		return fmt.Errorf("%s takes images of side %d, the drawn ones have %d; -data is missing", *checkpoint, spec.Data.Image, d.Train.Extent())
	case foreign: // normalised as the network was trained
		if d.Mean, d.Std, err = data.Normalisation(config.Data); err != nil {
			return fmt.Errorf("%s: %w", *checkpoint, err)
		}
	case d.Name != config.Data || d.Classes != spec.Data.Classes:
		return fmt.Errorf("%s was trained on %s of %d classes, -data %s is %s of %d", *checkpoint, config.Data, spec.Data.Classes, *images, d.Name, d.Classes)
	}
	set := map[string]data.Images{"test": d.Test, "train": d.Train}[*part]
	if *part == "held" {
		set, err = config.HeldOut(d)
	}
	if err != nil {
		return fmt.Errorf("-set held: %w", err)
	}
	if set == nil {
		return fmt.Errorf("-set: %q is neither test, train nor held", *part)
	}
	if *typ == "" {
		*typ = config.Type
	}
	switch *typ {
	case "float32":
		return evalAs[float32](c, f, d, set, *batch, *report)
	case "float64":
		return evalAs[float64](c, f, d, set, *batch, *report)
	}
	return fmt.Errorf("-type: %q is neither float32 nor float64", *typ)
}

func evalAs[T tensor.Float](c *call, f *safetensors.File, d data.Dataset, set data.Images, batch int, report string) error {
	net, config, err := training.LoadNetwork[T](f)
	if err != nil {
		return err
	}
	history, err := training.ReadHistory(f)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.stdout, "%s\n%s from %s on %d images of %s\n", machine(), config.Network, f.Path, set.Len(), set)
	e, err := evaluate(c, newProgress(c.stderr, 0), net, d, set, batch)
	if err != nil || report == "" {
		return err
	}
	r := evaluated{Configuration: config, Digest: net.Digest(), Epochs: history, Set: set.String(), Images: e.Images}
	if d.Name == net.Data.Name {
		r.Top1, r.Top5, r.Loss = e.Accuracy(), e.Accuracy5(), e.Loss
	}
	for _, l := range e.Codes {
		r.Zeros = append(r.Zeros, layerZeros{l.Layer, l.ZeroShare()})
	}
	return atomicfile.Write(report, func(w io.Writer) error {
		out := json.NewEncoder(w)
		out.SetIndent("", "  ")
		return out.Encode(r)
	})
}

// evaluated is what -json writes: a network, where it comes from, and how it does.
type evaluated struct {
	Configuration training.Config  `json:"configuration"`
	Digest        string           `json:"digest"` // SHA-256 of the weights as the optimiser left them
	Epochs        []training.Epoch `json:"epochs"`
	Set           string           `json:"set"`
	Images        int              `json:"images"`
	Top1          float64          `json:"top1,omitempty"` // shares; these and the loss are left out where the images are of other classes
	Top5          float64          `json:"top5,omitempty"`
	Loss          float64          `json:"loss,omitempty"`
	Zeros         []layerZeros     `json:"zeros"`
}

// layerZeros is the share of exact zeros in a layer's codes.
type layerZeros struct {
	Layer string  `json:"layer"`
	Share float64 `json:"share"`
}

// evaluate evaluates a network, weights as the optimiser left them, and prints the result.
func evaluate[T tensor.Float](c *call, p *progress, net *sdnet.Network[T], d data.Dataset, set data.Images, batch int) (training.Evaluation, error) {
	known := d.Name == net.Data.Name // the labels are the network's
	e := training.Evaluate(net.Evaluable(), set, d.Mean, d.Std, batch, func(e training.Evaluation) bool {
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
