package onnx

import (
	"fmt"
	"slices"
	"strings"

	"sdref/autodiff"
)

// speaker makes a model, node by node.
type speaker struct {
	Export
	model *Model
	known map[string][]string     // helping values and numbers, by what they are
	open  map[*autodiff.Node]bool // nodes whose first size is left open
	at    *autodiff.Node          // the node that is being said
	count int                     // of its helping values
}

// call is an ONNX operator about to be applied.
type call struct {
	op         string
	in         []string
	attributes []Attribute
}

func apply(op string, in ...string) call { return call{op: op, in: in} }

// with adds an attribute.
func (c call) with(name string, value any) call {
	c.attributes = append(c.attributes, Attribute{name, value})
	return c
}

// name is what a node is called in the model.
func (s *speaker) name(n *autodiff.Node) string {
	if name := s.Names[n]; name != "" {
		return name
	}
	return n.Name
}

// value describes a node as an input or output of the model.
func (s *speaker) value(n *autodiff.Node, t Type) Value {
	v := Value{Name: s.name(n), Type: t, Shape: slices.Clone(n.Shape)}
	if s.open[n] {
		v.Shape[0] = Batch
	}
	return v
}

// input appends an input of the model. Class labels are whole numbers, all others float32.
func (s *speaker) input(n *autodiff.Node, needed map[*autodiff.Node]bool) {
	s.open[n] = s.FreeBatch && len(n.Shape) > 0
	t := Float32
	for _, user := range s.graph().Nodes {
		if needed[user] && isLabels(user, n) {
			t = Int64
		}
	}
	s.model.Inputs = append(s.model.Inputs, s.value(n, t))
}

// isLabels tells whether a node takes an input as class labels.
func isLabels(user, input *autodiff.Node) bool {
	row := table[user.Op.Name]
	return row.labels > 0 && len(user.Inputs) > row.labels && user.Inputs[row.labels] == input
}

// say appends what computes a node, under its name.
func (s *speaker) say(n *autodiff.Node) error {
	if why := refusal(n.Op.Name); why != "" {
		return &Unsayable{n.Name, n.Op.Name, why}
	}
	row := table[n.Op.Name]
	s.open[n] = s.open[n.Inputs[0]]
	open := func(in *autodiff.Node) bool { return s.open[in] }
	if !(row.batch && s.open[n]) && slices.ContainsFunc(n.Inputs, open) {
		return &Unsayable{n.Name, n.Op.Name, "the number of images is left open, and it needs that number"}
	}
	s.at, s.count = n, 0
	var in []string
	for _, i := range n.Inputs {
		in = append(in, s.name(i))
	}
	s.emit(row.say(s, n, in), s.name(n))
	return nil
}

func (s *speaker) emit(c call, outputs ...string) {
	n := Node{Name: outputs[0], Op: c.op, Inputs: c.in, Outputs: outputs, Attributes: c.attributes}
	s.model.Nodes = append(s.model.Nodes, n)
}

// get returns the name of a helping value, which has no place in the graph; the same one for equal calls.
func (s *speaker) get(c call) string { return s.gets(c, 1)[0] }

// gets is get for an operator with several outputs.
func (s *speaker) gets(c call, outputs int) []string {
	key := fmt.Sprintf("%s %q %v", c.op, c.in, c.attributes)
	if s.known[key] == nil {
		var names []string
		for range outputs {
			s.count++
			names = append(names, fmt.Sprintf("%s:%d", s.name(s.at), s.count))
		}
		s.emit(c, names...)
		s.known[key] = names
	}
	return s.known[key]
}

// constant appends a constant unless the model has it.
func (s *speaker) constant(t Tensor) string {
	if s.known[t.Name] == nil {
		s.known[t.Name] = []string{t.Name}
		s.model.Constants = append(s.model.Constants, t)
	}
	return t.Name
}

// number is a constant number.
func (s *speaker) number(v float64) string {
	x := float32(v)
	return s.constant(Tensor{Name: fmt.Sprintf("number:%v", x), Shape: []int{}, Floats: []float32{x}})
}

// ints is a constant list of whole numbers: axes, or a shape.
func (s *speaker) ints(list ...int) string {
	name := "ints:" + strings.Trim(strings.ReplaceAll(fmt.Sprint(list), " ", ","), "[]")
	t := Tensor{Name: name, Shape: []int{len(list)}, Ints: []int64{}}
	for _, i := range list {
		t.Ints = append(t.Ints, int64(i))
	}
	return s.constant(t)
}

// whole is a constant whole number.
func (s *speaker) whole(i int) string {
	return s.constant(Tensor{Name: fmt.Sprintf("int:%d", i), Shape: []int{}, Ints: []int64{int64(i)}})
}

// times is a value times a number, the value itself where that is 1.
func (s *speaker) times(value string, factor float64) string {
	if factor == 1 {
		return value
	}
	return s.get(apply("Mul", value, s.number(factor)))
}
