// Package eval is ref eval, which evaluates a checkpoint on images, and ref describe, which lists a network's
// layers.
//
// It is for users who have a checkpoint, or want to know a network's size. It does not know how networks are
// trained.
package eval

import (
	"errors"
	"fmt"

	"sdref/cmd/ref/internal/cli"
	"sdref/sdnet/data"
	"sdref/sdnet/training"
	"sdref/tensor"
	"sdref/tensor/safetensors"
)

const evalHelp = `ref eval evaluates a checkpoint on images: accuracy, loss, and the share of zeros in each CSC
layer's codes. The result is on standard output, the progress on standard error. -set held takes
the training images that the run held out. On the drawn images, which show none of the classes of
CIFAR or ImageNet, a network that was trained on those is evaluated for its codes alone. -json writes
the result, the run's configuration and epochs, and the weights' digest to a file.`

// Run evaluates a checkpoint.
func Run(c *cli.Call) error {
	checkpoint := c.Flags.String("checkpoint", "", cli.CheckpointUsage())
	images := c.Flags.String("data", cli.ShapesName, cli.DataUsage)
	part := c.Flags.String("set", "test", "the images to evaluate: test, train or held")
	batch := c.Flags.Int("batch", cli.EvaluationBatch, "images per batch")
	typ := c.Flags.String("type", "", "compute in float32 or float64 (default: as trained)")
	report := c.Flags.String("json", "", "write the result to this `file` too")
	if err := c.Parse(evalHelp); err != nil {
		return err
	}
	if *checkpoint == "" {
		return errors.New("-checkpoint is missing (see ref eval -help)")
	}
	if *batch < 1 {
		return fmt.Errorf("-batch: %d images", *batch)
	}
	f, config, err := cli.OpenTrained(c, *checkpoint)
	if err != nil {
		return err
	}
	spec, err := config.Spec()
	if err != nil {
		return err
	}
	d, _, err := cli.OpenData(c, *images, spec.Data.Image, c.Stderr)
	if err != nil {
		return err
	}
	switch foreign := *images == cli.ShapesName && config.Data != cli.ShapesName; {
	case foreign && spec.Data.Image != d.Train.Extent():
		return fmt.Errorf("%s takes images of side %d, the drawn ones have %d; -data is missing", *checkpoint,
			spec.Data.Image, d.Train.Extent())
	case foreign: // normalised as the network was trained
		if d.Mean, d.Std, err = data.Normalisation(config.Data); err != nil {
			return fmt.Errorf("%s: %w", *checkpoint, err)
		}
	case d.Name != config.Data || d.Classes != spec.Data.Classes:
		return fmt.Errorf("%s was trained on %s of %d classes, -data %s is %s of %d", *checkpoint,
			config.Data, spec.Data.Classes, *images, d.Name, d.Classes)
	}
	set := map[string]data.Images{"test": d.Test, "train": d.Train}[*part]
	if *part == "held" {
		set, err = config.HoldoutImages(d)
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
	if err := cli.CheckType(*typ); err != nil {
		return err
	}
	return cli.ByType(*typ, evalAs[float32], evalAs[float64])(c, f, d, set, *batch, *report)
}

func evalAs[T tensor.Float](c *cli.Call, f *safetensors.File, d data.Dataset, set data.Images, batch int,
	report string) error {
	net, config, err := training.LoadNetwork[T](f)
	if err != nil {
		return err
	}
	history, err := training.ReadHistory(f)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.Stdout, "%s\n%s from %s on %d images of %s\n", cli.Machine(), config.Network, f.Path,
		set.Len(), set)
	e, err := cli.Evaluate(c, cli.NewProgress(c.Stderr, 0), net, d, set, batch)
	if err != nil && !errors.Is(err, cli.ErrNotFinite) || report == "" {
		return err
	}
	r := evaluated{Configuration: config, Digest: net.Digest(), Epochs: history, Set: set.String(),
		Images: e.Images}
	if d.Name == net.Data.Name {
		r.Top1, r.Top5, r.Loss = e.Accuracy(), e.Accuracy5(), e.Loss
	}
	for _, l := range e.Codes {
		r.Zeros = append(r.Zeros, layerZeros{l.Layer, l.ZeroShare()})
	}
	if written := cli.WriteJSON(report, r); err == nil || !errors.Is(written, cli.ErrNotFinite) && written != nil {
		return written
	}
	return err
}

// evaluated is the file of -json: a network, its training, and its results.
type evaluated struct {
	Configuration training.Config  `json:"configuration"`
	Digest        string           `json:"digest"` // SHA-256 of the weights as the optimiser left them
	Epochs        []training.Epoch `json:"epochs"`
	Set           string           `json:"set"`
	Images        int              `json:"images"`
	// Top1 and Top5 are shares; with the loss, they are left out if the images are of other classes.
	Top1  float64      `json:"top1,omitempty"`
	Top5  float64      `json:"top5,omitempty"`
	Loss  float64      `json:"loss,omitempty"`
	Zeros []layerZeros `json:"zeros"`
}

// layerZeros is the share of exact zeros in a layer's codes.
type layerZeros struct {
	Layer string  `json:"layer"`
	Share float64 `json:"share"`
}
