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

// openImages opens images for a network: of CIFAR or the drawn ones, normalised as these are, or of a folder of classes, which are brought
// to the network's size and normalised as about says of the images that it was trained on.
func openImages(c *cli.Call, where string, net *sdnet.Network[float64], about data.Description) (data.Dataset, pixels, error) {
	d, _, err := cli.OpenData(c, where, net.Data.Shape(), c.Stderr)
	if err != nil {
		return d, pixels{}, err
	}
	if shape, theirs := net.Data.Shape(), d.Test.Shape(); shape != theirs {
		return d, pixels{}, fmt.Errorf("-data: the network is for images of %s, those of %s have %s", data.ShapeText(shape), where, data.ShapeText(theirs))
	}
	if files, ok := d.Test.(*data.Files); ok {
		if d.Mean, d.Std = about.Mean, about.Std; net.Data.Name != "imagenet" {
			train, _ := d.Train.(*data.Files) // both are, of a folder
			d.Train, d.Test = train.WithoutMargin(), files.WithoutMargin()
		}
	}
	return d, pixels{d.Mean, d.Std}, nil
}

// image is image i of a set as the network's input, (1, channels, H, W), and the name of its class.
func (p pixels) image(set data.Images, i int) (*tensor.Tensor[float64], string, error) {
	shape := set.Shape()
	bytes := make([]byte, tensor.Size(shape[:]))
	if err := set.Plain(bytes, i); err != nil {
		return nil, "", err
	}
	x := tensor.New[float64](1, shape[0], shape[1], shape[2])
	data.NewNormaliser[float64](p.mean, p.std).Values(x.Data, bytes, shape[0])
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
