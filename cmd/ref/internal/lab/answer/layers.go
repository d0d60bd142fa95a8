package answer

import (
	"fmt"

	"sdref/sdnet"
	"sdref/sdnet/attack"
	"sdref/sdnet/data"
	"sdref/sdnet/pretrained"
	"sdref/sdnet/robust"
	"sdref/sdnet/training"
)

// The trained networks: the one whose stem the layer's screens show, the one that can be inverted, and the one that recognises most.
const (
	slim       = "sdnet8_slim"
	invertible = "sdnet8_all_slim_noshortcut"
	best       = "sdnet_air_whitened"
)

// network is a trained network in float32.
type network struct {
	trained   *sdnet.Network[float32] // weights as the optimiser left them
	ready     *sdnet.Network[float32] // its Evaluable
	classes   []string
	mean, std [data.Channels]float64
	robust    *robust.Model[float32] // made when they are first needed
	attack    *attack.Model[float32]
}

// network returns the named network, which is read once.
func (l *Lab) network(name string) (*network, error) {
	if n := l.networks[name]; n != nil {
		return n, nil
	}
	if name != slim && name != invertible && name != best {
		return nil, fmt.Errorf("there is no network %.40q; there are %s, %s and %s", name, slim, invertible, best)
	}
	f, err := pretrained.Open(name)
	if err != nil {
		return nil, err
	}
	net, config, err := training.LoadNetwork[float32](f)
	if err != nil {
		return nil, err
	}
	about, err := training.DescribeImages(f, config)
	if err != nil {
		return nil, err
	}
	n := &network{trained: net, ready: net.Evaluable(), classes: about.Classes, mean: about.Mean, std: about.Std}
	if n.classes == nil {
		n.classes = data.ClassNames(config.Data)
	}
	l.networks[name] = n
	return n, nil
}

// wide returns the stem of slim in float64, as ref trace takes it.
func (l *Lab) wide() (*sdnet.CSC[float64], error) {
	if l.stem == nil {
		f, err := pretrained.Open(slim)
		if err != nil {
			return nil, err
		}
		net, _, err := training.LoadNetwork[float64](f)
		if err != nil {
			return nil, err
		}
		l.stem = net.Evaluable().Layers[0]
	}
	return l.stem, nil
}
