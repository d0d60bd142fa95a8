package sdnet

import (
	"fmt"
	"slices"

	"sdref/autodiff"
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

// Describe lists the layers in the order in which an image meets them, by a walk along the graph of the network for one image.
func (s Spec) Describe() (list []LayerInfo) {
	f := s.brief()
	for _, n := range f.Nodes {
		kind := f.kind(n)
		if kind == "" {
			continue
		}
		if last := len(list) - 1; last < 0 || list[last].Name != n.Layer {
			list = append(list, LayerInfo{Name: n.Layer, Kind: kind, Parameters: f.parametersOf(n.Layer)})
		}
		info := &list[len(list)-1]
		info.MultiplyAdds += s.times(n) * tensor.Size(multiplied(n))
		if n.Op.Name != "synthesis" { // whose value is a signal
			info.Output = [3]int{1, 1, 1}
			copy(info.Output[:], n.Shape[1:])
		}
	}
	return list
}

// repeated is the first iteration of FISTA that has all that later ones have.
const repeated = 3

// brief is the graph for one image with the iterations that differ: all later ones are the same as the last of these again.
func (s Spec) brief() *Flow {
	s.CSC.Iterations = min(s.CSC.Iterations, repeated)
	return s.Graph(Options{Images: 1})
}

// times is how often a prediction computes what a node of the brief graph does.
func (s Spec) times(n *autodiff.Node) int {
	if n.Iteration == repeated {
		return 1 + s.CSC.Iterations - repeated
	}
	return 1
}

// kind is that of the layer to which a node belongs, empty for nodes that make no layer.
func (f *Flow) kind(n *autodiff.Node) string {
	switch n.Op.Name {
	case "batchnorm":
		return "BatchNorm"
	case "linear":
		return "linear"
	case "max_pool":
		return fmt.Sprintf("max-pool %dx%[1]d/%d", n.Int("size"), n.Int("stride"))
	case "analysis", "synthesis":
		name, w := "conv", n.Inputs[1].Shape
		if slices.ContainsFunc(f.Layers, func(l FlowLayer) bool { return l.Name == n.Layer }) {
			name = "CSC"
		}
		name += fmt.Sprintf(" %dx%d", w[2], w[3])
		if stride := n.Int("stride"); stride > 1 {
			name += fmt.Sprintf("/%d", stride)
		}
		return name
	}
	return ""
}

// parametersOf counts the trained numbers of a layer.
func (f *Flow) parametersOf(layer string) (count int) {
	for _, s := range f.State {
		if module, _, _ := cutLast(s.Name); module == layer && !s.Buffer {
			count += tensor.Size(s.Shape)
		}
	}
	return count
}

// cutLast cuts a name at its last dot.
func cutLast(name string) (module, quantity string, ok bool) {
	for i := len(name) - 1; i >= 0; i-- {
		if name[i] == '.' {
			return name[:i], name[i+1:], true
		}
	}
	return "", name, false
}

// multiplied is a shape with as many elements as a node takes multiply-adds.
func multiplied(n *autodiff.Node) []int {
	switch n.Op.Name {
	case "analysis": // every weight meets every pixel of the code
		return slices.Concat(n.Inputs[1].Shape, n.Shape[2:])
	case "synthesis":
		return slices.Concat(n.Inputs[1].Shape, n.Inputs[0].Shape[2:])
	case "linear":
		return n.Inputs[1].Shape
	case "batchnorm":
		return n.Shape
	}
	return []int{0}
}
