// Package eval is ref eval, which evaluates a checkpoint on images, ref predict, which says what is on pictures,
// and ref describe, which lists a network's layers.
//
// It is for users who have a checkpoint, or want to know a network's size. It does not know how networks are
// trained.
package eval

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"sdref/cmd/ref/internal/cli"
	"sdref/csc"
	"sdref/sdnet"
	"sdref/sdnet/data"
	"sdref/sdnet/training"
	"sdref/tensor"
	"sdref/tensor/safetensors"
)

const evalHelp = `ref eval evaluates a checkpoint on images: accuracy, loss, and the share of zeros in each CSC
layer's codes. The result is on standard output, the progress on standard error. -set held takes
the training images that the run held out. On the drawn images, which show none of the classes of
CIFAR or ImageNet, a network that was trained on those is evaluated for its codes alone.

Labels are mapped by the names of the classes, which the checkpoint has: their folders may come in
another order, some may be missing, and images of further classes are left out. Classes by other
names are refused.

-iterations and -lambda change these of all CSC layers, which shows how far the weights depend on
what they were trained with.

-by-class adds the accuracy of each class, -confusion which class is taken for which, -worst the most
confident mistakes, -csv a line for each image. -augment shows each image in several views and takes
the mean of the probabilities. -json writes the result, with the numbers by class, the run's
configuration and epochs, and the weights' digest to a file.`

// evalFlags are the flags of ref eval.
type evalFlags struct {
	checkpoint, images, set, typ string
	batch, iterations            int
	lambda                       float64
	augment                      string
	byClass, confusion           bool
	worst                        int
	picture, csv, json           string
}

// Run evaluates a checkpoint.
func Run(c *cli.Call) error {
	var f evalFlags
	c.Flags.StringVar(&f.checkpoint, "checkpoint", "", cli.CheckpointUsage())
	c.Flags.StringVar(&f.images, "data", cli.ShapesName, cli.DataUsage)
	c.Flags.StringVar(&f.set, "set", "test", "the images to evaluate: test, train or held")
	c.Flags.IntVar(&f.batch, "batch", cli.EvaluationBatch, "images per batch")
	c.Flags.StringVar(&f.typ, "type", "", "compute in float32 or float64 (default: as trained)")
	c.Flags.IntVar(&f.iterations, "iterations", 0, "FISTA iterations of each CSC layer (0: as trained)")
	c.Flags.Float64Var(&f.lambda, "lambda", -1, "weight of |z|_1 in the CSC layers (below 0: as trained)")
	c.Flags.StringVar(&f.augment, "augment", "none", augmentUsage)
	c.Flags.BoolVar(&f.byClass, "by-class", false, "show the accuracy of each class")
	c.Flags.BoolVar(&f.confusion, "confusion", false, fmt.Sprintf("show how often each class is taken for each (of more than %d classes the most frequent mistakes)", maxMatrix))
	c.Flags.StringVar(&f.picture, "confusion-plot", "", "draw that as confusion.png, .svg and .csv into this `folder`")
	c.Flags.IntVar(&f.worst, "worst", 0, "show that `number` of mistakes, the most confident first")
	c.Flags.StringVar(&f.csv, "csv", "", "write a line for each image to this `file`: label, answer, probabilities")
	c.Flags.StringVar(&f.json, "json", "", "write the result to this `file` too")
	if err := c.Parse(evalHelp); err != nil {
		return err
	}
	switch {
	case f.checkpoint == "":
		return errors.New("-checkpoint is missing (see ref eval -help)")
	case f.batch < 1:
		return fmt.Errorf("-batch: %d images", f.batch)
	case f.iterations < 0:
		return fmt.Errorf("-iterations: %d", f.iterations)
	case math.IsNaN(f.lambda) || math.IsInf(f.lambda, 0):
		return fmt.Errorf("-lambda: %g", f.lambda)
	case f.worst < 0:
		return fmt.Errorf("-worst: %d images", f.worst)
	}
	if _, err := viewsOf(f.augment); err != nil {
		return err
	}
	file, config, err := cli.OpenTrained(c, f.checkpoint)
	if err != nil {
		return err
	}
	d, err := cli.OpenFor(c, f.images, file, config, c.Stderr)
	if err != nil {
		return err
	}
	set, err := f.choose(d, config)
	if err != nil {
		return err
	}
	if f.typ == "" {
		f.typ = config.Type
	}
	if err := cli.CheckType(f.typ); err != nil {
		return err
	}
	return cli.ByType(f.typ, evalAs[float32], evalAs[float64])(c, f, file, d, set)
}

// choose is the images that -set asks for.
func (f evalFlags) choose(d *cli.NetworkImages, config training.Config) (set data.Images, err error) {
	spec, err := config.Spec()
	if err != nil {
		return nil, err
	}
	if shape := d.Train.Shape(); shape != spec.Data.Shape() {
		return nil, fmt.Errorf("%s takes images of %s, the drawn ones have %s; -data is missing", f.checkpoint, data.ShapeText(spec.Data.Shape()), data.ShapeText(shape))
	}
	switch f.set {
	case "test":
		if set = d.Test; set.Len() == 0 {
			return nil, fmt.Errorf("%s; -set train evaluates the others", set)
		}
	case "train":
		if set = d.Train; set.Len() == 0 {
			return nil, errors.New(set.String())
		}
	case "held":
		if set, err = d.Held(); err != nil {
			return nil, fmt.Errorf("-set held: %w", err)
		}
	default:
		return nil, fmt.Errorf("-set: %q is neither test, train nor held", f.set)
	}
	return set, nil
}

