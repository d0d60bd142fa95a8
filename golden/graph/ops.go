package graph

// Class says how an operator rounds.
type Class int

const (
	Selection   Class = iota // copies elements: nothing is rounded
	Elementwise              // a few roundings per element
	Reduction                // sums along an axis, in the accumulator's precision
	// sums of products: what matrix units compute, with rounded inputs where a profile says so
	Contraction
)

// Op is one operator as the judge computes it, apart from package autodiff: a row of the table. in holds the
// node's inputs, in its order; y is the node's value.
type Op struct {
	Name    string
	Formula string // with the inputs in order, then the attributes
	Class   Class

	Value     func(n *Node, in []*Tensor) *Tensor
	Magnitude func(n *Node, in []*Tensor, y *Tensor) *Tensor   // see Value.Magnitude
	Spread    func(n *Node, in []*Tensor, y *Tensor) []float64 // see Value.Spread; nil for most
	Terms     func(n *Node, in []*Tensor) int                  // see Value.Terms
	Gap       func(n *Node, in []*Tensor, y *Tensor) []float64 // see Value.Gap; nil for most
}

// Ops returns the table of operators.
func Ops() []Op { return ops }

// Lookup returns the row called name, nil if there is none.
func Lookup(name string) *Op { return byName[name] }

var (
	ops    []Op
	byName = map[string]*Op{}
)

func init() {
	ops = table()
	for i := range ops {
		byName[ops[i].Name] = &ops[i]
	}
}

