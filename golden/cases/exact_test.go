package cases

import (
	"math"
	"testing"

	"sdref/golden"
	"sdref/golden/graph"
	"sdref/golden/judge"
	"sdref/golden/precision"
	"sdref/golden/simulate"
	"sdref/tensor"
	"sdref/tensor/safetensors"
)

// evaluated is a case with its values.
func evaluated(t *testing.T, c *graph.Case) (in, values graph.Values) {
	t.Helper()
	in = c.Generate()
	values, err := c.Evaluate(in)
	if err != nil {
		t.Fatal(err)
	}
	return in, values
}

// TestExactCasesAreExact: whatever an honest machine does, its nodes that are said to be exact have the
// expected bits; and in an exact case those are all nodes for float32, truncating or not, and for TF32.
func TestExactCasesAreExact(t *testing.T) {
	machines := 4
	if testing.Short() {
		machines = 1
	}
	for _, c := range All() {
		if !c.Has("exact") {
			continue
		}
		in, values := evaluated(t, c)
		for _, p := range precision.Profiles {
			exact := Exact(c, in, values, p)
			for _, n := range c.Nodes {
				if !exact[n.Name] && (p == precision.FP32 || p == precision.FP32Truncating ||
					p == precision.TF32) {
					t.Errorf("%s: %s is not exact under %s", c.ID, n.Name, p)
				}
			}
			for _, m := range simulate.Machines(p, machines) {
				got, err := m.Run(c, in)
				if err != nil {
					t.Fatal(err)
				}
				for name := range exact {
					if d := golden.Compare(got[name].Data, values[name].Data); exact[name] && !d.Within(0) {
						t.Errorf("%s: %s under %v: %v", c.ID, name, m, golden.Judge(c.ID, name, d, 0))
					}
				}
			}
		}
	}
}

// TestRealCasesAreNotExact: no real case has a required node that would hide its precision, but for those
// that hardly round.
func TestRealCasesAreNotExact(t *testing.T) {
	for _, c := range All() {
		in, values := evaluated(t, c)
		for name, exact := range Exact(c, in, values, precision.FP32) {
			if n := c.Node(name); !c.Has("exact") && exact && n.Required &&
				graph.Lookup(n.Op).Class == graph.Contraction {
				t.Errorf("%s: %s is exact", c.ID, name)
			}
		}
	}
}

// TestInputsAreSingle: backends compute with float32, which holds every input.
func TestInputsAreSingle(t *testing.T) {
	for _, c := range All() {
		for name, v := range c.Generate() {
			if !precision.Single.Holds(v.Data) {
				t.Errorf("%s: float32 does not hold input %s", c.ID, name)
			}
		}
	}
}

func TestExponent(t *testing.T) {
	for v, want := range map[float64]int{1: 0, 3: 0, 0.75: -2, -6: 1, 0x1p-1074: -1074, 0x1.8p1000: 999,
		5 * 0x1p-130: -130} {
		if got := exponent(v); got != want {
			t.Errorf("the last bit of %g is 2^%d, want 2^%d", v, got, want)
		}
	}
	if q := quantum(tensor.From([]float64{0, 2, math.NaN(), 0.5}, 4)); q != -1 {
		t.Errorf("quantum 2^%d, want 2^-1", q)
	}
}

// TestCasesCanFail: zeros, a constant, the input, another case's answer and a right answer scaled fail every
// case, as does nothing at all.
func TestCasesCanFail(t *testing.T) {
	other := graph.Values{}
	for _, c := range All() {
		in, values := evaluated(t, c)
		if passed := judge.FalsePasses(c, in, values, Bounds(c.ID), other); len(passed) > 0 {
			t.Errorf("%s would pass %v", c.ID, passed)
		}
		if r := judge.Judge(c, in, values, Bounds(c.ID), nil, precision.FP32); r.Verdict != judge.Protocol {
			t.Errorf("%s: no answers are a %s", c.ID, r.Verdict)
		}
		if !c.Has("relation") { // related cases are right with each other's answers
			other = values
		}
	}
}

// TestRelationsHold: between the expected values of related cases.
func TestRelationsHold(t *testing.T) {
	for _, r := range Relations() {
		base, derived := Find(r.Base), Find(r.Derived)
		if base == nil || derived == nil {
			t.Errorf("%+v: no such case", r)
			continue
		}
		tried := func(c *graph.Case) judge.AnsweredCase {
			_, values := evaluated(t, c)
			answers := judge.Answers{}
			for name, v := range values {
				answers[name] = &judge.Answer{Shape: v.Shape, DType: "float64", Data: v.Data}
			}
			return judge.AnsweredCase{Case: c, Bounds: Bounds(c.ID), Answers: answers,
				Profile: precision.FP32}
		}
		if f := judge.Relate(r, tried(base), tried(derived), true); f != nil {
			t.Errorf("%+v: %+v", r, f)
		}
		spoilt := tried(derived)
		node := spoilt.Answers[r.DerivedNode]
		node.Data[len(node.Data)/2]++
		if judge.Relate(r, tried(base), spoilt, true) == nil {
			t.Errorf("%+v: a wrong element passes", r)
		}
	}
}

// TestCompareFileNamesTheElement: a stored value that differs is reported with case, node and element.
func TestCompareFileNamesTheElement(t *testing.T) {
	path := t.TempDir() + "/case.safetensors"
	tensors := func(v float64) *safetensors.File {
		return &safetensors.File{Tensors: []safetensors.Tensor{safetensors.New("2/code", []int{2},
			[]float64{1, v})}}
	}
	if err := safetensors.Write(path, tensors(2)); err != nil {
		t.Fatal(err)
	}
	if problem := compareFile(path, tensors(2)); problem != "" {
		t.Error(problem)
	}
	want := "FAIL " + path +
		" 2/code: error 2.2e-16, bound 0; element 1 of 2 is 2.0000000000000004, want 2, 1 ulp"
	if problem := compareFile(path, tensors(math.Nextafter(2, 3))); problem != want {
		t.Errorf("%q, want %q", problem, want)
	}
	if compareFile(path, &safetensors.File{}) == "" || compareFile(path+".missing", tensors(2)) == "" {
		t.Error("what is missing passes")
	}
}
