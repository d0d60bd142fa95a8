package sdnet

import (
	"fmt"
	"math"
	"slices"

	"sdref/autodiff"
	"sdref/tensor"
)

// Invert returns the input images (N, 3, H, W) that the output z of a block stands for, (B.2) and (B.3): from there down to
// the stem, BatchNorm's running statistics undone and every CSC layer's code replaced by A z. stage and block count from 1;
// stage 0 is the stem. As published, BatchNorm is undone without its epsilon,
//
//	x = (y - beta)/gamma sqrt(var) + mean,
//
// or, if exact, with it: then the inverse of what BatchNorm did. It exists for networks of CSC blocks without shortcuts.
func (n *Network[T]) Invert(z *tensor.Tensor[T], stage, block int, exact bool) (*tensor.Tensor[T], error) {
	if !n.CSCStem || n.Data.Stem.Pool && n.stemLast == nil {
		return nil, fmt.Errorf("network %s: the stem cannot be inverted", n.Name)
	}
	if stage > 0 && !n.Plain {
		return nil, fmt.Errorf("network %s: blocks with shortcuts cannot be inverted", n.Name)
	}
	if stage < 0 || stage > len(n.stages) || (stage > 0 && (block < 1 || block > len(n.stages[stage-1]))) {
		return nil, fmt.Errorf("network %s: there is no block %d in stage %d", n.Name, block, stage)
	}
	n.mustBeOutput(z, stage, block)
	for s := stage; s >= 1; s-- {
		blocks := n.stages[s-1]
		if s == stage {
			blocks = blocks[:block]
		}
		for i := len(blocks) - 1; i >= 0; i-- {
			b := blocks[i]
			z = b.conv2.layer.Reconstruct(b.bn2.invert(z, exact))
			z = b.conv1.layer.Reconstruct(b.bn1.invert(z, exact))
		}
	}
	if n.stemLast != nil {
		z = n.stemLast.layer.Reconstruct(z)
	}
	return n.stem.layer.Reconstruct(n.stemNorm.invert(z, exact)), nil
}

// mustBeOutput panics with a *tensor.ShapeError unless z (N, C, H, W) has the shape of the block's output.
func (n *Network[T]) mustBeOutput(z *tensor.Tensor[T], stage, block int) {
	out := n.stem.out
	switch {
	case stage > 0:
		out = n.stages[stage-1][block-1].conv2.out
	case n.stemLast != nil:
		out = n.stemLast.out
	}
	if len(z.Shape) != 4 || !slices.Equal(z.Shape[1:], out[:]) {
		panic(&tensor.ShapeError{Op: "sdnet.Invert (output, channels and size)", Shapes: [][]int{z.Shape, out[:]}})
	}
}

// ParseBlock reads the name under which Pass.Observe shows a block's output, "blockS.B".
func ParseBlock(name string) (stage, block int, ok bool) {
	_, err := fmt.Sscanf(name, "block%d.%d", &stage, &block)
	return stage, block, err == nil && name == blockOutput(stage, block)
}

// blockOutput is the inverse of ParseBlock.
func blockOutput(stage, block int) string { return fmt.Sprintf("block%d.%d", stage, block) }

func (b *norm[T]) invert(y *tensor.Tensor[T], exact bool) *tensor.Tensor[T] {
	x := tensor.New[T](y.Shape...)
	epsilon := 0.0
	if exact {
		epsilon = autodiff.BatchNormEpsilon
	}
	plane := y.Shape[2] * y.Shape[3]
	for i, v := range y.Data {
		c := i / plane % y.Shape[1]
		spread := math.Sqrt(float64(b.running.Var.Data[c]) + epsilon)
		x.Data[i] = T(float64((float64(v)-float64(b.beta.Data[c]))/float64(b.gamma.Data[c])*spread) + float64(b.running.Mean.Data[c]))
	}
	return x
}
