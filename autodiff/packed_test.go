package autodiff

import (
	"math"
	"math/rand/v2"
	"testing"

	"sdref/conv"
	"sdref/tensor"
)

func TestPackedValuesComeBack(t *testing.T) {
	t.Run("float32", testPackedValues[float32])
	t.Run("float64", testPackedValues[float64])
}

// testPackedValues evicts and settles values of all densities, some of more than one piece, whose other elements are zeros with
// and without a sign, infinities, NaNs, numbers.
func testPackedValues[T tensor.Float](t *testing.T) {
	r := rand.New(rand.NewPCG(31, 1))
	others := []T{T(math.Copysign(0, -1)), T(math.Inf(1)), T(math.Inf(-1)), T(math.NaN()), 1e-38, -2.5}
	for _, n := range []int{1, 63, 64, 65, 1000, packPiece, 2*packPiece + 77} {
		for _, density := range []float64{0, 0.1, 0.5, 0.7, 0.8, 1} {
			tape := newTape[T]()
			b := tape.newBuffer(n)
			marked := 0
			for i := range b.Data {
				b.Data[i] = 0
				if r.Float64() < density {
					b.Data[i] = others[r.IntN(len(others))]
					marked++
				}
			}
			want := b.Tensor.Clone()
			b.sparse = true
			save([]*buffer[T]{b})
			tape.release(b) // now only a pullback holds it
			if size := (n+63)/64 + marked; b.Tensor == nil && size > n*3/4+1 {
				t.Errorf("%d of %d elements are not 0, and packed", marked, n)
			} else if size = (n+31)/32 + marked; b.Tensor != nil && size < n*3/4-1 {
				t.Errorf("%d of %d elements are not 0, and not packed", marked, n)
			}
			for range 2 {
				tape.settle(b)
				mustEqual(t, "value", b.Tensor, want)
			}
			unsave([]*buffer[T]{b})
			tape.release(b)
			if tape.arena.Out() != 0 {
				t.Errorf("%d of %d elements: %d tensors are out in the end", marked, n, tape.arena.Out())
			}
		}
	}
}

// A value that nobody asks for any more is given back in whatever form it is.
func TestPackedValuesAreReleased(t *testing.T) {
	tape := newTape[float64]()
	b := tape.newBuffer(1000)
	b.Fill(0)
	b.sparse = true
	save([]*buffer[float64]{b})
	tape.release(b)
	if b.Tensor != nil || tape.arena.Out() != 1 {
		t.Fatalf("zeros were not packed: %d tensors are out", tape.arena.Out())
	}
	unsave([]*buffer[float64]{b})
	tape.release(b)
	if tape.arena.Out() != 0 {
		t.Errorf("%d tensors are out", tape.arena.Out())
	}
}

// layer is two steps of FISTA: z_1 = prox(A*x), r = x - A z_1, z_2 = prox(z_1 + A*r).
func layer(x, w *Var[float64]) (z *Var[float64], r *buffer[float64]) {
	g := conv.Geometry{Padding: 1}
	z = Shrink(Convolve(x.Keep(), w, g), 0.1, 0.2, true)
	residual := AddScaled(x, ConvolveTransposed(z.Keep(), w, 0, 0, g), -1)
	r = residual.buf
	return Shrink(AddScaled(z, Convolve(residual, w, g), 0.1), 1, 0.2, true), r
}

// Of two layers the first one's codes wait packed, its residual is to be computed again, and so is the second one's signal.
func TestWhatALayerKeeps(t *testing.T) {
	tape := newTape[float64]()
	running := Running[float64]{Mean: tensor.New[float64](4), Var: tensor.New[float64](4)}
	ones := tape.Leaf(vector[float64](1, 1, 1, 1))
	first, second := tape.Leaf(normal[float64](2, 4, 3, 3, 3)), tape.Leaf(normal[float64](3, 5, 4, 3, 3))
	z, r := layer(tape.Leaf(normal[float64](1, 2, 3, 16, 15)), first)
	x := BatchNorm(z.Keep(), ones, ones, running, true)
	signal, code := x.buf, z.buf
	y, _ := layer(x, second)
	if y.Value(); code.Tensor == nil {
		t.Error("the first code is gone, though somebody may still use it")
	}
	z.Drop()
	if code.Tensor != nil {
		t.Error("the first code is kept as it was")
	}
	if r.Tensor != nil || signal.Tensor != nil {
		t.Errorf("the residual (kept: %t) and BatchNorm's result (kept: %t) could be computed again", r.Tensor != nil, signal.Tensor != nil)
	}
	tape.Backward(y, normal[float64](4, y.Shape()...))
	if got := tape.arena.Out(); got != 5 { // gradients of both kernels, of ones, of the first signal; y
		t.Errorf("%d tensors are out after Backward, want 5", got)
	}
}

// A residual is kept if without it somebody else's value would have to be.
func TestResidualOfAPassingSignal(t *testing.T) {
	tape := newTape[float64]()
	w := tape.Leaf(normal[float64](2, 4, 3, 3, 3))
	g := conv.Geometry{Padding: 1}
	x, z := Scale(tape.Leaf(normal[float64](1, 2, 3, 6, 5)), 2).Keep(), tape.Leaf(normal[float64](3, 2, 4, 6, 5))
	residual := AddScaled(x, ConvolveTransposed(z, w, 0, 0, g), -1)
	r := residual.buf
	y := Convolve(residual, w, g)
	y.Value()
	x.Drop()
	if r.Tensor == nil || tape.arena.Out() != 2 {
		t.Errorf("%d tensors are out, want y and the residual", tape.arena.Out())
	}
}

// A residual costs as many multiply-adds an element as there are links, beyond a limit it is kept.
func TestDearResidualsAreKept(t *testing.T) {
	for atoms, kept := range map[int]bool{cheapLinks / 9: false, cheapLinks/9 + 1: true} {
		tape := newTape[float64]()
		w := tape.Leaf(normal[float64](2, atoms, 2, 3, 3))
		z, r := layer(tape.Leaf(normal[float64](1, 1, 2, 4, 4)), w)
		if z.Value(); (r.Tensor != nil) != kept {
			t.Errorf("%d atoms of 3x3: kept %t, want %t", atoms, !kept, kept)
		}
	}
}
