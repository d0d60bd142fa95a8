package study

import (
	"fmt"

	"sdref/cmd/ref/internal/cli"
	"sdref/sdnet"
	"sdref/sdnet/data"
	"sdref/tensor"
)

// pixels is how a data set's images become a network's input.
type pixels struct{ mean, std [data.Channels]float64 }

// openImages opens images for a network: of CIFAR, of a folder of classes, brought to the network's size, or the drawn ones.
func openImages(c *cli.Call, where string, net *sdnet.Network[float64]) (data.Dataset, pixels, error) {
	d, _, err := cli.OpenData(c, where, net.Data.Image, c.Stderr)
	if err != nil {
		return d, pixels{}, err
	}
	if side, theirs := net.Data.Image, d.Test.Extent(); side != theirs {
		return d, pixels{}, fmt.Errorf("-data: the network is for images of %d x %d, those of %s have %d x %d", side, side, where, theirs, theirs)
	}
	return d, pixels{d.Mean, d.Std}, nil
}

// image is image i of a set as the network's input, (1, 3, H, W), and the name of its class.
func (p pixels) image(set data.Images, i int) (*tensor.Tensor[float64], string, error) {
	side := set.Extent()
	bytes := make([]byte, data.Channels*side*side)
	if err := set.Plain(bytes, i); err != nil {
		return nil, "", err
	}
	x := tensor.New[float64](1, data.Channels, side, side)
	data.NewNormaliser[float64](p.mean, p.std).Values(x.Data, bytes)
	return x, className(set, set.Label(i)), nil
}

// className is the name of a label, or its number where the set has no names.
func className(set data.Images, label int) string {
	var classes []string
	switch s := set.(type) {
	case *data.Set:
		classes = s.Classes
	case data.Cropped:
		classes = s.Classes
	case *data.Files:
		classes = s.Classes
	}
	if label < len(classes) {
		return classes[label]
	}
	return fmt.Sprintf("class %d", label)
}
