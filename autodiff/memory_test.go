package autodiff

import (
	"math"
	"runtime"
	"slices"
	"testing"

	"sdref/conv"
	"sdref/tensor"
)

// maxObjects is the most small objects that a run of the network may allocate, a step: the arena's headers,
// the closures with which kernels spread over goroutines, and the tables of convolutions. With one processor
// they are together less than a quarter of the memory for values.
const maxObjects = 40

func TestSecondRunAllocatesNothing(t *testing.T) {
	for _, training := range []bool{true, false} {
		n := newNetwork(8, 8, 24, 24, true)
		outputs := n.outputs()
		if !training {
			outputs = []*Node{n.loss}
		}
		p := programOf[float32](outputs...)
		drawNetwork[float32](n).set(p)
		p.Run()
		held, out := p.arena.Capacity(), p.arena.Live()
		var first []*tensor.Tensor[float32]
		for _, o := range outputs {
			first = append(first, p.Value(o).Clone())
		}
		if held == 0 || out == 0 {
			t.Fatal("the run took nothing from the arena")
		}
		for range 3 {
			p.Run()
			for i, o := range outputs {
				mustEqual(t, "a later run's "+o.Name, p.Value(o), first[i])
			}
			if p.arena.Capacity() != held || p.arena.Live() != out {
				t.Fatalf("the arena holds %d elements, %d tensors are out, after the first run %d and %d",
					p.arena.Capacity(), p.arena.Live(), held, out)
			}
		}
		allocations := testing.AllocsPerRun(20, p.Run)

		bytes := bytesPerRun(p.Run)
		t.Logf("gradient %t: %d steps, %.0f objects, %.0f bytes; values have %d", training, len(p.Plan.Steps),
			allocations, bytes, 4*held)
		if allocations > float64(maxObjects*len(p.Plan.Steps)) || bytes > float64(4*held)/4 {
			t.Errorf("gradient %t: a run of %d steps allocates %.0f objects, %.0f bytes", training,
				len(p.Plan.Steps), allocations, bytes)
		}
	}
}

// bytesPerRun is the mean number of bytes that f allocates, on one processor.
func bytesPerRun(f func()) float64 {
	const runs = 20
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		f()
	}
	runtime.ReadMemStats(&after)
	return float64(after.TotalAlloc-before.TotalAlloc) / runs
}

// The outputs' memory is the program's until the next run or Release, and everything else is given back at
// once.
func TestOutputsAreReleased(t *testing.T) {
	n := newNetwork(3, 4, 9, 8, true)
	p := programOf[float32](n.outputs()...)
	drawNetwork[float32](n).set(p)
	for range 2 {
		p.Run()
		// BatchNorm's gradients are wide, and have memory of their own.
		if out := p.arena.Live(); out != len(n.outputs())-2 {
			t.Errorf("%d tensors are out after a run, want the %d outputs that are not wide", out,
				len(n.outputs())-2)
		}
	}
	p.Release()
	p.Release()
	if out := p.arena.Live(); out != 0 {
		t.Errorf("%d tensors are out after Release", out)
	}
}

// A run that a panic ends anywhere leaves nothing behind, and the next one is whole.
func TestReleaseAfterAPanic(t *testing.T) {
	n := newNetwork(2, 4, 9, 8, true)
	v := drawNetwork[float64](n)
	p := programOf[float64](n.outputs()...)
	v.set(p)
	p.Run()
	want := p.Value(n.gradients[0]).Clone()
	right := p.steps
	for i := range right {
		p.steps = slices.Clone(right)
		broken := *right[i]
		broken.calls, broken.Pair = nil, nil // the step panics
		if how := broken.Values[0].How; how == Packed || how == Unpacked {
			continue
		}
		p.steps[i] = &broken
		func() {
			defer func() {
				if recover() == nil {
					t.Fatalf("step %d did not panic", i)
				}
			}()
			p.Run()
		}()
		if p.Release(); p.arena.Live() != 0 {
			t.Fatalf("%d tensors are out after a panic in step %d", p.arena.Live(), i)
		}
		p.steps = right
		p.Run()
		mustEqual(t, "gradient after a panic", p.Value(n.gradients[0]), want)
	}
	v[n.labels].Data[1] = 5
	mustPanic(t, "label 5 of image 1 is not one of 5 classes", p.Run)
	v[n.labels].Data[1] = 0.5
	mustPanic(t, "label 0.5 of image 1", p.Run)
	v[n.labels].Data[1] = math.NaN()
	mustPanic(t, "label NaN of image 1", p.Run)
	if p.Release(); p.arena.Live() != 0 {
		t.Errorf("%d tensors are out", p.arena.Live())
	}
}

