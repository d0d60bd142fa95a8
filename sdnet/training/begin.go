package training

import (
	"cmp"
	"fmt"
	"strings"

	"sdref/sdnet"
	"sdref/sdnet/data"
	"sdref/sdnet/optim"
	"sdref/tensor"
)

// stemImages is the number of training images, the first ones that are trained on, whose patches tell the stem's first filters.
const stemImages = 2000

// initialize gives the network its first weights.
func (r *Run[T]) initialize() error {
	net := r.Net()
	net.Initialize(r.Seed)
	if r.Dirac {
		net.Dirac()
	}
	if !net.Whitening && r.StemAtoms == sdnet.RandomAtoms {
		return nil
	}
	shape := net.Data.Shape()
	images := newBatch[T](min(stemImages, r.Images), shape)
	pixels := make([]byte, tensor.Size(shape[:]))
	for j := range images.Shape[0] {
		if err := r.data.Train.Plain(pixels, r.trained[j]); err != nil {
			return fmt.Errorf("the stem's filters: %w", err)
		}
		r.normalise.Values(images.Row(j).Data, pixels, shape[0])
	}
	if net.Whitening {
		net.Whiten(images)
	}
	net.SetStem(r.StemAtoms, images, r.Seed)
	return nil
}

// setRates gives the optimiser the factors on the learning rates of the network's parameters, and tells it whose steps are Muon's.
func (r *Run[T]) setRates() {
	if r.BiasRate == 0 && r.StemRate == 0 && r.Muon == 0 {
		return
	}
	norms := map[string]bool{}
	for _, s := range r.Net().State() {
		if module, ok := strings.CutSuffix(s.Name, ".running_mean"); ok {
			norms[module+".bias"] = true
		}
	}
	sgd := r.Trainer.Optimizer
	sgd.MuonMomentum = cmp.Or(r.MuonMomentum, optim.MuonMomentum)
	for _, p := range r.Net().Parameters() {
		filters, stem := len(p.Shape) == 4, strings.HasPrefix(p.Name, "layer0.0.")
		factor, orthogonal := 1.0, false
		switch {
		case norms[p.Name] && r.BiasRate > 0:
			factor = r.BiasRate
		case filters && stem && r.StemRate > 0:
			factor = r.StemRate
		case filters && !stem && r.Muon > 0:
			factor, orthogonal = r.Muon/r.Rate, true
		}
		sgd.Rates, sgd.Orthogonal = append(sgd.Rates, factor), append(sgd.Orthogonal, orthogonal)
	}
}

// augmented is the training images as the configuration crops and mirrors them.
func augmented(c Config, images data.Augmented) (data.Augmented, error) {
	if c.Reflect == 0 {
		return images, nil
	}
	r, ok := images.(interface {
		Reflected(most int, alternating bool) data.Augmented
	})
	if !ok {
		return nil, fmt.Errorf("reflect: %s are cropped from larger images, and have no edges to reflect", images)
	}
	if shape := images.Shape(); c.Reflect >= min(shape[1], shape[2]) {
		return nil, fmt.Errorf("reflect: images of %s cannot be moved by %d", data.ShapeText(shape), c.Reflect)
	}
	return r.Reflected(c.Reflect, c.AlternatingFlip), nil
}

// lookAhead begins to follow the weights as they are, if the configuration asks for it.
func (r *Run[T]) lookAhead() {
	if r.Lookahead > 0 {
		r.lookahead = optim.NewLookahead(r.Lookahead, followed(r.Net()))
	}
}

// followers are what has slow weights: the parameters and BatchNorm's running statistics.
func followers[T tensor.Float](n *sdnet.Network[T]) (list []sdnet.Named[T]) {
	for _, s := range n.State() {
		if !s.Buffer || strings.Contains(s.Name, ".running_") {
			list = append(list, s)
		}
	}
	return list
}

func followed[T tensor.Float](n *sdnet.Network[T]) (list []*tensor.Tensor[T]) {
	for _, s := range followers(n) {
		list = append(list, s.Tensor)
	}
	return list
}
