package autodiff

import (
	"errors"
	"fmt"
	"slices"

	"sdref/conv"
	"sdref/internal/kernel"
	"sdref/internal/parallel"
	"sdref/tensor"
)

// Op is an operator. Those of this package are listed by Ops; anybody may make others: formula, shape, a kernel for each type,
// and a pullback if it has a derivative.
type Op struct {
	Name    string
	Formula string // with the inputs in order, then the settings

	// Shape returns the shape of the value from the node's inputs and settings.
	Shape func(n *Node) ([]int, error)
	// Pull appends what computes the gradient of input i, (df/dx_i)* dy, and returns it: dy itself where the derivative is the
	// identity. dy is nil, which stands for 1, where Backward starts from n without a seed; Gradient.Seed makes it a node. A nil Pull takes all inputs for
	// constants; Constants lists those that are in any case.
	Pull      func(b *Gradient, n *Node, i int, dy *Node) *Node
	Constants []int

	Float32 Kernel[float32]
	Float64 Kernel[float64]

	// Aligned is the number of inputs, from the first on, of which element i alone has a part in element i of the value.
	// Overwrites lists those of them whose memory the value may take. Both are for kernels with Each.
	Aligned    int
	Overwrites []int

	// Wide values are kept in float64 in programs of every type: statistics and sums, of which other operators want all digits.
	// They are small.
	Wide bool
	// Sparse values are mostly zeros, and wait for their use in a gradient in a packed form.
	Sparse bool
	// Cheap tells whether a value is computed again rather than kept for the gradient; operators that follow it and read nothing
	// else of its size are then computed again too. Nil means no.
	Cheap func(n *Node) bool
}

// Kernel computes an operator's value in one type: Whole at once, Contract plane by plane, or Each any range of elements. One of
// the three is set.
type Kernel[T tensor.Float] struct {
	Whole func(c *Call[T])
	// Contract computes the value and calls then, if it is not nil, for its planes, as conv.ForwardThen does.
	Contract func(c *Call[T], then conv.Then)
	// Each sets elements lo..hi-1, which are whole planes of channels channel, channel+1, ... of an image where the value has
	// planes. Ranges are computed by several goroutines at once.
	Each func(c *Call[T], channel, lo, hi int)
	// Begin, if it is set, is called before each run's first Each, which is called for a few thousand elements at a time: what costs more
	// than those belongs here.
	Begin func(c *Call[T])
}

// Call is one computation of a node's value.
type Call[T tensor.Float] struct {
	*Node
	Out *tensor.Tensor[T]   // the value; of wide ones what Round leaves
	In  []*tensor.Tensor[T] // the inputs' values

	Workers int // the greatest number of goroutines, beside GOMAXPROCS; 0 is no other

	Wide    []float64 // the value, if it is wide
	Terms   []float64 // what a wide value was before it was divided, where that matters: the sum of squares of a variance
	Scratch []T       // what Begin prepares for Each; kept from run to run

	wide, terms [][]float64 // of the inputs
	set         *kernel.Set[T]
	arena       *tensor.Arena[T]
}

// Float64 returns input i with every digit that the program has.
func (c *Call[T]) Float64(i int) []float64 {
	if c.wide[i] != nil {
		return c.wide[i]
	}
	list := make([]float64, c.In[i].Len())
	for k, v := range c.In[i].Data {
		list[k] = float64(v)
	}
	return list
}

// Scalar returns input i, which has one element, with every digit that the program has.
func (c *Call[T]) Scalar(i int) float64 {
	if c.wide[i] != nil {
		return c.wide[i][0]
	}
	return float64(c.In[i].Data[0])
}

// Geometry is the node's, with the call's workers.
func (c *Call[T]) Geometry() conv.Geometry {
	g := c.Node.Geometry()
	g.Workers = c.Workers
	return g
}

// limit is Workers for loops.
func (c *Call[T]) limit() parallel.Limit { return parallel.Limit(c.Workers) }

// Arena is where the program's memory comes from; a kernel gives back what it takes.
func (c *Call[T]) Arena() *tensor.Arena[T] { return c.arena }

