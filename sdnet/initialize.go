package sdnet

import (
	"math"
	"strings"

	"sdref/internal/random"
	"sdref/tensor"
)

// Initialize fills the network with random weights, each tensor from a stream of its own, named like the tensor:
//
//   - CSC atoms: uniform in +-sqrt(6/fan) (He et al.), then normalised; the published layers' initialisation
//   - convolutions and the classifier's weights: uniform in +-1/sqrt(fan), and its bias too: PyTorch's default
//   - BatchNorm: gamma 1, beta 0, mean 0, variance 1
//   - power-iteration vectors: uniform in [-1, 1)
//   - lambda and the step's factor, where they are learned: the settings' lambda and 1
//
// where fan is the number of inputs of one output. Step sizes are computed.
func (n *Network[T]) Initialize(seed uint64) {
	streams := random.New(seed)
	for _, s := range n.state {
		stream := streams.Sub(s.Name)
		switch {
		case strings.HasSuffix(s.Name, ".running_var"), isNormWeight(s):
			s.Fill(1)
		case strings.HasSuffix(s.Name, ".dn.v0"):
			fill(s.Tensor, stream, 1)
		case strings.HasSuffix(s.Name, ".dn.weight"):
			fill(s.Tensor, stream, math.Sqrt(6/float64(s.Len()/s.Shape[0])))
		case len(s.Shape) > 1, s.Name == "linear.bias":
			fan := n.byName["linear.weight"].Shape[1]
			if len(s.Shape) > 1 {
				fan = s.Len() / s.Shape[0]
			}
			fill(s.Tensor, stream, 1/math.Sqrt(float64(fan)))
		default:
			s.Fill(0)
		}
	}
	for _, l := range n.Layers {
		l.ResetScalars()
	}
	n.NormalizeAtoms()
	n.UpdateSteps()
}

// isNormWeight tells BatchNorm's gamma from the convolutions' weights.
func isNormWeight[T tensor.Float](s Named[T]) bool {
	return len(s.Shape) == 1 && strings.HasSuffix(s.Name, ".weight")
}

// fill sets t to numbers uniform in [-bound, bound).
func fill[T tensor.Float](t *tensor.Tensor[T], s random.Stream, bound float64) {
	for i := range t.Data {
		t.Data[i] = T(s.Unit(uint64(i)) * bound)
	}
}
