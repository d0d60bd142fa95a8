package eval

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strings"

	"sdref/cmd/ref/internal/cli"
	"sdref/internal/atomicfile"
	"sdref/sdnet"
	"sdref/sdnet/data"
	"sdref/sdnet/training"
	"sdref/tensor"
	"sdref/tensor/safetensors"
)

const predictHelp = `ref predict says what a network sees on pictures: on one, or on those in a folder and the folders in
it, of JPEG, PNG, GIF, BMP, TIFF or WebP files of any size. Each gets the classes with the largest
probabilities (of a softmax over the network's classes, which the network was not trained to doubt).

Pictures are brought to the network's size as those of its test set are by ref eval: scaled until
they cover it, or 8/7 of it for a network of a folder of classes, and the middle is taken. So for
others, as one of CIFAR, of the drawn images or of your own program, pictures of that size stay as
they are; a network of grey images sees their luminance. The predictions are on standard output or in
-out, the progress is on standard error.`

// predictFlags are the flags of ref predict.
type predictFlags struct {
	checkpoint, images, format, out string
	augment, typ                    string
	top, batch                      int
}

// Predict says what is on pictures.
func Predict(c *cli.Call) error {
	var f predictFlags
	c.Flags.StringVar(&f.checkpoint, "checkpoint", "pretrained:sdnet_air_whitened", cli.CheckpointUsage())
	c.Flags.StringVar(&f.images, "images", "", cli.PicturesUsage)
	c.Flags.IntVar(&f.top, "top", 5, "show that `number` of classes")
	c.Flags.StringVar(&f.format, "format", "text", "text, csv or json")
	c.Flags.StringVar(&f.out, "out", "", "write the predictions to this `file`, not to standard output")
	c.Flags.IntVar(&f.batch, "batch", cli.EvaluationBatch, "pictures per batch")
	c.Flags.StringVar(&f.augment, "augment", "none", augmentUsage)
	c.Flags.StringVar(&f.typ, "type", "", "compute in float32 or float64 (default: as trained)")
	if err := c.Parse(predictHelp); err != nil {
		return err
	}
	switch {
	case f.images == "":
		return errors.New("-images is missing (see ref predict -help)")
	case f.top < 1 || f.batch < 1:
		return fmt.Errorf("-top %d, -batch %d: at least 1 each", f.top, f.batch)
	case !slices.Contains([]string{"text", "csv", "json"}, f.format):
		return fmt.Errorf("-format: %q is none of text, csv and json", f.format)
	}
	if _, err := viewsOf(f.augment); err != nil {
		return err
	}
	if f.typ != "" {
		if err := cli.CheckType(f.typ); err != nil {
			return err
		}
	}
	file, config, err := cli.OpenTrained(c, f.checkpoint)
	if err != nil {
		return err
	}
	about, err := training.DescribeImages(file, config)
	if err != nil {
		return err
	}
	pictures, err := cli.OpenPictures(c, f.images, about.Shape(), config, c.Stderr)
	if err != nil {
		return err
	}
	if f.typ == "" {
		f.typ = config.Type
	}
	return cli.ByType(f.typ, predictAs[float32], predictAs[float64])(c, f, file, about, pictures)
}

// prediction is what a network says of a picture.
type prediction struct {
	File    string        `json:"file"`
	Classes []sdnet.Guess `json:"classes"` // the most probable first
}

func predictAs[T tensor.Float](c *cli.Call, f predictFlags, file *safetensors.File, about data.Description, pictures *data.Files) error {
	net, _, err := training.LoadNetwork[T](file)
	if err != nil {
		return err
	}
	views, err := viewsOf(f.augment)
	if err != nil {
		return err
	}
	p := cli.NewProgress(c.Stderr, 0)
	var list []prediction
	v := &training.Evaluator[T]{Net: net.Evaluable(), Mean: about.Mean, Std: about.Std, Batch: f.batch, Views: views}
	v.Answers = func(a training.Answer) {
		list = append(list, prediction{pictures.File(a.Image), sdnet.Top(a.Probabilities, f.top, about.Classes)})
	}
	v.Progress = func(e training.Evaluation) bool {
		done := float64(e.Images+e.LeftOut) / float64(pictures.Len())
		p.Show(done, fmt.Sprintf("%d of %d pictures", e.Images+e.LeftOut, pictures.Len()))
		return c.Context.Err() == nil
	}
	e := v.Evaluate(pictures)
	p.End()
	if e.Err != nil {
		return cli.HowToGoOn(e.Err, "ref predict with")
	}
	if err := f.write(c, list); err != nil {
		return err
	}
	c.SayPassedOver(cli.NewProgress(c.Stderr, 0))
	if c.Context.Err() != nil {
		fmt.Fprintf(c.Stderr, "stopped after %d of %d pictures, whose predictions are written\n", e.Images+e.LeftOut, pictures.Len())
		return cli.ErrInterrupted
	}
	if !finitePredictions(list) {
		return fmt.Errorf("%s: %w", file.Path, cli.ErrNotFinite)
	}
	return nil
}

func finitePredictions(list []prediction) bool {
	for _, p := range list {
		for _, g := range p.Classes {
			if !cli.Finite(g.Probability) {
				return false
			}
		}
	}
	return true
}

// write writes the predictions in the format that the flag asks for.
func (f predictFlags) write(c *cli.Call, list []prediction) error {
	text, err := map[string]func([]prediction) ([]byte, error){"text": asText, "csv": asCSV, "json": asJSON}[f.format](list)
	if err != nil {
		return err
	}
	if f.out == "" {
		_, err := c.Stdout.Write(text)
		return err
	}
	return atomicfile.WriteBytes(f.out, text)
}

// asText is a line for each picture.
func asText(list []prediction) ([]byte, error) {
	width := 0
	for _, p := range list {
		width = max(width, len([]rune(data.Shown(p.File))))
	}
	var b bytes.Buffer
	for _, p := range list {
		var shown []string
		for _, g := range p.Classes {
			shown = append(shown, fmt.Sprintf("%s %.2f %%", data.Shown(g.Class), 100*g.Probability))
		}
		fmt.Fprintf(&b, "%s  %s\n", pad(data.Shown(p.File), width), strings.Join(shown, ", "))
	}
	return b.Bytes(), nil
}

// asCSV is a line for each picture and class.
func asCSV(list []prediction) ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Write([]string{"file", "rank", "label", "class", "probability"})
	for _, p := range list {
		for i, g := range p.Classes {
			w.Write([]string{p.File, fmt.Sprint(i + 1), fmt.Sprint(g.Label), g.Class, number(g.Probability)})
		}
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

// asJSON is a list of the predictions.
func asJSON(list []prediction) ([]byte, error) {
	if list == nil {
		list = []prediction{}
	}
	text, _, err := cli.JSON(list)
	return text, err
}