// grow makes Scratch n elements long.
func (c *Call[T]) grow(n int) []T {
	if cap(c.Scratch) < n {
		c.Scratch = make([]T, n)
	}
	c.Scratch = c.Scratch[:n]
	return c.Scratch
}

// kernelOf is an operator's kernel in type T.
func kernelOf[T tensor.Float](op *Op) *Kernel[T] {
	if k, ok := any(&op.Float32).(*Kernel[T]); ok {
		return k
	}
	return any(&op.Float64).(*Kernel[T])
}

// elementwise tells whether the operator is computed range by range.
func (op *Op) elementwise() bool { return op.Float32.Each != nil || op.Float64.Each != nil }

// contracts tells whether the operator gives its value plane by plane.
func (op *Op) contracts() bool { return op.Float32.Contract != nil || op.Float64.Contract != nil }

// Pair is two operators that are computed in one pass over what both read.
type Pair struct {
	First, Second *Op
	// Fits tells whether a node of Second can be computed together with one of First.
	Fits    func(first, second *Node) bool
	Float32 func(first, second *Call[float32])
	Float64 func(first, second *Call[float64])
}

func pairKernel[T tensor.Float](p *Pair) func(first, second *Call[T]) {
	if f, ok := any(p.Float32).(func(first, second *Call[T])); ok {
		return f
	}
	return any(p.Float64).(func(first, second *Call[T]))
}

// Ops lists the operators of this package. The names are those of docs/golden.md.
func Ops() []*Op {
	return []*Op{analysisOp, synthesisOp, filterOp, linearOp, linearDXOp, linearDWOp, linearDBOp, biasOp,
		addOp, scaleOp, axpyOp, dotOp, extrapolateOp, proxOp, proxGradOp, proxDStepOp, proxDLambdaOp, reluOp, reluGradOp, geluOp, geluGradOp,
		sumSquaresOp, distanceOp, unitOp, unitAtomsOp, stepSizeOp, roundsOp,
		channelMeanOp, channelVarianceOp, runningOp, batchNormOp, batchNormDGammaOp, batchNormDBetaOp, batchNormDXOp,
		maxPoolOp, maxPoolGradOp, averagePoolOp, averagePoolGradOp, crossEntropyOp, crossEntropyGradOp, velocityOp, nesterovOp,
		mulOp, sumOp, sumGradOp, expOp, logOp, logGradOp, oneOp}
}

// Lookup returns the operator of that name, nil if Ops lists none.
func Lookup(name string) *Op {
	if i := slices.IndexFunc(Ops(), func(op *Op) bool { return op.Name == name }); i >= 0 {
		return Ops()[i]
	}
	return nil
}

// pairs lists what is computed together.
func pairs() []*Pair { return []*Pair{statisticsPair, batchNormSumsPair, descentPair} }

var errShapes = errors.New("shapes must be equal")

// shapeOfFirst is the shape of an elementwise operator: that of its aligned inputs, which must have the same. The others are numbers.
func shapeOfFirst(aligned int) func(n *Node) ([]int, error) {
	return func(n *Node) ([]int, error) {
		for _, in := range n.Inputs[:min(aligned, len(n.Inputs))] {
			if !slices.Equal(in.Shape, n.Inputs[0].Shape) {
				return nil, errShapes
			}
		}
		for _, in := range n.Inputs[min(aligned, len(n.Inputs)):] {
			if len(in.Shape) != 0 { // the gradient of a scalar has shape []
				return nil, fmt.Errorf("%s must be a number, of shape []", in.Name)
			}
		}
		return n.Inputs[0].Shape, nil
	}
}

// scalarShape is the shape of a number.
func scalarShape(*Node) ([]int, error) { return []int{}, nil }

// likeInput is the shape of input i.
func likeInput(i int) func(n *Node) ([]int, error) {
	return func(n *Node) ([]int, error) { return n.Inputs[i].Shape, nil }
}

// mustHaveAxes tells what is wrong if input i has not so many dimensions.
func (n *Node) mustHaveAxes(i, axes int) error {
	if len(n.Inputs[i].Shape) != axes {
		return fmt.Errorf("%s must have %d dimensions", n.Inputs[i].Name, axes)
	}
	return nil
}

// every is an Aligned for operators of which all inputs are.
const every = 1 << 30
