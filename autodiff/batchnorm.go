package autodiff

import (
	"fmt"
	"math"
	"slices"

	"sdref/internal/parallel"
	"sdref/tensor"
)

// BatchNormEpsilon is added to the variance; BatchNormMomentum is the weight of a new batch in the running statistics. Both
// are PyTorch's defaults, with which the published networks were trained.
const (
	BatchNormEpsilon  = 1e-5
	BatchNormMomentum = 0.1
)

// Norm is what a BatchNorm reads beside its signal, each of shape (C), and its settings.
type Norm struct {
	Gamma, Beta       *Node
	Mean, Variance    *Node // the running statistics
	Epsilon, Momentum float64
}

// BatchNorm returns y = gamma (x - mean)/sqrt(var + epsilon) + beta for each channel, as LAYER/y. Shapes: x, y (N, C, H, W). In
// training, mean and var (biased) are those of the batch, LAYER/mean and LAYER/var, and it also returns the running statistics
// as they are afterwards, moved towards the batch's by Momentum: LAYER/new_running_mean and LAYER/new_running_var, the variance
// unbiased (n/(n-1)); otherwise they are the running statistics. Sums are in float64. Pullbacks, with xhat =
// (x-mean)/sqrt(var+epsilon) and n = N*H*W:
//
//	dgamma = sum dy xhat,  dbeta = sum dy,
//	dx = gamma/sqrt(var+epsilon) (dy - dbeta/n - xhat dgamma/n) in training, gamma/sqrt(var+epsilon) dy otherwise.
func BatchNorm(layer string, x *Node, p Norm, training bool) (y, runningMean, runningVariance *Node) {
	a := Attrs{"epsilon": p.Epsilon}
	if !training {
		y = Apply(batchNormOp, a, x, p.Mean, p.Variance, p.Gamma, p.Beta).At(layer, 0, "y")
		return y, p.Mean, p.Variance
	}
	a["training"] = 1
	mean := Apply(channelMeanOp, nil, x).At(layer, 0, "mean")
	variance := Apply(channelVarianceOp, nil, x, mean).At(layer, 0, "var")
	n := perChannel(x.Shape)
	if n < 2 {
		panic(&ShapeError{Node: layer, Op: "batchnorm", Shapes: [][]int{x.Shape}, Why: "fewer than two values per channel have no unbiased variance"})
	}
	y = Apply(batchNormOp, a, x, mean, variance, p.Gamma, p.Beta).At(layer, 0, "y")
	move := func(old, batch *Node, factor float64, quantity string) *Node {
		return Apply(runningOp, Attrs{"momentum": p.Momentum, "factor": factor}, old, batch).At(layer, 0, quantity)
	}
	return y, move(p.Mean, mean, 1, "new_running_mean"), move(p.Variance, variance, n/(n-1), "new_running_var")
}

// perChannel is the number of elements of a channel.
func perChannel(x []int) float64 { return float64(tensor.Size(x) / max(1, x[1])) }

// channelShape is the shape (C) of an operator that reads so many values (N, C, H, W), and then values (C).
func channelShape(images int) func(n *Node) ([]int, error) {
	return func(n *Node) ([]int, error) {
		if err := n.mustHaveAxes(0, 4); err != nil {
			return nil, err
		}
		channels := n.Inputs[0].Shape[1:2]
		for i, in := range n.Inputs {
			switch {
			case i < images && !slices.Equal(in.Shape, n.Inputs[0].Shape):
				return nil, errShapes
			case i >= images && !slices.Equal(in.Shape, channels):
				return nil, fmt.Errorf("%s does not have one element per channel", in.Name)
			}
		}
		return channels, nil
	}
}

// normShape is the shape of the first input, for operators that read as much.
func normShape(images int) func(n *Node) ([]int, error) {
	return func(n *Node) ([]int, error) {
		_, err := channelShape(images)(n)
		return n.Inputs[0].Shape, err
	}
}

// channelGroup is a group of neighbouring channels, first..end-1 of a shape (N, C, H, W).
type channelGroup struct {
	first, end int
	shape      []int
}

// groupElements is about how much of an image a group of channels is. A goroutine that took one channel alone through all images would
// read a small plane here and there, each from pages that the processor has not begun to fetch.
const groupElements = 4096