// waysOf lists how the values of a node come about.
func (p *Plan) waysOf(n *Node) (list []How) {
	for _, s := range p.Steps {
		for _, v := range s.Values {
			if v.Node == n {
				list = append(list, v.How)
			}
		}
	}
	return list
}

// What BatchNorm and ReLU give is computed again for the gradient, codes wait packed, and the convolution
// before BatchNorm is kept.
func TestWhatWaitsForTheGradient(t *testing.T) {
	n := newNetwork(2, 4, 9, 8, true)
	p := NewPlan(Wanted{Outputs: n.outputs()})
	for _, c := range []struct {
		name string
		node *Node
		want []How
	}{
		{"before BatchNorm", n.before, []How{Computed}},
		{"BatchNorm", n.normalized, []How{Computed, Again}},
		{"ReLU", n.rectified, []How{Computed, Again}},
		{"the first code", n.first, []How{Computed, Packed, Unpacked}},
		{"the second code", n.second, []How{Computed, Packed, Unpacked}},
	} {
		if got := p.waysOf(c.node); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	more := NewPlan(Wanted{Outputs: append(n.outputs(), n.rectified, n.first)}) // outputs are there anyway
	for _, node := range []*Node{n.rectified, n.first} {
		if got := more.waysOf(node); !slices.Equal(got, []How{Computed}) {
			t.Errorf("an output: %v", got)
		}
	}
	without := NewPlan(Wanted{Outputs: []*Node{n.loss}})
	for _, how := range []How{Again, Packed, Unpacked} {
		if list := without.planned(how); list != nil {
			t.Errorf("without a gradient, %v is %v", list, how)
		}
	}
}

// fista is two of its steps: z_1 = prox(A*x), r = x - A z_1, z_2 = prox(z_1 + A*r).
func fista(x, w, t *Node) (z1, r, z2 *Node) {
	padded := conv.Geometry{Padding: 1}
	z1 = Prox(Scale(Analysis(x, w, padded), 1, t), t, nil, Shrinkage{Lambda: 0.5, Nonnegative: true})
	r = Axpy(x, Synthesis(z1, w, x.Shape[2], x.Shape[3], padded), -1, nil)
	z2 = Prox(Axpy(z1, Analysis(r, w, padded), 1, t), t, nil, Shrinkage{Lambda: 0.5, Nonnegative: true})
	return z1, r, z2
}

// Of two layers the first one's codes wait packed, its residual is computed again, and so is the second one's
// signal. All of this in steps that do several things at once: a residual follows on the planes of the
// synthesis.
func TestWhatLayersKeep(t *testing.T) {
	g := NewGraph()
	step, first, second := g.Input("t"), g.Input("first", 4, 3, 3, 3), g.Input("second", 5, 4, 3, 3)
	z1, r, z2 := fista(g.Input("x", 2, 3, 16, 15), first, step)
	gamma, beta := g.Input("gamma", 4), g.Input("beta", 4)
	norm := Norm{gamma, beta, g.Input("mean", 4), g.Input("variance", 4), 1e-5, 0.1}
	x, _, _ := BatchNorm("bn", z2, norm, true)
	_, _, y := fista(x, second, step)
	p := NewPlan(Wanted{Outputs: Backward(y, g.Input("seed", y.Shape...), first, second)})
	for _, c := range []struct {
		name string
		node *Node
		want []How
	}{
		{"first code", z1, []How{Computed, Packed, Unpacked}},
		{"second code", z2, []How{Computed, Packed, Unpacked}},
		{"residual", r, []How{Computed, Again}},
		{"synthesis", r.Inputs[1], []How{Computed, Again}},
		{"second layer's signal", x, []How{Computed, Again}},
	} {
		if got := p.waysOf(c.node); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	for _, v := range p.planned(Again) {
		if v.Node == r &&
			(len(v.step.Values) < 2 || v.step.Values[0].Node != r.Inputs[1] ||
				v.Buffer != v.step.Values[0].Buffer) {
			t.Errorf("the residual is computed again in a step of %v, in %v", v.step.Values, v.Buffer)
		}
	}
	if s := p.values[z1].step; len(s.Values) != 3 || s.Values[0].Node.Op != analysisOp {
		t.Errorf("the first code is computed in a step of %v", s.Values)
	}
}

// GELU's gradient reads what it was applied to, which BatchNorm computes again, and its own value follows on that in one step. So
// between two convolutions nothing is kept but the first one's result.
func TestGELUIsComputedAgain(t *testing.T) {
	g := NewGraph()
	x, w, v := g.Input("x", 2, 3, 6, 5), g.Input("w", 4, 3, 3, 3), g.Input("v", 3, 4, 3, 3)
	padded := conv.Geometry{Padding: 1}
	before := Analysis(x, w, padded)
	norm := Norm{g.Input("gamma", 4), g.Input("beta", 4), g.Input("mean", 4), g.Input("variance", 4), 1e-5, 0.1}
	normalized, _, _ := BatchNorm("bn", before, norm, true)
	h := GELU(normalized)
	y := Analysis(h, v, padded)
	p := NewPlan(Wanted{Outputs: append(Backward(y, g.Input("seed", y.Shape...), w, v, norm.Gamma), y)})
	for node, want := range map[*Node][]How{before: {Computed}, normalized: {Computed, Again}, h: {Computed, Again}} {
		if got := p.waysOf(node); !slices.Equal(got, want) {
			t.Errorf("%v: %v, want %v", node, got, want)
		}
	}
	for _, a := range p.planned(Again) {
		if a.Node == h && (len(a.step.Values) != 2 || a.step.Values[0].Node != normalized) {
			t.Errorf("GELU is computed again in a step of %v", a.step.Values)
		}
	}
}

// A residual costs as many multiply-adds an element as there are links, beyond a limit it is kept.
func TestDearResidualsAreKept(t *testing.T) {
	for atoms, want := range map[int][]How{cheapLinks / 9: {Computed, Again}, cheapLinks/9 + 1: {Computed}} {
		g := NewGraph()
		x, z, w := g.Input("x", 1, 2, 4, 4), g.Input("z", 1, atoms, 4, 4), g.Input("w", atoms, 2, 3, 3)
		padded := conv.Geometry{Padding: 1}
		r := Axpy(x, Synthesis(z, w, 4, 4, padded), -1, nil)
		y := Analysis(r, w, padded)
		p := NewPlan(Wanted{Outputs: append(Backward(y, g.Input("seed", y.Shape...), w), y)})
		if got := p.waysOf(r); !slices.Equal(got, want) {
			t.Errorf("%d atoms of 3x3: %v, want %v", atoms, got, want)
		}
	}
}

// A residual is kept if without it somebody else's value would have to be.
func TestResidualOfAPassingSignal(t *testing.T) {
	g := NewGraph()
	x, z, w := Scale(g.Input("x", 2, 3, 6, 5), 2, nil), g.Input("z", 2, 4, 6, 5), g.Input("w", 4, 3, 3, 3)
	padded := conv.Geometry{Padding: 1}
	r := Axpy(x, Synthesis(z, w, 6, 5, padded), -1, nil)
	y := Analysis(r, w, padded)
	p := NewPlan(Wanted{Outputs: append(Backward(y, g.Input("seed", y.Shape...), w), y)})
	if got := p.waysOf(r); !slices.Equal(got, []How{Computed}) {
		t.Errorf("the residual: %v", got)
	}
}

// An inference chain of any length needs the memory of one value where it works in place.
func TestInferenceWorksInPlace(t *testing.T) {
	g := NewGraph()
	x, step := g.Input("x", 2, 3, 4, 5), g.Input("t")
	p := Norm{g.Input("gamma", 3), g.Input("beta", 3), g.Input("mean", 3), g.Input("variance", 3), 1e-5, 0.1}
	h := Scale(x, 2, nil)
	for i := range 5 {
		h = Add(Prox(ReLU(Axpy(h, x, 1, nil)), step, nil, Shrinkage{Lambda: 0.1}), x)
		h, _, _ = BatchNorm(string(rune('a'+i)), h, p, false)
	}
	v := drawn[float32](g, 1)
	before := v.clone()
	r := programOf[float32](h)
	v.set(r)
	r.Run()
	one := tensor.NewArena[float32]()
	one.Get(2, 3, 4, 5)
	if len(r.Plan.buffers) != 1 || r.arena.Capacity() != one.Capacity() || r.arena.Live() != 1 {
		t.Errorf("%d buffers, %d elements, %d tensors out", len(r.Plan.buffers), r.arena.Capacity(),
			r.arena.Live())
	}
	mustEqual(t, "input", v[x], before[x])
}
