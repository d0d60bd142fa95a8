package autodiff

import (
	"iter"
	"math"
	"slices"

	"sdref/conv"
	"sdref/internal/kernel"
	"sdref/internal/parallel"
	"sdref/tensor"
)

// Running holds BatchNorm's running statistics, one number per channel. They are buffers, not parameters: no gradient
// reaches them.
type Running[T tensor.Float] struct {
	Mean, Var *tensor.Tensor[T] // (C)
}

// BatchNormEpsilon is added to the variance; BatchNormMomentum is the weight of a new batch in the running statistics. Both
// are PyTorch's defaults, with which the published networks were trained.
const (
	BatchNormEpsilon  = 1e-5
	BatchNormMomentum = 0.1
)

// BatchNorm returns y = gamma (x - mean)/sqrt(var + epsilon) + beta for each channel. Shapes: x, y (N, C, H, W), gamma, beta
// (C). In training, mean and var (biased) are those of the batch, and the running statistics move towards them by
// BatchNormMomentum, the variance unbiased (n/(n-1)); otherwise they are the running statistics. Sums are in float64.
// Pullbacks, with xhat = (x-mean)/sqrt(var+epsilon) and n = N*H*W:
//
//	dgamma = sum dy xhat,  dbeta = sum dy,
//	dx = gamma/sqrt(var+epsilon) (dy - dbeta/n - xhat dgamma/n) in training, gamma/sqrt(var+epsilon) dy otherwise.
//
// Saves x.
func BatchNorm[T tensor.Float](x, gamma, beta *Var[T], running Running[T], training bool) *Var[T] {
	shape := x.Shape()
	if len(shape) != 4 || gamma.Value().Len() != shape[1] || beta.Value().Len() != shape[1] {
		panic(&tensor.ShapeError{Op: "BatchNorm", Shapes: [][]int{shape, gamma.Shape(), beta.Shape()}})
	}
	tensor.MustMatch("BatchNorm (channels, running mean, running variance)", shape[1:2], running.Mean.Shape, running.Var.Shape)
	if training && shape[0]*shape[2]*shape[3] < 2 { // their variance has no unbiased estimate
		panic(&tensor.ShapeError{Op: "BatchNorm in training, with fewer than two values per channel", Shapes: [][]int{shape}})
	}
	b := &batchNorm[T]{x: x.buf, shape: shape, gamma: gamma.buf, training: training, n: float64(shape[0] * shape[2] * shape[3])}
	if training {
		x.Value()
	}
	b.statistics(running)
	y := b.result(x, slices.Clone(beta.Value().Data)) // beta's own memory may be gone when y is computed
	return x.tape.finish(y, op[T]{
		args:  []*Var[T]{gamma, beta, x}, // x last: its pullback may overwrite dy once the sums are known
		pulls: []pullback[T]{b.pullGamma, b.pullBeta, b.pullX},
		saves: []*Var[T]{x, gamma}, elementwise: true,
	})
}

// result is y, in x's own memory where no pullback will read x. If x is still to be computed, y is too.
func (b *batchNorm[T]) result(x *Var[T], shift []T) *Var[T] {
	var y *Var[T]
	if x.tape.recording {
		y = x.tape.result(x.shape...)
	} else {
		y = x.tape.inPlace(x)
	}
	mean, scale := make([]T, len(b.mean)), make([]T, len(b.mean))
	for c := range scale {
		mean[c], scale[c] = T(b.mean[c]), T(float64(b.gamma.Data[c])*b.inverse[c])
	}
	set, out, plane := kernel.Active[T](), y.buf, tensor.Size(b.shape[2:])
	normalize := func(c, lo, hi int) {
		end := c + (hi-lo)/plane
		set.Normalize(out.Data[lo:hi], b.x.Data[lo:hi], mean[c:end], scale[c:end], shift[c:end])
	}
	if y.buf.todo != nil {
		y.buf.todo.steps = append(y.buf.todo.steps, normalize)
		return y
	}
	x.Value()
	y.deferTo(func(then conv.Then) {
		conv.Then(func(c, lo, hi int) {
			normalize(c, lo, hi)
			if then != nil {
				then(c, lo, hi)
			}
		}).All(b.shape)
	}, x)
	y.buf.todo.cheap = x.tape.recording
	return y
}

