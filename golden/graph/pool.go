package graph

import "sdref/tensor"

func maxPoolShape(n *Node, in [][]int) []int {
	size, stride, padding := n.int("size"), n.int("stride"), n.int("padding")
	out := func(side int) int { return (side+2*padding-size)/stride + 1 }
	return []int{in[0][0], in[0][1], out(in[0][2]), out(in[0][3])}
}

// windows calls visit with each output's index and that of the first largest element of its window.
func windows(n *Node, x *Tensor, visit func(out, winner int)) {
	size, stride, padding := n.int("size"), n.int("stride"), n.int("padding")
	h, w := x.Shape[2], x.Shape[3]
	side := maxPoolShape(n, [][]int{x.Shape})
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
	windows(n, in[0], func(out, winner int) { y.Data[out] = in[0].Data[winner] })
	return y
}

func maxPoolPull(g *Gradient, n *Node, _ int, dy string) string {
	return g.node("max_pool_grad", g.toward(n.Inputs[0], n), n.Attrs, n.Inputs[0], dy)
}

func maxPoolGrad(n *Node, in []*Tensor) *Tensor {
	dx := tensor.New[float64](in[0].Shape...)
	windows(n, in[0], func(out, winner int) { dx.Data[winner] += in[1].Data[out] })
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

func averagePoolShape(_ *Node, in [][]int) []int { return in[0][:2] }

func averagePool(n *Node, in []*Tensor) *Tensor {
	area := in[0].Shape[2] * in[0].Shape[3]
	y := tensor.New[float64](n.Shape...)
	for i := range y.Data {
		y.Data[i] = tensor.Sum(tensor.From(in[0].Data[i*area:(i+1)*area], area)) / float64(area)
	}
	return y
}

func averagePoolTerms(_ *Node, in []*Tensor) int { return in[0].Shape[2]*in[0].Shape[3] + 1 }

func averagePoolPull(g *Gradient, n *Node, _ int, dy string) string {
	x := g.shape(n.Inputs[0])
	return g.node("average_pool_grad", g.toward(n.Inputs[0], n), Attrs{"height": float64(x[2]), "width": float64(x[3])}, dy)
}

func averagePoolGradShape(n *Node, in [][]int) []int {
	return []int{in[0][0], in[0][1], n.int("height"), n.int("width")}
}

func averagePoolGrad(n *Node, in []*Tensor) *Tensor {
	dx := tensor.New[float64](n.Shape...)
	area := n.int("height") * n.int("width")
	return each(dx, func(i int) float64 { return in[0].Data[i/area] / float64(area) })
}
