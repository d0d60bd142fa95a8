package autodiff

import (
	"testing"

	"sdref/tensor"
)

// Neighbours are computed in one pass only if they read the same: otherwise each has its own step, and its
// own bits.
func TestNeighboursThatAreNoPair(t *testing.T) {
	d, other := Descent{0.25, 0.875, 0.0625}, Descent{0.25, 0.5, 0.0625}
	plainDecay := Descent{0.25, 0.875, 0}
	image := []int{2, 3, 4, 5}
	for _, c := range []struct {
		name  string
		pair  bool
		build func(in func(name string, shape ...int) *Node) []*Node
	}{
		{"velocity and weights", true, func(in func(string, ...int) *Node) []*Node {
			v := Velocity(in("v", 5), in("g", 5), in("w", 5), d)
			return []*Node{v, Nesterov(in("w", 5), in("g", 5), v, nil, d)}
		}},
		{"of other weights", false, func(in func(string, ...int) *Node) []*Node {
			v := Velocity(in("v", 5), in("g", 5), in("w", 5), d)
			return []*Node{v, Nesterov(in("w2", 5), in("g", 5), v, nil, d)}
		}},
		{"of another gradient", false, func(in func(string, ...int) *Node) []*Node {
			v := Velocity(in("v", 5), in("g", 5), in("w", 5), d)
			return []*Node{v, Nesterov(in("w", 5), in("g2", 5), v, nil, d)}
		}},
		{"of another velocity", false, func(in func(string, ...int) *Node) []*Node {
			v := Velocity(in("v", 5), in("g", 5), in("w", 5), d)
			return []*Node{v, Nesterov(in("w", 5), in("g", 5), in("v2", 5), nil, d)}
		}},
		{"of another momentum", false, func(in func(string, ...int) *Node) []*Node {
			v := Velocity(in("v", 5), in("g", 5), in("w", 5), d)
			return []*Node{v, Nesterov(in("w", 5), in("g", 5), v, nil, other)}
		}},
		{"of another decay", false, func(in func(string, ...int) *Node) []*Node {
			v := Velocity(in("v", 5), in("g", 5), in("w", 5), d)
			return []*Node{v, Nesterov(in("w", 5), in("g", 5), v, nil, plainDecay)}
		}},
		{"mean and variance", true, func(in func(string, ...int) *Node) []*Node {
			mean := Apply(channelMeanOp, nil, in("x", image...))
			return []*Node{mean, Apply(channelVarianceOp, nil, in("x", image...), mean)}
		}},
		{"variance of another value", false, func(in func(string, ...int) *Node) []*Node {
			mean := Apply(channelMeanOp, nil, in("x", image...))
			return []*Node{mean, Apply(channelVarianceOp, nil, in("x2", image...), mean)}
		}},
		{"variance about another mean", false, func(in func(string, ...int) *Node) []*Node {
			mean := Apply(channelMeanOp, nil, in("x", image...))
			return []*Node{mean, Apply(channelVarianceOp, nil, in("x", image...), in("mean", 3))}
		}},
		{"gradients of gamma and beta", true, func(in func(string, ...int) *Node) []*Node {
			dy := in("dy", image...)
			return []*Node{Apply(batchNormDGammaOp, nil, in("x", image...), dy, in("mean", 3), in("one", 3)),
				Apply(batchNormDBetaOp, nil, dy)}
		}},
		{"of another dy", false, func(in func(string, ...int) *Node) []*Node {
			dgamma := Apply(batchNormDGammaOp, nil, in("x", image...), in("dy", image...), in("mean", 3),
				in("one", 3))
			return []*Node{dgamma, Apply(batchNormDBetaOp, nil, in("dy2", image...))}
		}},
	} {
		g := NewGraph()
		outputs := c.build(func(name string, shape ...int) *Node {
			if n := g.Node(name); n != nil {
				return n
			}
			return g.Input(name, shape...)
		})
		v := drawn[float32](g, 3)
		if one := g.Node("one"); one != nil {
			v[one] = tensor.From([]float32{1, 1, 1}, 3)
		}
		want := naively(g, v)
		p := programOf[float32](outputs...)
		v.set(p)
		p.Run()
		for _, n := range outputs {
			mustEqual(t, c.name+": "+n.Name, p.Value(n), want.value[n])
		}
		if got := p.Plan.Steps[0].Pair != nil; got != c.pair {
			t.Errorf("%s: computed in one pass %t, want %t", c.name, got, c.pair)
		}
	}
}
