package autodiff

import (
	"math"
	"math/rand/v2"
	"testing"

	"sdref/tensor"
)

// codeOp hands its input on as a sparse value, and gives it as its own gradient.
var codeOp = &Op{Name: "code", Shape: likeInput(0), Sparse: true,
	Pull: func(b *Gradient, n *Node, i int,
		dy *Node) *Node {
		return b.For(n, i, Apply(firstOp, nil, n, dy))
	},
	Float32: Kernel[float32]{Whole: first[float32]}, Float64: Kernel[float64]{Whole: first[float64]}}

// firstOp hands its first input on.
var firstOp = &Op{Name: "first", Shape: shapeOfFirst(2),
	Float32: Kernel[float32]{Whole: first[float32]}, Float64: Kernel[float64]{Whole: first[float64]}}

func first[T tensor.Float](c *Call[T]) { copy(c.Out.Data, c.In[0].Data) }

func TestPackedValuesComeBack(t *testing.T) {
	t.Run("float32", testPackedValues[float32])
	t.Run("float64", testPackedValues[float64])
}

// testPackedValues packs and unpacks values of all densities, some of more than one piece, whose other
// elements are zeros with a sign, infinities, NaNs, numbers. Three values of the same size take each other's
// memory meanwhile. On the way it looks at how much memory waits.
func testPackedValues[T tensor.Float](t *testing.T) {
	r := rand.New(rand.NewPCG(31, 1))
	others := []T{T(math.Copysign(0, -1)), T(math.Inf(1)), T(math.Inf(-1)), T(math.NaN()), 1e-38, -2.5}
	for _, n := range []int{1, 63, 64, 65, 1000, packPiece, 2*packPiece + 77} {
		g := NewGraph()
		x, seed := g.Input("x", n), g.Input("seed", n)
		code := Apply(codeOp, nil, x)
		probe := Scale(Scale(Scale(code, 2, nil), 3, nil), -1, nil)
		dx := Backward(probe, seed, x)[0]
		p := NewProgram(NewPlan(Wanted{Outputs: []*Node{dx},
			Watched: []*Node{probe, g.Node("grad/" + code.Name)}}), tensor.NewArena[T]())
		packed := p.Plan.planned(Packed)
		if len(packed) != 1 || len(p.Plan.planned(Unpacked)) != 1 {
			t.Fatalf("the steps are %v", p.Plan.Steps)
		}
		for _, density := range []float64{0, 0.1, 0.5, 0.7, 0.8, 1} {
			in := tensor.New[T](n)
			marked := 0
			for i := range in.Data {
				if r.Float64() < density {
					in.Data[i] = others[r.IntN(len(others))]
					marked++
				}
			}
			poison(p.arena)
			p.Set(x, in)
			p.Set(seed, tensor.New[T](n))
			p.Observe = func(node *Node, _ *tensor.Tensor[T]) {
				if node == probe { // after that the code waits alone
					return
				}
				if w := p.of(packed[0]).packed; w != nil {
					checkPacked(t, w, n, marked)
				}
			}
			p.Run()
			mustEqual(t, "the code", p.Value(dx), in)
			if p.of(packed[0]).packed != nil || p.arena.Live() != 1 {
				t.Errorf("%d of %d elements: %d tensors are out in the end", marked, n, p.arena.Live())
			}
		}
	}
}

// checkPacked checks how much memory a packed value takes: a mask of an element's bits for as many, and what
// is not +0.
func checkPacked[T tensor.Float](t *testing.T, w *packed[T], n, marked int) {
	t.Helper()
	bits := 32
	if _, wide := any(w.memory.Data).([]float64); wide {
		bits = 64
	}
	size := (n+bits-1)/bits + marked
	switch {
	case size > n-n/4 && (w.ends != nil || w.memory.Len() != n):
		t.Errorf("%d of %d elements are not 0, and packed in %d", marked, n, w.memory.Len())
	case size <= n-n/4 && (w.ends == nil || w.memory.Len() != size):
		t.Errorf("%d of %d elements are not 0, and take %d", marked, n, w.memory.Len())
	}
}

// Peak counts what waits packed at the share that it is given.
func TestPeakWithPackedValues(t *testing.T) {
	g := NewGraph()
	x := g.Input("x", 1000)
	h := x
	for range 6 {
		h = Apply(codeOp, nil, Scale(h, 2, nil))
	}
	p := NewPlan(Wanted{Outputs: Backward(Scale(h, 2, nil), g.Input("seed", 1000), x)})
	dense, empty := p.Peak(1), p.Peak(0)
	if dense.Elements <= empty.Elements || len(dense.Packed) == 0 {
		t.Errorf("the peak is %d elements with dense codes, %d packed, and %d without any", dense.Elements,
			len(dense.Packed), empty.Elements)
	}
	sum := 0
	for _, b := range dense.Buffers {
		sum += b.Size
	}
	for _, v := range dense.Packed {
		sum += v.size() + v.size()/32
	}
	if sum != dense.Elements {
		t.Errorf("what is alive at the peak has %d elements of %d", sum, dense.Elements)
	}
}
