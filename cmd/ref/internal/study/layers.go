package study

import (
	"fmt"
	"strings"

	"sdref/sdnet"
	"sdref/tensor"
)

// findLayer is the CSC layer of that name, or the first one if the name is empty.
func findLayer(net *sdnet.Network[float64], name string) (*sdnet.CSC[float64], error) {
	var names []string
	for _, l := range net.Layers {
		if name == "" || l.Name == name {
			return l, nil
		}
		names = append(names, l.Name)
	}
	if names == nil {
		return nil, fmt.Errorf("network %s has no CSC layer", net.Name)
	}
	return nil, fmt.Errorf("-layer: network %s has no CSC layer %q; it has %s", net.Name, name,
		strings.Join(names, ", "))
}

// signalOf is the layer's input signal when the network predicts the image.
func signalOf(net *sdnet.Network[float64], image *tensor.Tensor[float64],
	layer string) (signal *tensor.Tensor[float64]) {
	p := sdnet.NewPredictor(net)
	p.ObserveSignal = func(name string, x *tensor.Tensor[float64]) {
		if name == layer {
			signal = x.Clone()
		}
	}
	p.Logits(image)
	return signal
}
