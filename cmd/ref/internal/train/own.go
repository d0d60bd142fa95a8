package train

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"sdref/cmd/ref/internal/cli"
	"sdref/sdnet"
	"sdref/sdnet/data"
	"sdref/sdnet/training"
)

// specified are the flags whose values a specification has.
var specified = []string{"net", "size", "stem", "lambda", "mu", "iterations", "variant", "algorithm", "learn-lambda", "learn-step", "gradient",
	"activation", "norm-epsilon", "norm-momentum", "fixed-scale", "fixed-stem", "whitening", "atoms"}

// readOwn reads -spec, if it is given, and refuses flags that speak of the network beside a specification.
func (f *trainFlags) readOwn(c *cli.Call) error {
	if f.spec != "" {
		own, err := cli.ReadSpec(f.spec)
		if err != nil {
			return fmt.Errorf("-spec: %w", err)
		}
		f.own = &own
	}
	if f.own == nil {
		return nil
	}
	for _, name := range specified {
		if c.Given(name) {
			return fmt.Errorf("-%s: the specification of network %s says it; leave the flag out", name, f.own.Name)
		}
	}
	if f.own.Data.Image == 0 {
		return errors.New("-spec: Data.Image, the height of the images, is missing")
	}
	return nil
}

// open opens the images that the flags ask for.
func (f *trainFlags) open(c *cli.Call, extent int) (data.Dataset, []string, error) {
	if f.own != nil {
		name := f.own.Data.Name
		listed := func(d sdnet.Data) bool { return d.Name == name && name != "imagenet" }
		if data.IsFolder(f.images) && slices.ContainsFunc(sdnet.DataSets, listed) {
			return data.Dataset{}, nil, fmt.Errorf("-spec: Data.Name is %s, and %s holds folders of classes: give them another name, or none", name, f.images)
		}
		return cli.OpenToTrain(c, f.images, f.own.Data.Shape(), f.own.Data.Name, c.Stdout)
	}
	if extent < 1 { // a negative one is refused, by its name, when the configuration is complete
		extent = data.ImageNetExtent
	}
	return cli.OpenData(c, f.images, [3]int{data.Channels, extent, extent}, c.Stdout)
}

// fit completes a configuration by what the data is, for a network of one's own if there is one.
func fit(c *cli.Call, k training.Config, d data.Dataset, own *sdnet.Spec) (training.Config, error) {
	made := k.Data == d.Name // the recipe is for these images, and its number of them counts
	if own == nil {
		k.Data = d.Name
		if k.Data == "imagenet" && d.Classes != 1000 {
			k.Classes = d.Classes
		}
	} else {
		s := *own
		s.Data.Name, s.Data.Classes = cmp.Or(s.Data.Name, d.Name), cmp.Or(s.Data.Classes, d.Classes)
		k = k.For(s)
	}
	rest := d.Train.Len() - k.Holdout
	if k.Holdout > 0 && rest < 1 {
		return k, fmt.Errorf("holdout: %d of %d training images", k.Holdout, d.Train.Len())
	}
	if k.Images == 0 || !c.Given("images") && (!made || k.Images > rest) {
		k.Images = rest
	}
	k = k.Usual()
	return k, k.Check()
}
