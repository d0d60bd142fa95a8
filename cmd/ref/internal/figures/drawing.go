package figures

import (
	"fmt"

	"sdref/cmd/ref/internal/cli"
	"sdref/cmd/ref/internal/figures/plot"
	"sdref/sdnet"
	"sdref/sdnet/data"
	"sdref/sdnet/figures"
	"sdref/sdnet/training"
	"sdref/tensor"
	"sdref/tensor/safetensors"
)

// missing is the reason why a figure cannot be drawn.
type missing string

func (m missing) Error() string { return string(m) }

// drawing is the network, the images and the flags from which the figures of one network are drawn.
type drawing[T tensor.Float] struct {
	c *cli.Call
	p *cli.Progress
	// share is the progress of the whole call when that part of the figure is done.
	share     func(part float64) float64
	flags     figuresFlags
	path      string
	config    training.Config
	history   []training.Epoch
	digest    string
	net       *sdnet.Network[T] // evaluable
	data      data.Dataset
	unfit     string // the reason why the images cannot be used, or empty
	normalise *data.Normaliser[T]
}

func newDrawing[T tensor.Float](c *cli.Call, p *cli.Progress, f figuresFlags,
	file *safetensors.File) (*drawing[T], error) {
	net, config, err := training.LoadNetwork[T](file)
	if err != nil {
		return nil, err
	}
	d := &drawing[T]{c: c, p: p, flags: f, path: file.Path, config: config, digest: net.Digest(),
		net: net.Evaluable()}
	if d.history, err = training.ReadHistory(file); err != nil {
		return nil, err
	}
	set, err := cli.OpenFor(c, f.images, file, config, c.Stdout)
	if err != nil {
		return nil, err
	}
	for _, note := range set.Notes {
		p.Say("note: %s", note)
	}
	d.data, d.normalise = set.Dataset, data.NewNormaliser[T](set.Mean, set.Std)
	switch shape := set.Test.Shape(); {
	case shape != net.Data.Shape():
		d.unfit = fmt.Sprintf("%s takes images of %s, %s has %s; give others by -data",
			config.Network, data.ShapeText(net.Data.Shape()), set.Test, data.ShapeText(shape))
	case set.Test.Len() == 0:
		d.unfit = set.Test.String() + " has no images"
	}
	return d, nil
}

// kind is a figure that can be asked for by name, or a few that are drawn together.
type kind struct {
	name string
	draw func() ([]plot.Figure, error)
}

func (d *drawing[T]) kinds() []kind {
	return []kind{
		{"C1", d.patches}, {"B1", d.reconstructions}, {"D1", d.codes}, {"training", d.curves},
		{"fista", d.iterates}, {"power", d.power}, {"spectrum", d.spectrum},
	}
}

func figureNames() []string {
	var names []string
	for _, k := range (*drawing[float32])(nil).kinds() {
		names = append(names, k.name)
	}
	return names
}

// images returns n test images from index from on, normalised, or fewer at the end.
func (d *drawing[T]) images(from, n int) (*tensor.Tensor[T], error) {
	if d.unfit != "" {
		return nil, missing(d.unfit)
	}
	n = min(n, d.data.Test.Len()-from)
	shape := d.data.Test.Shape()
	x, bytes := tensor.New[T](n, shape[0], shape[1], shape[2]), make([]byte, tensor.Size(shape[:]))
	for i := range n {
		if err := d.data.Test.Plain(bytes, from+i); err != nil {
			return nil, err
		}
		d.normalise.Values(x.Row(i).Data, bytes, shape[0])
	}
	return x, nil
}

// pixels is the normalisation of the images.
func (d *drawing[T]) pixels() figures.Pixels {
	return figures.Pixels{Mean: d.data.Mean, Std: d.data.Std}
}

// stem is the first CSC layer, whose signal is the image.
func (d *drawing[T]) stem() (*sdnet.CSC[T], error) {
	if !d.net.CSCStem {
		return nil, missing(d.config.Network + " has no CSC layer")
	}
	return d.net.Layers[0], nil
}