// eachGroup cuts the channels into groups and calls body for each.
func eachGroup(limit parallel.Limit, shape []int, body func(g channelGroup)) {
	count, plane := shape[1], shape[2]*shape[3]
	size := max(1, min(groupElements/max(1, plane), count/(2*limit.Workers(count))))
	limit.For((count+size-1)/size, func(_, i int) { body(channelGroup{i * size, min((i+1)*size, count), shape}) })
}

// eachPlane calls body for the group's planes in the order of memory, so for each channel in the order of images.
func (g channelGroup) eachPlane(body func(ch, at, end int)) {
	plane := g.shape[2] * g.shape[3]
	for n := range g.shape[0] {
		at := (n*g.shape[1] + g.first) * plane
		for ch := g.first; ch < g.end; ch++ {
			body(ch, at, at+plane)
			at += plane
		}
	}
}

// sums adds up a term of each of a channel's planes, and calls done with the sum of every channel.
func (g channelGroup) sums(term func(ch, at, end int) float64, done func(ch int, sum float64)) {
	sums := make([]float64, g.end-g.first)
	g.eachPlane(func(ch, at, end int) { sums[ch-g.first] += term(ch, at, end) })
	for i, sum := range sums {
		done(g.first+i, sum)
	}
}

var channelMeanOp = &Op{
	Name:    "channel_mean",
	Formula: "mean of each channel (x)",
	Shape:   channelShape(1),
	Wide:    true,
	Float32: Kernel[float32]{Whole: channelMean[float32]},
	Float64: Kernel[float64]{Whole: channelMean[float64]},
}

func channelMean[T tensor.Float](c *Call[T]) {
	eachGroup(c.limit(), c.In[0].Shape, func(g channelGroup) { c.setSums(g, perChannel(c.In[0].Shape)) })
}

// setSums sets a group's elements of the result to the sums of the first input, divided by n.
func (c *Call[T]) setSums(g channelGroup, n float64) {
	g.sums(func(_, at, end int) float64 { return c.set.Sum(c.In[0].Data[at:end]) }, func(ch int, sum float64) { c.Wide[ch] = sum / n })
}

var channelVarianceOp = &Op{
	Name:    "channel_variance",
	Formula: "mean of (x - mean)^2 of each channel (x, mean)",
	Shape:   channelShape(1),
	Wide:    true,
	Float32: Kernel[float32]{Whole: channelVariance[float32]},
	Float64: Kernel[float64]{Whole: channelVariance[float64]},
}

func channelVariance[T tensor.Float](c *Call[T]) {
	mean := c.Float64(1)
	eachGroup(c.limit(), c.In[0].Shape, func(g channelGroup) { c.setVariances(g, mean) })
}

// setVariances sets a group's elements of a variance, and keeps the sums of squares.
func (c *Call[T]) setVariances(g channelGroup, mean []float64) {
	n := perChannel(c.In[0].Shape)
	g.sums(func(ch, at, end int) float64 { return c.set.SumSquares(c.In[0].Data[at:end], mean[ch]) },
		func(ch int, squares float64) { c.Terms[ch], c.Wide[ch] = squares, squares/n })
}

// statisticsPair computes mean and variance group by group, so that a small batch is still in the caches for the second sum.
var statisticsPair = &Pair{First: channelMeanOp, Second: channelVarianceOp,
	Fits: func(mean, variance *Node) bool {
		return variance.Inputs[0] == mean.Inputs[0] && variance.Inputs[1] == mean
	},
	Float32: statistics[float32],
	Float64: statistics[float64],
}

func statistics[T tensor.Float](mean, variance *Call[T]) {
	eachGroup(mean.limit(), mean.In[0].Shape, func(g channelGroup) {
		mean.setSums(g, perChannel(mean.In[0].Shape))
		variance.setVariances(g, mean.Wide)
	})
}

var runningOp = &Op{
	Name:    "running",
	Formula: "(1 - m) old + m f new (old, new; momentum m, factor f)",
	Shape:   shapeOfFirst(2),
	Float32: Kernel[float32]{Whole: running[float32]},
	Float64: Kernel[float64]{Whole: running[float64]},
}

