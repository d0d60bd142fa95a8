package csc

import (
	"fmt"
	"math"
	"testing"

	"sdref/autodiff"
	"sdref/conv"
	"sdref/tensor"
)

// newLayer is a layer for a setup with random atoms and a random start of the power iteration, the same numbers in either
// precision.
func newLayer[T tensor.Float](p setup, s Settings) *Layer[T] {
	s.Geometry = p.g
	var l *Layer[T]
	switch {
	case p.kw == 0:
		l = NewMatrixLayer[T](p.m, p.c, s)
	case p.kh == 0:
		l = NewLayer1D[T](p.m, p.c, p.kw, p.width, s)
	default:
		l = NewLayer[T](p.m, p.c, p.kh, p.height, p.width, s)
	}
	tensor.FillUniform(l.Weight, 11, 0.5, 0)
	tensor.FillUniform(l.Vector, 12, 1, 0)
	return l
}

func (p setup) square() bool { return p.kh == p.kw || p.kh == 0 }

func TestNewLayer(t *testing.T) {
	s := Settings{Geometry: conv.Geometry{Stride: 2, Padding: 1}, Iterations: 2}
	l := NewLayer[float32](5, 3, 3, 7, 10, s)
	for _, shape := range []struct {
		name      string
		got, want []int
	}{
		{"Weight", l.Weight.Shape, []int{5, 3, 3, 3}},
		{"StepSize", l.StepSize.Shape, []int{}},
		{"Vector", l.Vector.Shape, []int{1, 5, 4, 5}},
	} {
		if fmt.Sprint(shape.got) != fmt.Sprint(shape.want) {
			t.Errorf("%s has shape %v, want %v", shape.name, shape.got, shape.want)
		}
	}
	if l := NewLayer1D[float32](5, 3, 4, 9, s); fmt.Sprint(l.Weight.Shape, l.Vector.Shape, l.Height, l.Width) != "[5 3 4] [1 5 4] 1 9" {
		t.Errorf("a layer for lines of 9 has weights %v, vector %v, signals %dx%d", l.Weight.Shape, l.Vector.Shape, l.Height, l.Width)
	}
	if l := NewMatrixLayer[float32](5, 3, s); fmt.Sprint(l.Weight.Shape, l.Vector.Shape, l.Height, l.Width) != "[5 3] [1 5] 1 1" {
		t.Errorf("a layer for vectors has weights %v, vector %v, signals %dx%d", l.Weight.Shape, l.Vector.Shape, l.Height, l.Width)
	}
	none := s
	none.Iterations = 0
	mustPanic(t, "no atoms", func() { NewLayer[float32](0, 3, 3, 8, 8, s) })
	mustPanic(t, "no channels", func() { NewLayer[float32](4, 0, 3, 8, 8, s) })
	mustPanic(t, "no kernel", func() { NewLayer[float32](4, 3, 0, 8, 8, s) })
	mustPanic(t, "a kernel higher than the padded signal", func() { NewLayer[float32](4, 3, 5, 2, 8, s) })
	mustPanic(t, "a kernel wider than the padded signal", func() { NewLayer[float32](4, 3, 5, 8, 2, s) })
	mustPanic(t, "a kernel longer than the padded line", func() { NewLayer1D[float32](4, 3, 5, 2, s) })
	mustPanic(t, "vectors without channels", func() { NewMatrixLayer[float32](4, 0, s) })
	mustPanic(t, "no iterations", func() { NewLayer[float32](4, 3, 3, 8, 8, none) })
}

// TestUpdateStep: the step is 0.9 over the estimate, the vector is where the next call goes on, and calls on weights that do
// not change come to rest at one round each.
func TestUpdateStep(t *testing.T) {
	for _, p := range setups {
		if !p.square() {
			continue
		}
		l := newLayer[float64](p, Settings{Iterations: 2})
		v := l.Vector.Clone()
		want := PowerIteration(v, l.Weight, p.height, p.width, p.g)
		first := l.UpdateStep()
		if first != want {
			t.Errorf("%v: UpdateStep gives %+v, PowerIteration %+v", p, first, want)
		}
		same(t, p.String()+": vector", l.Vector, v)
		if l.StepSize.Data[0] != 0.9/first.Value {
			t.Errorf("%v: step %g, want 0.9/%g", p, l.StepSize.Data[0], first.Value)
		}
		value, rounds := denseRounds(p.matrix(l.Weight), v.Data)
		second := l.UpdateStep()
		if second.Rounds != rounds || first.Converged && !(second.Rounds < first.Rounds) {
			t.Errorf("%v: the second call takes %d rounds after %d, from the last vector it takes %d", p, second.Rounds, first.Rounds, rounds)
		}
		near(t, p.String()+": second value", []float64{second.Value}, []float64{value}, 1e-12)
		for range 5 {
			second = l.UpdateStep()
		}
		if second.Rounds != 1 || l.StepSize.Data[0] != second.Step() {
			t.Errorf("%v: the seventh call gives %+v, want one round; step %g", p, second, l.StepSize.Data[0])
		}
	}
}

