package official

import (
	"sdref/csc"
	"sdref/golden"
	"sdref/sdnet"
)

// Layer is what a case of kind csc_layer says of its layer.
type Layer struct {
	csc.Settings
	Height, Width int     // of the signal
	Share         float64 // of 1/lambda_max in the step
}

// ReadLayer returns the layer of a case. An error names the setting that is missing or cannot be.
func ReadLayer(c *golden.Case) (Layer, error) {
	l, err := readLayer(c)
	if err != nil {
		return Layer{}, err
	}
	return Layer{l.settings, l.height, l.width, l.share}, nil
}

// ReadNetwork returns the network of a case of kind network, and the number of its images. An error names the
// setting that is missing or cannot be.
func ReadNetwork(c *golden.Case) (spec sdnet.Spec, batch int, err error) {
	n, err := readNetwork(c)
	if err != nil {
		return spec, 0, err
	}
	return n.spec, n.batch, nil
}