// change makes the CSC layers as the flags have them.
func (f evalFlags) change(s *sdnet.Spec) {
	if f.iterations > 0 {
		s.CSC.Iterations = f.iterations
	}
	if f.lambda >= 0 {
		s.CSC.Lambda = f.lambda
	}
}

const augmentUsage = "average the probabilities over `views` of each image: none (as it is), flips (and mirrored), shifts (and by 2 pixels up, down, left, right), both (all of these and mirrored), or crops (by a pixel to two corners, edges reflected, and mirrored)"

// viewsOf is the views of a value of -augment.
func viewsOf(name string) ([]data.View, error) {
	switch name {
	case "none":
		return nil, nil
	case "flips":
		return data.Flips, nil
	case "shifts":
		return data.Shifts, nil
	case "crops":
		return data.Crops, nil
	case "both":
		var views []data.View
		for _, v := range data.Shifts {
			views = append(views, v, data.View{Down: v.Down, Right: v.Right, Flip: true})
		}
		return views, nil
	}
	return nil, fmt.Errorf("-augment: %q is none of none, flips, shifts, both, crops", name)
}

func evalAs[T tensor.Float](c *cli.Call, f evalFlags, file *safetensors.File, d *cli.NetworkImages, set data.Images) error {
	var trained csc.Settings
	net, config, err := training.LoadNetwork[T](file, func(s *sdnet.Spec) { trained = s.CSC; f.change(s) })
	if err != nil {
		return err
	}
	if f.lambda >= 0 && net.CSC.LearnLambda {
		return fmt.Errorf("-lambda: %s has learned its lambdas, one a layer", f.checkpoint)
	}
	history, err := training.ReadHistory(file)
	if err != nil {
		return err
	}
	views, err := viewsOf(f.augment)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.Stdout, "%s\n%s from %s on %d images of %s\n", cli.Machine(), config.Network, file.Path, set.Len(), set)
	for _, note := range d.Notes {
		fmt.Fprintf(c.Stdout, "note: %s\n", note)
	}
	if f.iterations > 0 || f.lambda >= 0 {
		fmt.Fprintf(c.Stdout, "%d iterations and lambda %g; trained with %d and %g\n", net.CSC.Iterations, net.CSC.Lambda, trained.Iterations, trained.Lambda)
	}
	if len(views) > 1 {
		fmt.Fprintf(c.Stdout, "each image in %d views, the mean of their probabilities counts\n", len(views))
	}
	names := d.Names
	if !d.Known {
		names = nil
	}
	a := newAnswers(names, net.Data.Classes, set)
	v := &training.Evaluator[T]{Net: net, Mean: d.Mean, Std: d.Std, Batch: f.batch, Views: views}
	if d.Known || f.csv != "" {
		v.Answers = a.add
	}
	e, failed := cli.EvaluateBy(c, cli.NewProgress(c.Stderr, 0), v, d.Dataset, set)
	if failed != nil && !errors.Is(failed, cli.ErrNotFinite) {
		return failed
	}
	if err := a.report(c, f, d.Known); err != nil {
		return err
	}
	if f.json == "" {
		return failed
	}
	r := evaluated{Configuration: config, Digest: net.Digest(), Epochs: history, Set: set.String(), Images: e.Images, LeftOut: e.LeftOut}
	if len(views) > 1 {
		r.Augment = f.augment
	}
	if f.iterations > 0 {
		r.Iterations = f.iterations
	}
	if f.lambda >= 0 {
		r.Lambda = &f.lambda
	}
	if d.Known {
		r.Top1, r.Top5, r.Loss = e.Accuracy(), e.Accuracy5(), e.Loss
		r.Classes, r.Confusion = a.byClass(), a.matrix()
	}
	for _, l := range e.Codes {
		r.Zeros = append(r.Zeros, layerZeros{l.Layer, l.ZeroShare()})
	}
	if written := cli.WriteJSON(f.json, r); failed == nil || !errors.Is(written, cli.ErrNotFinite) && written != nil {
		return written
	}
	return failed
}

// evaluated is the file of -json: a network, its training, and its results.
type evaluated struct {
	Configuration training.Config  `json:"configuration"`
	Digest        string           `json:"digest"` // SHA-256 of the weights as the optimiser left them
	Epochs        []training.Epoch `json:"epochs"`
	Set           string           `json:"set"`
	Images        int              `json:"images"`
	LeftOut       int              `json:"left_out,omitempty"` // images that could not be read
	Augment       string           `json:"augment,omitempty"`  // the views whose probabilities were averaged
	// Iterations and Lambda are those of the evaluation, where they are not those of the configuration.
	Iterations int      `json:"iterations,omitempty"`
	Lambda     *float64 `json:"lambda,omitempty"`
	// Top1 and Top5 are shares; with the loss, they are left out if the images are of other classes.
	Top1  float64      `json:"top1,omitempty"`
	Top5  float64      `json:"top5,omitempty"`
	Loss  float64      `json:"loss,omitempty"`
	Zeros []layerZeros `json:"zeros"`
	// Classes are the results by class, and Confusion how many images of each class got each answer.
	Classes   []classResult `json:"classes,omitempty"`
	Confusion [][]int       `json:"confusion,omitempty"`
}

// layerZeros is the share of exact zeros in a layer's codes.
type layerZeros struct {
	Layer string  `json:"layer"`
	Share float64 `json:"share"`
}

// className is the name of a class, its number if it has none.
func className(names []string, label int) string {
	if label < len(names) {
		return names[label]
	}
	return fmt.Sprint(label)
}

// pad is a text filled up with spaces.
func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-len([]rune(text))))
}
