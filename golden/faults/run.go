package faults

import (
	"maps"
	"slices"

	"sdref/golden/graph"
	"sdref/golden/judge"
	"sdref/golden/precision"
	"sdref/golden/simulate"
	"sdref/tensor"
)

// Subject is a case that faults are planted in, with what a judge needs for it.
type Subject struct {
	Case         *graph.Case
	In, Expected graph.Values
	Bounds       judge.Bounds
}

// planted is a subject with what an honest backend computes of it.
type planted struct {
	*Subject
	machine simulate.Machine
	honest  map[string]*Tensor
	other   judge.Answers // honest, to another case
}

func newPlanted(s *Subject) (*planted, error) {
	t := &planted{Subject: s, machine: simulate.New(precision.FP32), honest: map[string]*Tensor{}}
	_, err := t.machine.RunWith(s.Case, s.In, func(c *simulate.Call) *Tensor {
		t.honest[c.Name] = t.machine.Apply(c)
		return t.honest[c.Name]
	})
	return t, err
}

// run computes the case with a fault.
func (t *planted) run(f *Fault) map[string]*Tensor {
	nodes := map[string]*Tensor{}
	wrong := t.machine
	if f.Machine != nil {
		f.Machine(&wrong)
	}
	// an input of the case is in neither
	unchanged := func(name string) bool { return nodes[name] == t.honest[name] }
	apply := func(c *simulate.Call) *Tensor {
		var y *Tensor
		switch planted := f.strikes(c); {
		case !planted && !slices.ContainsFunc(c.Inputs, func(name string) bool { return !unchanged(name) }):
			return keep(nodes, c, t.honest[c.Name])
		default:
			y = f.apply(&wrong, c)
		}
		if same(y, t.honest[c.Name]) {
			y = t.honest[c.Name] // the very same, so that what follows need not be computed again
		}
		return keep(nodes, c, y)
	}
	if _, err := t.machine.RunWith(t.Case, t.In, apply); err != nil {
		panic(err) // the honest run was none
	}
	return nodes
}

// strikes tells whether the mistake is made in a node.
func (f *Fault) strikes(c *simulate.Call) bool { return f.At == nil || f.At(c.Case, c.Node) }

// apply computes a node with the mistake, if it is made there.
func (f *Fault) apply(m *simulate.Machine, c *simulate.Call) *Tensor {
	if f.Compute != nil && f.strikes(c) {
		return f.Compute(m, c)
	}
	return m.Apply(c)
}

// Answers are what a machine with the mistake answers to a case, one of Compute or Machine: all nodes if it is
// traced, else those that it must.
func (f *Fault) Answers(m simulate.Machine, c *graph.Case, in graph.Values, traced bool) (judge.Answers, error) {
	if f.Machine != nil {
		f.Machine(&m)
	}
	values, err := m.RunWith(c, in, func(call *simulate.Call) *Tensor { return f.apply(&m, call) })
	a := judge.Answers{}
	for i := range c.Nodes {
		if n := &c.Nodes[i]; err == nil && (n.Required || traced) {
			a[n.Name] = &judge.Answer{Shape: slices.Clone(n.Shape), DType: "float32", Data: values[n.Name].Data}
		}
	}
	return a, err
}

func keep(nodes map[string]*Tensor, c *simulate.Call, y *Tensor) *Tensor {
	nodes[c.Name] = y
	return y
}

// isFaulty tells whether a node's value is not what it should be, given the values of its inputs.
func (t *planted) isFaulty(nodes map[string]*Tensor, name string) bool {
	values := maps.Clone(nodes)
	for input, v := range t.In {
		values[input] = tensor.Convert[float32](v)
	}
	return !same(nodes[name], t.machine.Apply(simulate.NewCall(t.Case, t.Case.Node(name), values)))
}

// answers hands nodes over to a judge, with the trace or without.
func (t *planted) answers(nodes map[string]*Tensor, traced bool) judge.Answers {
	a := judge.Answers{}
	for i := range t.Case.Nodes {
		if n := &t.Case.Nodes[i]; n.Required || traced {
			y := nodes[n.Name]
			a[n.Name] = &judge.Answer{Shape: slices.Clone(y.Shape), DType: "float32",
				Data: tensor.Convert[float64](y).Data}
		}
	}
	return a
}

// judged is what a judge says of a fault in a case.
func (t *planted) judged(j JudgeFunc, f *Fault, traced bool) Cell {
	cell := Cell{Fault: f.ID, Case: t.Case.ID, Exact: t.Case.Has("exact"), Smoke: t.Case.Has("smoke")}
	if f.At != nil && !slices.ContainsFunc(t.Case.Nodes, func(n graph.Node) bool {
		return f.At(t.Case, &n)
	}) {
		return cell
	}
	nodes, right := t.honest, t.answers(t.honest, traced)
	var a judge.Answers
	if f.Tamper == nil {
		nodes = t.run(f)
		a = t.answers(nodes, traced)
	} else {
		a = t.answers(nodes, traced)
		f.Tamper(t.Case, a, t.other)
	}
	for name, answer := range right {
		cell.Live = cell.Live || !equal(answer, a[name])
	}
	if !cell.Live {
		return cell
	}
	cell.Verdict, cell.Killed, cell.FirstNode = t.verdict(j, f, right, a)
	if cell.FirstNode != "" {
		cell.FirstFaulty = !equal(right[cell.FirstNode], a[cell.FirstNode]) &&
			(f.Tamper != nil || t.isFaulty(nodes, cell.FirstNode))
	}
	return cell
}

// verdict is what a judge says of answers, whether that is a failure, and the first node found wrong.
func (t *planted) verdict(j JudgeFunc, f *Fault,
	right, a judge.Answers) (v judge.Verdict, failed bool, firstNode string) {
	if f.Second {
		if differ := judge.Repeat(t.Case, right, a); len(differ) > 0 {
			return judge.Logic, true, differ[0]
		}
		return judge.Pass, false, ""
	}
	r := j(t.Subject, a)
	if r.First != nil {
		firstNode = r.First.Node
	}
	return r.Verdict, r.Verdict.Failed(), firstNode
}

// equal tells whether two answers are the same in every respect.
func equal(a, b *judge.Answer) bool {
	return b != nil && slices.Equal(a.Shape, b.Shape) && a.DType == b.DType &&
		slices.EqualFunc(a.Data, b.Data, func(v, w float64) bool { return v == w || v != v && w != w })
}

// predecessor is the subject before i of the same kind, or else the one before it.
func predecessor(subjects []Subject, i int) int {
	for k := i - 1; k >= 0; k-- {
		if subjects[k].Case.Kind == subjects[i].Case.Kind {
			return k
		}
	}
	return (i + len(subjects) - 1) % len(subjects)
}
