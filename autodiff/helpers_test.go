package autodiff

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"sdref/internal/kernel"
	"sdref/tensor"
)

// everywhere calls f on every kernel row with 1, 2 and 7 goroutines: where says which.
func everywhere(t *testing.T, f func(where string)) {
	t.Helper()
	defer kernel.Use(kernel.ActiveName())
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, row := range kernel.Rows[float32]() {
		if err := kernel.Use(row.Name); err != nil {
			t.Fatal(err)
		}
		for _, procs := range []int{1, 2, 7} {
			runtime.GOMAXPROCS(procs)
			f(fmt.Sprintf("%s, %d goroutines", row.Name, procs))
		}
	}
}

// normal returns normal numbers, exact in float32.
func normal[T tensor.Float](seed uint64, shape ...int) *tensor.Tensor[T] {
	t := tensor.New[float64](shape...)
	plainly(rand.New(rand.NewPCG(seed, 2)), t.Data)
	return tensor.Convert[T](t)
}

// vector returns a tensor of one dimension.
func vector[T tensor.Float](values ...T) *tensor.Tensor[T] { return tensor.From(values, len(values)) }

// number returns a tensor of no dimension.
func number[T tensor.Float](value T) *tensor.Tensor[T] { return tensor.From([]T{value}) }

// values are the values of a graph's inputs.
type values[T tensor.Float] map[*Node]*tensor.Tensor[T]

// clone copies the values.
func (v values[T]) clone() values[T] {
	c := values[T]{}
	for n, t := range v {
		c[n] = t.Clone()
	}
	return c
}

// drawn is a normal value for each input of the graph.
func drawn[T tensor.Float](g *Graph, seed uint64) values[T] {
	v := values[T]{}
	for i, n := range g.Inputs {
		v[n] = normal[T](100*seed+uint64(i), n.Shape...)
	}
	return v
}

// programOf returns a program with an arena of its own that computes the outputs.
func programOf[T tensor.Float](outputs ...*Node) *Program[T] {
	return NewProgram(NewPlan(Wanted{Outputs: outputs}), tensor.NewArena[T]())
}

// set gives the program its inputs.
func (v values[T]) set(r *Program[T]) {
	for n, t := range v {
		r.Set(n, t)
	}
}

// evaluate computes the outputs by a program of their own.
func evaluate[T tensor.Float](v values[T], outputs ...*Node) (list []*tensor.Tensor[T]) {
	r := programOf[T](outputs...)
	v.set(r)
	r.Run()
	for _, n := range outputs {
		list = append(list, r.Value(n).Clone())
	}
	return list
}

// naive computes every node of the graph by its kernel alone, from the first to the last, each in memory of
// its own: no plan, no operators that follow one another on a plane, no memory that is used twice.
type naive[T tensor.Float] struct {
	value       values[T]
	wide, terms map[*Node][]float64
	arena       *tensor.Arena[T]
}

func naively[T tensor.Float](g *Graph, inputs values[T]) *naive[T] {
	e := &naive[T]{inputs.clone(), map[*Node][]float64{}, map[*Node][]float64{}, tensor.NewArena[T]()}
	for _, n := range g.Nodes {
		e.compute(n)
	}
	return e
}

func (e *naive[T]) compute(n *Node) {
	out := tensor.New[T](n.Shape...)
	out.Fill(T(math.NaN()))
	c := &Call[T]{Node: n, Out: out, set: kernel.Active[T](), arena: e.arena}
	if n.Op.Wide {
		c.Wide, c.Terms = make([]float64, out.Len()), make([]float64, out.Len())
		e.wide[n], e.terms[n] = c.Wide, c.Terms
	}
	for _, in := range n.Inputs {
		c.In = append(c.In, e.value[in])
		c.wide, c.terms = append(c.wide, e.wide[in]), append(c.terms, e.terms[in])
	}
	k := kernelOf[T](n.Op)
	if k.Begin != nil {
		k.Begin(c)
	}
	switch {
	case k.Whole != nil:
		k.Whole(c)
	case k.Contract != nil:
		k.Contract(c, nil)
	case len(n.Shape) > 2:
		size := tensor.Size(n.Shape[2:])
		for p := range n.Shape[0] * n.Shape[1] {
			k.Each(c, p%n.Shape[1], p*size, (p+1)*size)
		}
	default:
		k.Each(c, 0, 0, out.Len())
	}
	for i, x := range c.Wide {
		out.Data[i] = T(x)
	}
	e.value[n] = out
}

// mustEqual fails unless got and want have the same shape and bits.
func mustEqual[T tensor.Float](t *testing.T, what string, got, want *tensor.Tensor[T]) {
	t.Helper()
	switch {
	case tensor.SameBits(got, want):
	case got.Len() <= 12:
		t.Fatalf("%s is %v, want %v", what, got, want)
	default:
		t.Fatalf("%s has other bits, shapes %v and %v", what, got.Shape, want.Shape)
	}
}

// mustPanic fails unless f panics with a message that contains part.
func mustPanic(t *testing.T, part string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		value := recover()
		if _, fault := value.(runtime.Error); fault || value == nil ||
			!strings.Contains(fmt.Sprint(value), part) {
			t.Errorf("recovered %v, want a panic with %q", value, part)
		}
	}()
	f()
}

// mustShapePanic fails unless f panics with a *ShapeError of the operator that names a node and shapes.
func mustShapePanic(t *testing.T, op string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		value := recover()
		err, _ := value.(error)
		var shapes *ShapeError
		if !errors.As(err, &shapes) || shapes.Op != op || shapes.Node == "" || len(shapes.Shapes) == 0 ||
			shapes.Why == "" {
			t.Errorf("recovered %v, want a *ShapeError of %s", value, op)
			return
		}
		for _, part := range []string{shapes.Node, op, fmt.Sprint(shapes.Shapes), shapes.Why} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q does not contain %q", err, part)
			}
		}
	}()
	f()
}

// planned returns the values of the plan that came about in that way.
func (p *Plan) planned(how How) (list []*Value) {
	for _, s := range p.Steps {
		for _, v := range s.Values {
			if v.How == how {
				list = append(list, v)
			}
		}
	}
	return list
}
