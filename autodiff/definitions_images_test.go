package autodiff

import (
	"maps"
	"math"
)

// The definitions of operators on images.
func init() {
	maps.Copy(definitions, map[string]func(n *Node, in [][]float64) []float64{
		"channel_mean": func(n *Node, in [][]float64) []float64 {
			return perChannelSum(n, in[0],
				func(i, _ int) float64 { return in[0][i] / perChannel(n.Inputs[0].Shape) })
		},
		"channel_variance": func(n *Node, in [][]float64) []float64 {
			return perChannelSum(n, in[0], func(i, c int) float64 {
				d := in[0][i] - in[1][c]
				return d * d / perChannel(n.Inputs[0].Shape)
			})
		},
		"batchnorm": func(n *Node, in [][]float64) []float64 {
			return each(in[0], func(i int) float64 {
				c := channelOf(n.Shape, i)
				return in[3][c]*(in[0][i]-in[1][c])/math.Sqrt(in[2][c]+n.Attrs["epsilon"]) + in[4][c]
			})
		},
		"batchnorm_dgamma": func(n *Node, in [][]float64) []float64 {
			return perChannelSum(n, in[0], func(i, c int) float64 {
				return in[1][i] * (in[0][i] - in[2][c]) / math.Sqrt(in[3][c]+n.Attrs["epsilon"])
			})
		},
		"batchnorm_dbeta": func(n *Node, in [][]float64) []float64 {
			return perChannelSum(n, in[0], func(i, _ int) float64 { return in[0][i] })
		},
		"batchnorm_dx": func(n *Node, in [][]float64) []float64 {
			training, count := n.Attrs["training"], perChannel(n.Shape)
			return each(in[0], func(i int) float64 {
				c := channelOf(n.Shape, i)
				inverse := 1 / math.Sqrt(in[3][c]+n.Attrs["epsilon"])
				hat := (in[0][i] - in[2][c]) * inverse
				return in[4][c] * inverse * (in[1][i] - training*(in[6][c]+hat*in[5][c])/count)
			})
		},
		"max_pool": func(n *Node, in [][]float64) []float64 {
			out := make([]float64, 0, len(in[0]))
			winners(n, in[0], n.Inputs[0].Shape, n.Shape,
				func(_, from int) { out = append(out, in[0][from]) })
			return out
		},
		"max_pool_grad": func(n *Node, in [][]float64) []float64 {
			out := make([]float64, len(in[0]))
			winners(n, in[0], n.Shape, n.Inputs[1].Shape, func(at, from int) { out[from] += in[1][at] })
			return out
		},
		"average_pool": func(n *Node, in [][]float64) []float64 {
			out, area := make([]float64, n.Shape[0]*n.Shape[1]), len(in[0])/(n.Shape[0]*n.Shape[1])
			for i, v := range in[0] {
				out[i/area] += v / float64(area)
			}
			return out
		},
		"average_pool_grad": func(n *Node, in [][]float64) []float64 {
			area := n.Shape[2] * n.Shape[3]
			dx := make([]float64, len(in[0])*area)
			return each(dx, func(i int) float64 { return in[0][i/area] / float64(area) })
		},
		"cross_entropy": func(n *Node, in [][]float64) []float64 {
			images, classes := n.Inputs[0].Shape[0], n.Inputs[0].Shape[1]
			return []float64{total(in[1], func(i int) float64 {
				return -math.Log(softmax(in[0][i*classes:(i+1)*classes], int(in[1][i]))) / float64(images)
			})}
		},
		"cross_entropy_grad": func(n *Node, in [][]float64) []float64 {
			images, classes := n.Shape[0], n.Shape[1]
			return each(in[0], func(i int) float64 {
				image, k := i/classes, i%classes
				p := softmax(in[0][image*classes:(image+1)*classes], k)
				if k == int(in[1][image]) {
					p--
				}
				return p / float64(images)
			})
		},
	})
}

// channelOf is the channel of element i of an image.
func channelOf(shape []int, i int) int { return i / (shape[2] * shape[3]) % shape[1] }

// perChannelSum sums f over each channel of the first input.
func perChannelSum(n *Node, x []float64, f func(i, c int) float64) []float64 {
	out := make([]float64, n.Shape[0])
	for i := range x {
		c := channelOf(n.Inputs[0].Shape, i)
		out[c] += f(i, c)
	}
	return out
}

// winners calls visit for every window of a pooling, in order, with the place of its first largest element.
func winners(n *Node, x []float64, in, out []int, visit func(at, from int)) {
	size, stride, padding := n.Int("size"), n.Int("stride"), n.Int("padding")
	for at := range out[0] * out[1] * out[2] * out[3] {
		plane, i, j := at/(out[2]*out[3]), at/out[3]%out[2], at%out[3]
		best := -1
		for k := range size * size {
			row, column := i*stride-padding+k/size, j*stride-padding+k%size
			if row < 0 || row >= in[2] || column < 0 || column >= in[3] {
				continue
			}
			if from := (plane*in[2]+row)*in[3] + column; best < 0 || x[from] > x[best] {
				best = from
			}
		}
		visit(at, best)
	}
}

// softmax is element k of softmax(x).
func softmax(x []float64, k int) float64 {
	sum := 0.0
	for _, v := range x {
		sum += math.Exp(v - x[k])
	}
	return 1 / sum
}
