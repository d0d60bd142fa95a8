package sdnet

import (
	"fmt"

	"sdref/conv"
	"sdref/tensor"
)

// LayerInfo is a line of a network's table.
type LayerInfo struct {
	Name       string
	Kind       string // such as "CSC 3x3", "conv 3x3/2"
	Output     [3]int // channels, height, width
	Parameters int
	// MultiplyAdds per image in prediction. A CSC layer of K iterations costs K analyses and K-1 syntheses, each as much as the
	// convolution of its shape.
	MultiplyAdds int
}

// Describe lists the layers in the order in which an image meets them.
func (n *Network[T]) Describe() []LayerInfo {
	var list []LayerInfo
	add := func(f *filter[T], b *norm[T]) {
		list = append(list, f.info())
		if b != nil {
			list = append(list, LayerInfo{Name: b.name, Kind: "BatchNorm", Output: b.shape, Parameters: 2 * b.shape[0], MultiplyAdds: b.shape[0] * b.shape[1] * b.shape[2]})
		}
	}
	add(n.stem, n.stemNorm)
	if n.stemLast != nil {
		add(n.stemLast, nil)
	} else if n.Data.Stem.Pool {
		out := n.stem.out
		halve := conv.Geometry{Stride: 2, Padding: 1}
		list = append(list, LayerInfo{Name: "layer0.pool", Kind: "max-pool 3x3/2", Output: [3]int{out[0], halve.CodeSize(out[1], 3), halve.CodeSize(out[2], 3)}})
	}
	for _, stage := range n.stages {
		for _, b := range stage {
			add(b.conv1, b.bn1)
			add(b.conv2, b.bn2)
			if b.shortcut != nil {
				add(b.shortcut, b.shortcutNorm)
			}
		}
	}
	w := n.linear.weight
	return append(list, LayerInfo{Name: "linear", Kind: "linear", Output: [3]int{w.Shape[0], 1, 1}, Parameters: w.Len() + n.linear.bias.Len(), MultiplyAdds: w.Len()})
}

func (f *filter[T]) info() LayerInfo {
	info := LayerInfo{Name: f.name, Kind: "conv", Output: f.out, Parameters: f.weight.Len()}
	info.MultiplyAdds = f.weight.Len() * f.out[1] * f.out[2]
	if f.layer != nil {
		info.Name, info.Kind = f.layer.Name, "CSC"
		info.MultiplyAdds *= 2*f.layer.Iterations - 1
		for _, s := range []*tensor.Tensor[T]{f.layer.Penalty, f.layer.StepFactor} {
			if s != nil {
				info.Parameters++
			}
		}
	}
	info.Kind += fmt.Sprintf(" %dx%d", f.weight.Shape[2], f.weight.Shape[3])
	if f.Stride > 1 {
		info.Kind += fmt.Sprintf("/%d", f.Stride)
	}
	return info
}
