package autodiff

import (
	"testing"

	"sdref/tensor"
)

// Every operator gives the same bits, forwards and backwards, on every kernel row with any number of
// goroutines.
func TestSameBitsPerOperator(t *testing.T) {
	t.Run("float32", testOperatorBits[float32])
	t.Run("float64", testOperatorBits[float64])
}

func testOperatorBits[T tensor.Float](t *testing.T) {
	type job struct {
		row
		program *Program[T]
		outputs []*Node
		first   []*tensor.Tensor[T]
	}
	var jobs []*job
	for _, r := range table() {
		in, y := r.start()
		v := draw[T](r, 5, in)
		j := &job{row: r, outputs: []*Node{y}}
		if wanted := r.wanted(in); len(wanted) > 0 {
			seed := y.Graph().Input("seed", y.Shape...)
			v[seed] = normal[T](6, y.Shape...)
			j.outputs = append(j.outputs, Backward(y, seed, wanted...)...)
		}
		j.program = programOf[T](j.outputs...)
		v.set(j.program)
		jobs = append(jobs, j)
	}
	everywhere(t, func(where string) {
		for _, j := range jobs {
			j.program.Run()
			for i, n := range j.outputs {
				value := j.program.Value(n)
				if len(j.first) <= i {
					j.first = append(j.first, value.Clone())
				}
				mustEqual(t, j.name+" on "+where+": "+n.Name, value, j.first[i])
			}
		}
	})
}

// Operators give the same bits where they overwrite their operands and where these are computed again: every
// argument is here the result of another operator that nobody else needs.
func TestSameBitsOfComputedArguments(t *testing.T) {
	t.Run("float32", testComputedArguments[float32])
	t.Run("float64", testComputedArguments[float64])
}

func testComputedArguments[T tensor.Float](t *testing.T) {
	for _, r := range table() {
		in, y := r.start()
		v := draw[T](r, 8, in)
		want := naively(y.Graph(), v).value[y]

		g := NewGraph()
		computed := values[T]{}
		var args []*Node
		for i, n := range in {
			x := g.Input(n.Name, n.Shape...)
			computed[x] = v[n]
			if args = append(args, Scale(x, 1, nil)); r.args[i].constant {
				args[i] = x
			}
		}
		z := r.build(args)
		mustEqual(t, r.name, evaluate(computed, z)[0], want)
		wanted := r.wanted(in)
		if len(wanted) == 0 {
			continue
		}
		_, gradient := gradients[T](r, 8, r.wanted, nil)
		seed := g.Input("seed", z.Shape...)
		computed[seed] = normal[T](7, z.Shape...)
		for i, dx := range evaluate(computed, Backward(z, seed, r.wanted(g.Inputs[:len(in)])...)...) {
			mustEqual(t, r.name+": gradient", dx, gradient[i])
		}
	}
}

// A network at sizes that several goroutines share: 8*8*24*24 elements are more than two grains of tensor's
// loops and more than four pieces of packing.
func TestSameBitsOfANetwork(t *testing.T) {
	t.Run("float32", testNetworkBits[float32])
	t.Run("float64", testNetworkBits[float64])
}

func testNetworkBits[T tensor.Float](t *testing.T) {
	n := newNetwork(8, 8, 24, 24, true)
	p := programOf[T](n.outputs()...)
	drawNetwork[T](n).set(p)
	var first []*tensor.Tensor[T]
	everywhere(t, func(where string) {
		p.Run()
		for i, out := range n.outputs() {
			value := p.Value(out)
			if len(first) <= i {
				first = append(first, value.Clone())
			}
			mustEqual(t, out.Name+" on "+where, value, first[i])
			for at, v := range value.Data {
				if v != v {
					t.Fatalf("%s on %s: element %d is NaN", out.Name, where, at)
				}
			}
		}
	})
}
