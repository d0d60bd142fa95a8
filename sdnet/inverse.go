package sdnet

import (
	"fmt"
	"math"
	"slices"

	"sdref/autodiff"
	"sdref/tensor"
)

// Invert returns the input images (N, C, H, W) that the output z of a block stands for, (B.2) and (B.3): from there down to
// the stem, BatchNorm's running statistics undone and every CSC layer's code replaced by A z. stage and block count from 1;
// stage 0 is the stem. As published, BatchNorm is undone without its epsilon,
//
//	x = (y - beta)/gamma sqrt(var) + mean,
//
// or, if exact, with it: then the inverse of what BatchNorm did. It exists for networks of CSC blocks without shortcuts. A convolution that
// whitens the images before the stem is undone by least squares.
func (n *Network[T]) Invert(z *tensor.Tensor[T], stage, block int, exact bool) (*tensor.Tensor[T], error) {
	if !n.CSCStem || n.Data.Stem.Pool && !n.CSCBlocks {
		return nil, fmt.Errorf("network %s: the stem cannot be inverted", n.Name)
	}
	if stage > 0 && !n.Plain {
		return nil, fmt.Errorf("network %s: blocks with shortcuts cannot be inverted", n.Name)
	}
	if stage < 0 || stage > len(n.Blocks) || (stage > 0 && (block < 1 || block > n.Blocks[stage-1])) {
		return nil, fmt.Errorf("network %s: there is no block %d in stage %d", n.Name, block, stage)
	}
	f := n.Graph(Options{Images: 1})
	var out *autodiff.Node
	for _, m := range f.Marks {
		if m.Name == blockOutput(stage, block) {
			out = m.Node
		}
	}
	if len(z.Shape) != 4 || !slices.Equal(z.Shape[1:], out.Shape[1:]) {
		panic(&tensor.ShapeError{Op: "sdnet.Invert (output, channels and size)", Shapes: [][]int{z.Shape, out.Shape[1:]}})
	}
	for out != f.X { // back along the graph, a code's signal being what the code stands for
		if i := slices.IndexFunc(f.Layers, func(l FlowLayer) bool { return l.Code == out }); i >= 0 {
			z, out = n.Layers[i].Reconstruct(z), f.Layers[i].Signal
		} else if out.Inputs[1].Name == whiteningName {
			z, out = n.dewhiten(z), out.Inputs[0]
		} else {
			z, out = n.denormalise(z, out, exact), out.Inputs[0]
		}
	}
	return z, nil
}

// ParseBlock reads the name under which Predictor.Observe shows a block's output, "blockS.B".
func ParseBlock(name string) (stage, block int, ok bool) {
	_, err := fmt.Sscanf(name, "block%d.%d", &stage, &block)
	return stage, block, err == nil && name == blockOutput(stage, block)
}

// blockOutput is the inverse of ParseBlock.
func blockOutput(stage, block int) string { return fmt.Sprintf("block%d.%d", stage, block) }

// denormalise undoes a BatchNorm, the node y, with its running statistics.
func (n *Network[T]) denormalise(value *tensor.Tensor[T], y *autodiff.Node, exact bool) *tensor.Tensor[T] {
	of := func(input int) []T { return n.byName[y.Inputs[input].Name].Data }
	mean, variance, gamma, beta := of(1), of(2), of(3), of(4)
	x := tensor.New[T](value.Shape...)
	epsilon := 0.0
	if exact {
		epsilon = y.Attrs["epsilon"]
	}
	plane := value.Shape[2] * value.Shape[3]
	for i, v := range value.Data {
		c := i / plane % value.Shape[1]
		spread := math.Sqrt(float64(variance[c]) + epsilon)
		x.Data[i] = T(float64((float64(v)-float64(beta[c]))/float64(gamma[c])*spread) + float64(mean[c]))
	}
	return x
}