func table() []Op {
	return []Op{
		{Name: "analysis",
			Formula: "A*x: y[n,m,i,j] = sum w[m,c,u,v] x[n,c,i*s+u*d-p,j*s+v*d-p] (x, w; stride, " +
				"padding, dilation)",
			Class: Contraction, Value: analysis, Magnitude: ofAbsolutes(analysis), Spread: analysisSpread,
			Terms: analysisTerms},
		{Name: "synthesis",
			Formula: "A z, the adjoint of analysis (z, w; stride, padding, dilation, height, width)",
			Class:   Contraction, Value: synthesis, Magnitude: ofAbsolutes(synthesis),
			Spread: synthesisSpread, Terms: synthesisTerms},
		{Name: "filter",
			Formula: "gradient of the kernel of analysis (x, y; stride, padding, dilation, " +
				"kernel_height, kernel_width)",
			Class: Contraction, Value: filter, Magnitude: ofAbsolutes(filter), Spread: filterSpread,
			Terms: filterTerms},
		{Name: "linear", Formula: "x w' + b (x, w, b)",
			Class: Contraction, Value: linear, Magnitude: ofAbsolutes(linear), Terms: linearTerms},
		{Name: "linear_dx", Formula: "dy w (dy, w)",
			Class: Contraction, Value: linearDX, Magnitude: ofAbsolutes(linearDX), Terms: linearDXTerms},
		{Name: "linear_dw", Formula: "dy' x (dy, x)",
			Class: Contraction, Value: linearDW, Magnitude: ofAbsolutes(linearDW), Terms: linearDWTerms},
		{Name: "linear_db", Formula: "sum of dy over images (dy)",
			Class: Reduction, Value: linearDB, Magnitude: ofAbsolutes(linearDB), Terms: linearDWTerms},

		{Name: "add", Formula: "a + b + ... (a, b, ...)",
			Class: Elementwise, Value: add, Magnitude: ofAbsolutes(add), Terms: addTerms},
		{Name: "scale", Formula: "s t x (x, optional t; scale s)",
			Class: Elementwise, Value: scale, Magnitude: absolute, Terms: terms(2)},
		{Name: "bias", Formula: "x + b of each channel (x, b)",
			Class: Elementwise, Value: bias, Magnitude: biasMagnitude, Terms: terms(1)},
		{Name: "axpy", Formula: "a + s t b (a, b, optional t; scale s)",
			Class: Elementwise, Value: axpy, Magnitude: axpyMagnitude, Terms: terms(3)},
		{Name: "extrapolate", Formula: "z + r (z - z'), the momentum point (z, z'; ratio r)",
			Class: Elementwise, Value: extrapolate, Magnitude: extrapolateMagnitude, Terms: terms(5)},
		{Name: "prox",
			Formula: "soft(a u, b), a = 1/(1 + mu t), b = lambda t a; then max(., 0) if nonnegative (u, " +
				"t; lambda, mu, nonnegative)",
			Class: Elementwise, Value: prox, Magnitude: proxMagnitude, Terms: terms(7), Gap: proxGap},
		{Name: "prox_grad", Formula: "dz/(1 + mu t) where z is not 0, else 0 (z, dz, t; mu)",
			Class: Elementwise, Value: proxGrad, Magnitude: absolute, Terms: proxGradTerms},
		{Name: "relu", Formula: "max(x, 0) (x)",
			Class: Selection, Value: relu, Magnitude: absolute, Terms: terms(0), Gap: reluGap},
		{Name: "relu_grad", Formula: "dy where y > 0, else 0 (y, dy)",
			Class: Selection, Value: reluGrad, Magnitude: absolute, Terms: terms(0)},
		{Name: "gelu", Formula: "x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) (x)",
			Class: Elementwise, Value: gelu, Magnitude: geluMagnitude, Terms: terms(12)},
		{Name: "gelu_grad", Formula: "dy times the derivative of gelu at x (x, dy)",
			Class: Elementwise, Value: geluGrad, Magnitude: geluGradMagnitude, Terms: terms(20)},

		{Name: "sum_squares", Formula: "|v|^2 (v)",
			Class: Reduction, Value: sumSquares, Magnitude: absolute, Terms: sizeTerms},
		{Name: "distance", Formula: "|a - b|^2 (a, b)",
			Class: Reduction, Value: distance, Magnitude: distanceMagnitude, Terms: sizeTerms},
		{Name: "unit", Formula: "v/|v|, the norm floored at 1e-12 (v)",
			Class: Reduction, Value: unit, Magnitude: absolute, Terms: sizeTerms},
		{Name: "unit_atoms", Formula: "each w[m] divided by its norm, floored at 1e-12 (w)",
			Class: Reduction, Value: unitAtoms, Magnitude: absolute, Terms: atomTerms},
		{Name: "step", Formula: "share/s (s; share)",
			Class: Elementwise, Value: step, Magnitude: absolute, Terms: terms(2)},
		{Name: "rounds",
			Formula: "the number of the first change at most tolerance, else how many there are (change, " +
				"...; tolerance)",
			Class: Selection, Value: rounds, Magnitude: absolute, Terms: terms(0), Gap: roundsGap},

		{Name: "channel_mean", Formula: "mean of each channel (x)",
			Class: Reduction, Value: channelMean, Magnitude: ofAbsolutes(channelMean), Terms: channelTerms},
		{Name: "channel_variance", Formula: "mean of (x - mean)^2 of each channel (x, mean)",
			Class: Reduction, Value: channelVariance, Magnitude: channelVarianceMagnitude,
			Terms: channelTerms},
		{Name: "running", Formula: "(1 - m) old + m f new (old, new; momentum m, factor f)",
			Class: Elementwise, Value: running, Magnitude: ofAbsolutes(running), Terms: terms(5)},
		{Name: "batchnorm",
			Formula: "gamma (x - mean)/sqrt(var + epsilon) + beta (x, mean, var, gamma, beta; epsilon, " +
				"training)",
			Class: Elementwise, Value: batchNorm, Magnitude: batchNormMagnitude, Terms: terms(10)},
		{Name: "batchnorm_dgamma",
			Formula: "sum of dy (x - mean)/sqrt(var + epsilon) of each channel (x, dy, mean, var; epsilon)",
			Class:   Reduction, Value: batchNormDGamma, Magnitude: batchNormDGammaMagnitude,
			Terms: channelTerms},
		{Name: "batchnorm_dbeta", Formula: "sum of dy of each channel (dy)",
			Class: Reduction, Value: channelSum, Magnitude: ofAbsolutes(channelSum), Terms: channelTerms},
		{Name: "batchnorm_dx",
			Formula: "gamma i (dy - dbeta/n - (x - mean) i dgamma/n), i = 1/sqrt(var + epsilon); without " +
				"dgamma and dbeta " +
				"if not training (x, dy, mean, var, gamma, dgamma, dbeta; epsilon, training)",
			Class: Elementwise, Value: batchNormDX, Magnitude: batchNormDXMagnitude, Terms: terms(14)},

		{Name: "max_pool",
			Formula: "maximum over windows, of borders that never win (x; size, stride, padding)",
			Class:   Selection, Value: maxPool, Magnitude: absolute, Terms: terms(0)},
		{Name: "max_pool_grad",
			Formula: "dy added up at each window's first largest element (x, dy; size, stride, padding)",
			Class:   Elementwise, Value: maxPoolGrad, Magnitude: maxPoolGradMagnitude,
			Terms: maxPoolGradTerms},
		{Name: "average_pool", Formula: "mean of each channel of each image (x)",
			Class: Reduction, Value: averagePool, Magnitude: ofAbsolutes(averagePool),
			Terms: averagePoolTerms},
		{Name: "average_pool_grad", Formula: "dy/(height width) everywhere (dy; height, width)",
			Class: Elementwise, Value: averagePoolGrad, Magnitude: absolute, Terms: terms(2)},

		{Name: "cross_entropy", Formula: "mean of -log softmax(logits)[label] (logits, labels)",
			Class: Reduction, Value: crossEntropy, Magnitude: crossEntropyMagnitude,
			Terms: crossEntropyTerms},
		{Name: "cross_entropy_grad", Formula: "(softmax - onehot)/images (logits, labels)",
			Class: Elementwise, Value: crossEntropyGrad, Magnitude: crossEntropyGradMagnitude,
			Terms: crossEntropyTerms},
		{Name: "velocity", Formula: "momentum v + g + decay w (v, g, w; momentum, decay)",
			Class: Elementwise, Value: velocity, Magnitude: ofAbsolutes(velocity), Terms: terms(6)},
		{Name: "nesterov", Formula: "w - rate (g + decay w + momentum v) (w, g, v; rate, momentum, decay)",
			Class: Elementwise, Value: nesterov, Magnitude: nesterovMagnitude, Terms: terms(9)},

		{Name: "mul", Formula: "a b (a, b)",
			Class: Elementwise, Value: mul, Magnitude: absolute, Terms: terms(1)},
		{Name: "sum", Formula: "(sum of all elements)/d (x; divisor d)",
			Class: Reduction, Value: sum, Magnitude: ofAbsolutes(sum), Terms: sizeTerms},
		{Name: "sum_grad", Formula: "dy/d everywhere (dy; divisor d, axes, side0, side1, ...)",
			Class: Elementwise, Value: sumGrad, Magnitude: absolute, Terms: terms(2)},
		{Name: "exp", Formula: "e^x (x)",
			Class: Elementwise, Value: exp, Magnitude: expMagnitude, Terms: terms(4)},
		{Name: "log", Formula: "log x (x)",
			Class: Elementwise, Value: log, Magnitude: logMagnitude, Terms: terms(4)},
		{Name: "log_grad", Formula: "dy/x (x, dy)",
			Class: Elementwise, Value: logGrad, Magnitude: absolute, Terms: terms(2)},
		{Name: "one", Formula: "1 (y)",
			Class: Selection, Value: one, Magnitude: absolute, Terms: terms(0)},
	}
}