// running divides a variance's sum of squares by n - 1 itself, where it has it.
func running[T tensor.Float](c *Call[T]) {
	m, batch, terms := c.Attrs["momentum"], c.Float64(1), c.terms[1]
	for i, old := range c.In[0].Data {
		value := float64(c.Attrs["factor"] * batch[i])
		if of := c.Inputs[1]; of.Op == channelVarianceOp && terms != nil {
			value = terms[i] / (perChannel(of.Inputs[0].Shape) - 1)
		}
		c.Out.Data[i] = T(float64((1-m)*float64(old)) + float64(m*value))
	}
}

var batchNormOp = &Op{
	Name:    "batchnorm",
	Formula: "gamma (x - mean)/sqrt(var + epsilon) + beta (x, mean, var, gamma, beta; epsilon, training)",
	Shape:   normShape(1),
	Pull: func(b *Gradient, n *Node, i int, dy *Node) *Node {
		x, mean, variance, gamma := n.Inputs[0], n.Inputs[1], n.Inputs[2], n.Inputs[3]
		a := Attrs{"epsilon": n.Attrs["epsilon"], "training": n.Attrs["training"]}
		dgamma := func() *Node {
			return b.once(n, 3, func() *Node { return Apply(batchNormDGammaOp, a, x, dy, mean, variance) })
		}
		dbeta := func() *Node { return b.once(n, 4, func() *Node { return Apply(batchNormDBetaOp, nil, dy) }) }
		switch i {
		case 3:
			return dgamma()
		case 4:
			return dbeta()
		default:
			return b.For(n, i, Apply(batchNormDXOp, a, x, dy, mean, variance, gamma, dgamma(), dbeta()))
		}
	},
	Constants:  []int{1, 2},
	Float32:    Kernel[float32]{Begin: beginBatchNorm[float32], Each: batchNorm[float32]},
	Float64:    Kernel[float64]{Begin: beginBatchNorm[float64], Each: batchNorm[float64]},
	Aligned:    1,
	Overwrites: []int{0},
	Cheap:      func(*Node) bool { return true },
}

// inverse is 1/sqrt(var + epsilon) of a variance.
func (c *Call[T]) inverse(variance float64) float64 {
	return 1 / math.Sqrt(variance+c.Attrs["epsilon"])
}

// splitMean is a mean as a T and the rest of it, which T cannot hold. With m the first, x - m is exact wherever x is near the mean, so that
// gamma i (x - mean) + beta = gamma i (x - m) + (beta - gamma i rest) is as exact as x is, however large the mean.
func splitMean[T tensor.Float](mean float64) (m T, rest float64) {
	m = T(mean)
	return m, mean - float64(m)
}

// beginBatchNorm prepares mean, scale and shift of each channel.
func beginBatchNorm[T tensor.Float](c *Call[T]) {
	channels := c.Shape[1]
	s, mean, variance := c.grow(3*channels), c.Float64(1), c.Float64(2)
	for ch := range channels {
		m, rest := splitMean[T](mean[ch])
		scale := float64(c.In[3].Data[ch]) * c.inverse(variance[ch])
		s[ch], s[channels+ch], s[2*channels+ch] = m, T(scale), T(float64(c.In[4].Data[ch])-float64(scale*rest))
	}
}

func batchNorm[T tensor.Float](c *Call[T], channel, lo, hi int) {
	channels, plane := c.Shape[1], c.Shape[2]*c.Shape[3]
	part := func(k int) []T { return c.Scratch[k*channels+channel:][:(hi-lo)/plane] }
	c.set.Normalize(c.Out.Data[lo:hi], c.In[0].Data[lo:hi], part(0), part(1), part(2))
}

var batchNormDGammaOp = &Op{
	Name:    "batchnorm_dgamma",
	Formula: "sum of dy (x - mean)/sqrt(var + epsilon) of each channel (x, dy, mean, var; epsilon)",
	Shape:   channelShape(2),
	Wide:    true,
	Float32: Kernel[float32]{Whole: batchNormDGamma[float32]},
	Float64: Kernel[float64]{Whole: batchNormDGamma[float64]},
}