// batchNorm is one application: what its pullbacks share.
type batchNorm[T tensor.Float] struct {
	x             *buffer[T]
	shape         []int
	gamma         *buffer[T]
	training      bool
	n             float64   // elements per channel
	mean, inverse []float64 // per channel: mean and 1/sqrt(var+epsilon)
	dy            *tensor.Tensor[T]
	dgamma, dbeta []float64 // per channel, for dy
}

// channels calls body for every channel, with the places of its planes in all images, ascending.
func (b *batchNorm[T]) channels(body func(c int, planes iter.Seq2[int, int])) {
	channels, plane := b.shape[1], b.shape[2]*b.shape[3]
	parallel.For(channels, func(_, c int) {
		body(c, func(yield func(at, end int) bool) {
			for n := range b.shape[0] {
				at := (n*channels + c) * plane
				if !yield(at, at+plane) {
					return
				}
			}
		})
	})
}

// statistics sets mean and inverse and, in training, moves the running statistics.
func (b *batchNorm[T]) statistics(running Running[T]) {
	channels := b.shape[1]
	b.mean, b.inverse = make([]float64, channels), make([]float64, channels)
	if !b.training {
		for c := range channels {
			b.mean[c] = float64(running.Mean.Data[c])
			b.inverse[c] = 1 / math.Sqrt(float64(running.Var.Data[c])+BatchNormEpsilon)
		}
		return
	}
	set := kernel.Active[T]()
	b.channels(func(c int, planes iter.Seq2[int, int]) {
		var sum, squares float64
		for at, end := range planes {
			sum += set.Sum(b.x.Data[at:end])
		}
		mean := sum / b.n
		for at, end := range planes {
			squares += set.SumSquares(b.x.Data[at:end], mean)
		}
		b.mean[c], b.inverse[c] = mean, 1/math.Sqrt(squares/b.n+BatchNormEpsilon)
		move(&running.Mean.Data[c], mean)
		move(&running.Var.Data[c], squares/(b.n-1))
	})
}

// move sets r to (1-BatchNormMomentum) r + BatchNormMomentum value.
func move[T tensor.Float](r *T, value float64) {
	*r = T(float64((1-BatchNormMomentum)*float64(*r)) + float64(BatchNormMomentum*value))
}

// sums computes dgamma and dbeta for dy, once for all three pullbacks.
func (b *batchNorm[T]) sums(dy *tensor.Tensor[T]) {
	if b.dy == dy {
		return
	}
	b.dy = dy
	b.dgamma, b.dbeta = make([]float64, len(b.mean)), make([]float64, len(b.mean))
	set := kernel.Active[T]()
	b.channels(func(c int, planes iter.Seq2[int, int]) {
		var sum, dot float64
		for at, end := range planes {
			sum += set.Sum(dy.Data[at:end])
			dot += set.Dot(b.x.Data[at:end], dy.Data[at:end], b.mean[c])
		}
		b.dbeta[c], b.dgamma[c] = sum, dot*b.inverse[c]
	})
}

func (b *batchNorm[T]) pullX(dst, dy *tensor.Tensor[T]) {
	b.sums(dy)
	set := kernel.Active[T]()
	b.channels(func(c int, planes iter.Seq2[int, int]) {
		scale := float64(b.gamma.Data[c]) * b.inverse[c]
		var slope, shift float64
		if b.training {
			slope, shift = -scale*b.inverse[c]*b.dgamma[c]/b.n, -scale*b.dbeta[c]/b.n
		}
		for at, end := range planes {
			set.NormalizeGrad(dst.Data[at:end], b.x.Data[at:end], dy.Data[at:end], T(b.mean[c]), T(scale), T(slope), T(shift))
		}
	})
}

func (b *batchNorm[T]) pullGamma(dst, dy *tensor.Tensor[T]) {
	b.sums(dy)
	for c, v := range b.dgamma {
		dst.Data[c] = T(v)
	}
}

func (b *batchNorm[T]) pullBeta(dst, dy *tensor.Tensor[T]) {
	b.sums(dy)
	for c, v := range b.dbeta {
		dst.Data[c] = T(v)
	}
}
