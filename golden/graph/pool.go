package graph

import "sdref/tensor"

// windows calls visit with each output's index, of so many as the shape side has, and that of the first
// largest element of its window.
func windows(n *Node, x *Tensor, side []int, visit func(out, winner int)) {
	size, stride, padding := n.int("size"), n.int("stride"), n.int("padding")
	h, w := x.Shape[2], x.Shape[3]
	for out := range tensor.Size(side) {
		plane, i, j := out/(side[2]*side[3]), out/side[3]%side[2], out%side[3]
		best := -1
		for a := max(0, i*stride-padding); a < min(h, i*stride-padding+size); a++ {
			for b := max(0, j*stride-padding); b < min(w, j*stride-padding+size); b++ {
				at := (plane*h+a)*w + b
				if best < 0 || x.Data[at] > x.Data[best] {
					best = at
				}
			}
		}
		visit(out, best)
	}
}

func maxPool(n *Node, in []*Tensor) *Tensor {
	y := tensor.New[float64](n.Shape...)
	windows(n, in[0], n.Shape, func(out, winner int) { y.Data[out] = in[0].Data[winner] })
	return y
}

func maxPoolGrad(n *Node, in []*Tensor) *Tensor {
	dx := tensor.New[float64](in[0].Shape...)
	windows(n, in[0], in[1].Shape, func(out, winner int) { dx.Data[winner] += in[1].Data[out] })
	return dx
}

func maxPoolGradMagnitude(n *Node, in []*Tensor, _ *Tensor) *Tensor {
	return maxPoolGrad(n, []*Tensor{in[0], absolute(nil, nil, in[1])})
}

// maxPoolGradTerms: so many windows may share a pixel, less the first, which is copied.
func maxPoolGradTerms(n *Node, _ []*Tensor) int {
	across := (n.int("size") + n.int("stride") - 1) / n.int("stride")
	return across*across - 1
}

func averagePool(n *Node, in []*Tensor) *Tensor {
	area := in[0].Shape[2] * in[0].Shape[3]
	y := tensor.New[float64](n.Shape...)
	for i := range y.Data {
		y.Data[i] = tensor.Sum(tensor.From(in[0].Data[i*area:(i+1)*area], area)) / float64(area)
	}
	return y
}

func averagePoolTerms(_ *Node, in []*Tensor) int { return in[0].Shape[2]*in[0].Shape[3] + 1 }

func averagePoolGrad(n *Node, in []*Tensor) *Tensor {
	dx := tensor.New[float64](n.Shape...)
	area := n.int("height") * n.int("width")
	return each(dx, func(i int) float64 { return in[0].Data[i/area] / float64(area) })
}
