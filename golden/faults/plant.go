package faults

import (
	"maps"
	"slices"
	"strings"

	"sdref/golden/graph"
	"sdref/golden/simulate"
	"sdref/tensor"
)

// compute is how a node is computed wrongly.
type compute = func(m *simulate.Machine, c *simulate.Call) *Tensor

// place says which nodes a mistake is made in.
type place = func(c *graph.Case, n *graph.Node) bool

// mistake is a row of a group of the catalogue.
type mistake struct {
	name, what string
	at         place
	compute    compute
	equivalent string
}

// group makes faults of logic of the rows of one group.
func group(name string, rows []mistake) []Fault {
	faults := make([]Fault, len(rows))
	for i, r := range rows {
		faults[i] = Fault{ID: name + "/" + r.name, What: r.what, Class: Logic, At: r.at, Compute: r.compute,
			Equivalent: r.equivalent}
	}
	return faults
}

// on is every node of some operators.
func on(ops ...string) place {
	return func(_ *graph.Case, n *graph.Node) bool { return slices.Contains(ops, n.Op) }
}

// both is where both conditions hold.
func both(a, b place) place {
	return func(c *graph.Case, n *graph.Node) bool { return a(c, n) && b(c, n) }
}

// having is every node with an attribute above a number.
func having(attribute string, above float64) place {
	return func(_ *graph.Case, n *graph.Node) bool { return n.Attrs[attribute] > above }
}

// isGradient tells a node of the backward pass.
func isGradient(n *graph.Node) bool { return strings.HasPrefix(n.Name, "grad/") }

// called is every node of the forward pass with a name among its layer's or its iteration's quantities.
func called(quantity string) place {
	return func(_ *graph.Case, n *graph.Node) bool { return n.Quantity == quantity && !isGradient(n) }
}

// before computes honestly from an input that edit has changed.
func before(i int, edit func(c *simulate.Call, t *Tensor)) compute {
	return func(m *simulate.Machine, c *simulate.Call) *Tensor {
		t := c.In[i].Clone()
		edit(c, t)
		return m.Apply(with(c, i, t))
	}
}

// after changes an honest result.
func after(edit func(c *simulate.Call, y *Tensor)) compute {
	return func(m *simulate.Machine, c *simulate.Call) *Tensor {
		y := m.Apply(c)
		edit(c, y)
		return y
	}
}

// setting computes honestly with another value of an attribute.
func setting(name string, value func(c *simulate.Call, old float64) float64) compute {
	return func(m *simulate.Machine, c *simulate.Call) *Tensor {
		return m.Apply(withAttr(c, name, value(c, c.Attrs[name])))
	}
}

// to is a setting that does not depend on what it was.
func to(v float64) func(*simulate.Call, float64) float64 {
	return func(*simulate.Call, float64) float64 { return v }
}

// scaled multiplies an honest result.
func scaled(s float32) compute {
	return after(func(_ *simulate.Call, y *Tensor) {
		for i := range y.Data {
			y.Data[i] *= s
		}
	})
}

// with is a call with another input i.
func with(c *simulate.Call, i int, t *Tensor) *simulate.Call {
	changed := *c
	changed.In = slices.Clone(c.In)
	changed.In[i] = t
	return &changed
}

// withAttr is a call with another value of an attribute.
func withAttr(c *simulate.Call, name string, value float64) *simulate.Call {
	changed, node := *c, *c.Node
	node.Attrs = graph.Attrs{}
	maps.Copy(node.Attrs, c.Attrs)
	node.Attrs[name] = value
	changed.Node = &node
	return &changed
}

// each visits the elements of a tensor (A, B, H, W).
func each(t *Tensor, visit func(a, b, i, j int, v *float32)) {
	s := t.Shape
	for at := range t.Data {
		visit(at/(s[1]*s[2]*s[3]), at/(s[2]*s[3])%s[1], at/s[3]%s[2], at%s[3], &t.Data[at])
	}
}

// old is what an output buffer holds beforehand: the result of the last node before c of the same operator
// and shape, or ones.
func old(c *simulate.Call) *Tensor {
	last := tensor.New[float32](c.Shape...)
	last.Fill(1)
	for i := range c.Case.Nodes {
		n := &c.Case.Nodes[i]
		if n.Name == c.Name {
			break
		}
		if n.Op == c.Op && slices.Equal(n.Shape, c.Shape) {
			last = c.Values[n.Name]
		}
	}
	return last
}