func batchNormDGamma[T tensor.Float](c *Call[T]) {
	x, dy, mean, variance := c.In[0].Data, c.In[1].Data, c.Float64(2), c.Float64(3)
	eachGroup(c.limit(), c.In[0].Shape, func(g channelGroup) {
		g.sums(func(ch, at, end int) float64 { return c.set.Dot(x[at:end], dy[at:end], mean[ch]) },
			func(ch int, dot float64) { c.Wide[ch] = dot * c.inverse(variance[ch]) })
	})
}

var batchNormDBetaOp = &Op{
	Name:    "batchnorm_dbeta",
	Formula: "sum of dy of each channel (dy)",
	Shape:   channelShape(1),
	Wide:    true,
	Float32: Kernel[float32]{Whole: batchNormDBeta[float32]},
	Float64: Kernel[float64]{Whole: batchNormDBeta[float64]},
}

func batchNormDBeta[T tensor.Float](c *Call[T]) {
	eachGroup(c.limit(), c.In[0].Shape, func(g channelGroup) { c.setSums(g, 1) })
}

// batchNormSumsPair computes both sums plane by plane, so that dy comes from memory once.
var batchNormSumsPair = &Pair{First: batchNormDGammaOp, Second: batchNormDBetaOp,
	Fits:    func(dgamma, dbeta *Node) bool { return dgamma.Inputs[1] == dbeta.Inputs[0] },
	Float32: batchNormSums[float32],
	Float64: batchNormSums[float64],
}

func batchNormSums[T tensor.Float](dgamma, dbeta *Call[T]) {
	x, dy, mean, variance := dgamma.In[0].Data, dgamma.In[1].Data, dgamma.Float64(2), dgamma.Float64(3)
	eachGroup(dgamma.limit(), dgamma.In[0].Shape, func(g channelGroup) {
		sums := make([]float64, g.end-g.first)
		g.sums(func(ch, at, end int) float64 {
			sums[ch-g.first] += dgamma.set.Sum(dy[at:end])
			return dgamma.set.Dot(x[at:end], dy[at:end], mean[ch])
		}, func(ch int, dot float64) {
			dgamma.Wide[ch], dbeta.Wide[ch] = dot*dgamma.inverse(variance[ch]), sums[ch-g.first]
		})
	})
}

var batchNormDXOp = &Op{
	Name: "batchnorm_dx",
	Formula: "gamma i (dy - dbeta/n - (x - mean) i dgamma/n), i = 1/sqrt(var + epsilon); without dgamma and dbeta " +
		"if not training (x, dy, mean, var, gamma, dgamma, dbeta; epsilon, training)",
	Shape:      normShape(2),
	Float32:    Kernel[float32]{Begin: beginBatchNormDX[float32], Each: batchNormDX[float32]},
	Float64:    Kernel[float64]{Begin: beginBatchNormDX[float64], Each: batchNormDX[float64]},
	Aligned:    2,
	Overwrites: []int{1},
}

// beginBatchNormDX prepares, for each channel, mean and the three factors of dx = scale dy + slope (x - mean) + shift.
func beginBatchNormDX[T tensor.Float](c *Call[T]) {
	s, mean, variance, dgamma, dbeta := c.grow(4*c.Shape[1]), c.Float64(2), c.Float64(3), c.Float64(5), c.Float64(6)
	n := perChannel(c.Shape)
	for ch := range c.Shape[1] {
		inverse := c.inverse(variance[ch])
		scale := float64(c.In[4].Data[ch]) * inverse
		var slope, shift float64
		if c.Attrs["training"] != 0 {
			slope, shift = -scale*inverse*dgamma[ch]/n, -scale*dbeta[ch]/n
		}
		m, rest := splitMean[T](mean[ch])
		s[4*ch], s[4*ch+1], s[4*ch+2], s[4*ch+3] = m, T(scale), T(slope), T(shift-float64(slope*rest))
	}
}

func batchNormDX[T tensor.Float](c *Call[T], channel, lo, hi int) {
	plane := c.Shape[2] * c.Shape[3]
	for ; lo < hi; lo, channel = lo+plane, channel+1 {
		s, end := c.Scratch[4*channel:], lo+plane
		c.set.NormalizeGrad(c.Out.Data[lo:end], c.In[0].Data[lo:end], c.In[1].Data[lo:end], s[0], s[1], s[2], s[3])
	}
}