func TestNormalize(t *testing.T) {
	for _, unit := range []bool{true, false} {
		l := newLayer[float64](setups[0], Settings{Iterations: 2, UnitNormAtoms: unit})
		l.Weight.Row(2).Fill(0)
		old := l.Weight.Clone()
		l.Normalize()
		if !unit {
			same(t, "weights of a layer whose atoms are free", l.Weight, old)
			continue
		}
		for m := range setups[0].m {
			norm, want := 0.0, 1.0
			scale := math.Sqrt(tensor.SumSquares(old.Row(m)))
			for i, v := range l.Weight.Row(m).Data {
				norm += v * v
				if d := v*scale - old.Row(m).Data[i]; math.Abs(d) > 1e-15 {
					t.Errorf("atom %d, element %d: %g is not the old one over the norm", m, i, v)
				}
			}
			if m == 2 {
				want = 0 // a zero atom stays one
			}
			if !(math.Abs(norm-want) <= 1e-14) {
				t.Errorf("atom %d has squared norm %.17g, want %g", m, norm, want)
			}
		}
		z := l.code(fill[float64](1, 2, setups[0].signalShape(2)...))
		for _, v := range z.Row(0).Reshape(setups[0].codeShape(1)[1:]...).Row(2).Data {
			if v != 0 {
				t.Fatalf("the zero atom has code %g", v)
			}
		}
	}
}

// flow is a layer written down as networks do it: its state's tensors are inputs, lambda and the step's factor those that it learns.
type flow struct {
	x, w, t, lambda, factor, z *autodiff.Node
	dz                         *autodiff.Node // once gradients are asked for
}

func flowOf[T tensor.Float](l *Layer[T], x []int) *flow {
	g := autodiff.NewGraph()
	f := &flow{x: g.Input("x", x...), w: g.Input("w", l.Weight.Shape...), t: g.Input("t")}
	t := f.t
	if l.Penalty != nil {
		f.lambda = g.Input("lambda")
	}
	if l.StepFactor != nil {
		f.factor = g.Input("factor")
		t = autodiff.Scale(f.factor, 1, f.t)
	}
	f.z = Code("", f.x, f.w, t, f.lambda, l.Settings)
	return f
}

// gradients appends those of <dz, z>.
func (f *flow) gradients(wanted ...*autodiff.Node) []*autodiff.Node {
	f.dz = f.z.Graph().Input("dz", f.z.Shape...)
	return autodiff.Backward(f.z, f.dz, wanted...)
}

// bind is a program for the flow of l, with l's tensors.
func bind[T tensor.Float](f *flow, l *Layer[T], arena *tensor.Arena[T], outputs ...*autodiff.Node) *autodiff.Program[T] {
	p := autodiff.NewProgram(autodiff.NewPlan(autodiff.Wanted{Outputs: outputs}), arena)
	p.Set(f.w, l.Weight)
	p.Set(f.t, l.StepSize)
	if f.lambda != nil {
		p.Set(f.lambda, l.Penalty)
	}
	if f.factor != nil {
		p.Set(f.factor, l.StepFactor)
	}
	return p
}

// code updates the step and returns the code of x.
func (l *Layer[T]) code(x *tensor.Tensor[T]) *tensor.Tensor[T] {
	l.UpdateStep()
	f := flowOf(l, x.Shape)
	r := bind(f, l, tensor.NewArena[T](), f.z)
	r.Set(f.x, x)
	r.Run()
	return r.Value(f.z)
}

// TestLayerIsFISTA: a layer's code is FISTA's with its step and settings as they stand, Reconstruct is the synthesis.
func TestLayerIsFISTA(t *testing.T) {
	for i, p := range setups {
		if !p.square() {
			continue
		}
		l := newLayer[float32](p, Settings{Lambda: 0.1, Mu: 0.2, Nonnegative: i%2 == 0, Iterations: 4, Variant: Variant(i % 2)})
		x := fill[float32](13, 2, p.signalShape(p.n)...)
		z := l.code(x)
		same(t, p.String()+": code", z, Solve(x, l.Weight, l.StepSize.Data[0], l.Settings))
		same(t, p.String()+": code as it stands", z, Solve(x, l.Weight, l.Step(), l.Current()))
		same(t, p.String()+": Reconstruct", l.Reconstruct(z), synthesis(z, l.Weight, p.height, p.width, p.g))
	}
}

// TestReconstruct: without a penalty, a layer whose atoms' shifts are an orthonormal basis gives the signal back.
func TestReconstruct(t *testing.T) {
	l := NewLayer[float64](4, 1, 2, 6, 8, Settings{Geometry: conv.Geometry{Stride: 2}, Iterations: 60, Variant: Paper, UnitNormAtoms: true})
	copy(l.Weight.Data, []float64{1, 1, 1, 1, 1, -1, 1, -1, 1, 1, -1, -1, 1, -1, -1, 1}) // Haar's atoms
	tensor.FillUniform(l.Vector, 12, 1, 0)
	l.Normalize()
	x := fill[float64](14, 2, 3, 1, 6, 8)
	z := l.code(x)
	near(t, "step", l.StepSize.Data, []float64{0.9}, 1e-15)
	near(t, "energy of the code", []float64{tensor.SumSquares(z)}, []float64{tensor.SumSquares(x)}, 1e-14)
	near(t, "A A*x", l.Reconstruct(z).Data, x.Data, 1e-14)
}

// TestFloat32 holds single precision to double precision: step, code and reconstruction.
func TestFloat32(t *testing.T) {
	for _, p := range setups {
		if !p.square() {
			continue
		}
		for _, v := range variants {
			s := Settings{Lambda: 0.1, Mu: 0.2, Nonnegative: true, Iterations: 4, Variant: v, UnitNormAtoms: true}
			l, wide := newLayer[float32](p, s), newLayer[float64](p, s)
			l.Normalize()
			wide.Normalize()
			x := fill[float32](15, 2, p.signalShape(p.n)...)
			z, zWide := l.code(x), wide.code(tensor.Convert[float64](x))
			what := fmt.Sprintf("%v, %v", p, v)
			near(t, what+": step", l.StepSize.Data, wide.StepSize.Data, 1e-5)
			near(t, what+": z", z.Data, zWide.Data, 1e-5)
			near(t, what+": A z", l.Reconstruct(z).Data, wide.Reconstruct(zWide).Data, 1e-5)
		}
	}
}
