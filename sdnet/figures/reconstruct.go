package figures

import (
	"fmt"
	"slices"

	"sdref/internal/elementary"
	"sdref/sdnet"
	"sdref/tensor"
)

// Reconstruction is the input reconstructed from the output of a block, (B.2) and (B.3).
type Reconstruction[T tensor.Float] struct {
	// Block is the name in sdnet.Predictor.Observe: "block0.0", the stem, or "block1.1" and so on.
	Block            string
	Published, Exact *tensor.Tensor[T] // (N, C, H, W): BatchNorm undone without its epsilon, and with it
}

// Reconstruct predicts images x (N, C, H, W) and inverts the outputs of the named blocks, or of all that can
// be inverted if none are named. A network without such blocks, and a block that does not exist or cannot be
// inverted, is an error.
func Reconstruct[T tensor.Float](net *sdnet.Network[T], x *tensor.Tensor[T],
	blocks ...string) ([]Reconstruction[T], error) {
	outputs := map[string]*tensor.Tensor[T]{}
	p := sdnet.NewPredictor(net)
	p.Observe = func(name string, value *tensor.Tensor[T]) {
		if _, _, ok := sdnet.ParseBlock(name); ok {
			outputs[name] = value.Clone()
		}
	}
	p.Logits(x)
	if len(blocks) == 0 {
		blocks = Invertible(net)
	}
	if len(blocks) == 0 {
		return nil, fmt.Errorf("network %s: the stem cannot be inverted", net.Name)
	}
	var list []Reconstruction[T]
	for _, name := range blocks {
		stage, block, ok := sdnet.ParseBlock(name)
		if !ok || outputs[name] == nil {
			return nil, fmt.Errorf("network %s: there is no block %q", net.Name, name)
		}
		r := Reconstruction[T]{Block: name}
		var err error
		if r.Published, err = net.Invert(outputs[name], stage, block, false); err != nil {
			return nil, err
		}
		if r.Exact, err = net.Invert(outputs[name], stage, block, true); err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, nil
}

// Invertible lists the blocks whose outputs can be inverted, the stem first; none if the stem is no CSC
// layer.
func Invertible[T tensor.Float](net *sdnet.Network[T]) []string {
	if !net.CSCStem || (net.Data.Stem.Pool && !net.CSCBlocks) {
		return nil
	}
	names := []string{"block0.0"}
	if net.Plain {
		for stage, count := range net.Blocks {
			for block := range count {
				names = append(names, fmt.Sprintf("block%d.%d", stage+1, block+1))
			}
		}
	}
	return slices.Clip(names)
}

// decibels is -10 log10(v).
func decibels(v float64) float64 {
	const ln10 = 2.302585092994045684017991454684364208 // the decimal digits of log 10
	return -10 * elementary.Log(v) / ln10
}
