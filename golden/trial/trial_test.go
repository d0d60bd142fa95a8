package trial

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sdref/conv"
	"sdref/csc"
	"sdref/golden"
	"sdref/golden/graph"
	"sdref/golden/judge"
	"sdref/golden/precision"
	"sdref/tensor/npy"
)

// convolution is a small case; factor scales x.
func convolution(id string, factor float64) *graph.Case {
	b := graph.New(id, "conv_forward", "a test", "real")
	b.Attrs["padding"] = 1
	b.Require(b.Node("analysis", graph.Place{Quantity: "y"}, graph.Convolution(conv.Geometry{Padding: 1}),
		b.Input("x", golden.Fill{Shape: []int{2, 3, 5, 6}, Seed: 1, Scale: factor}),
		b.Input("w", golden.Fill{Shape: []int{4, 3, 3, 3}, Seed: 2, Scale: 0.5})))
	return b.Case
}

func power() *graph.Case {
	b := graph.New("power", "power_iteration", "a test", "real")
	for name, value := range map[string]any{"padding": 1, "height": 5, "width": 6, "rounds": 3,
		"share": 0.9} {
		b.Attrs[name] = value
	}
	v, w := b.Input("v0", golden.Fill{Shape: []int{1, 4, 5, 6}, Seed: 3, Scale: 1}),
		b.Input("w", golden.Fill{Shape: []int{4, 3, 3, 3}, Seed: 2, Scale: 0.5})
	vector, step := b.PowerIteration("", v, w, 5, 6, csc.Power{Rounds: 3, Share: 0.9},
		conv.Geometry{Padding: 1})
	b.Require(vector, "eigenvalue", step)
	return b.Case
}

// backend answers right, after change has been made to its answers.
func answering(d Declaration, change func(id string, a judge.Answers)) Client {
	return func(context.Context, []Request) (Declaration, func(Request) (judge.Answers, error), error) {
		return d, func(e Request) (judge.Answers, error) {
			values, err := Compute[float32](e.Case, e.In, true)
			if err != nil {
				return nil, err
			}
			a := judge.Answers{}
			for name, t := range values {
				data := make([]float64, t.Len())
				for i, v := range t.Data {
					data[i] = float64(v)
				}
				a[name] = &judge.Answer{Shape: t.Shape, DType: "float32", Data: data}
			}
			if change != nil {
				change(e.ID, a)
			}
			return a, nil
		}, nil
	}
}

var (
	honest = Declaration{Name: "test", Profile: precision.FP32, Device: "none", Deterministic: true,
		Kinds: []string{"conv_forward", "power_iteration"}}
	three = []*graph.Case{convolution("one", 1), convolution("up", 256), power()}
	usual = Trial{Cases: three, Kinds: []string{"conv_forward", "power_iteration", "prox"},
		Bounds: func(string) judge.Bounds { return nil },
		Relations: []judge.Relation{{Name: "times 256", Base: "one", Derived: "up", BaseNode: "y",
			DerivedNode: "y", Factor: 256}}}
)

func TestRun(t *testing.T) {
	add := func(id string, v float64) func(string, judge.Answers) {
		return func(at string, a judge.Answers) {
			if at == id {
				a["y"].Data[0] = precision.Single.Round(a["y"].Data[0] + v)
			}
		}
	}
	loose, nothing, half := honest, honest, honest
	loose.Deterministic = false
	nothing.Kinds = []string{"prox"}
	flushing, vague := honest, honest
	flushing.Subnormals, vague.NaN = Flushed, Unspecified
	half.Kinds = []string{"conv_forward"}
	for what, c := range map[string]struct {
		backend Declaration
		change  func(string, judge.Answers)
		verdict judge.Verdict
		report  int
		says    string
	}{
		"honest": {honest, nil, judge.Pass, 0, "the same bits"},
		"wrong":  {honest, add("one", 4), judge.Logic, 0, ""},
		"misses": {honest, func(_ string, a judge.Answers) {
			delete(a, "step")
		}, judge.Protocol, 2, ""},
		"silent the second time": {honest, func(id string, a judge.Answers) {
			if id == "one_again" {
				clear(a)
			}
		}, judge.Protocol, 0, ""},
		"flushing": {flushing, nil, judge.Pass, 0, ""},
		"vague":    {vague, nil, judge.Pass, 0, ""},
		"unsteady": {honest, add("one_again", 0x1p-20), judge.Logic, 0, ""},
		"unsteady, and says so": {loose, add("one_again", 0x1p-20), judge.Pass, 0,
			"asked twice, 1 nodes differ"},
		"does nothing": {nothing, nil, judge.Untrusted, 1, ""},
		"does some":    {half, nil, judge.Pass, 2, ""},
		"depends on scale": {honest, func(id string, a judge.Answers) {
			add("up", 0x1p-14)(id, a)
		}, judge.Suspect, 1, ""},
	} {
		r, err := usual.Run(context.Background(), answering(c.backend, c.change))
		if err != nil {
			t.Fatal(err)
		}
		if r.Verdict != c.verdict || !strings.Contains(strings.Join(r.Reports[c.report].Notes, ";"), c.says) {
			t.Errorf("%s: %s, %+v", what, r.Verdict, r.Reports[c.report])
		}
		if len(r.Reports) != len(three) {
			t.Errorf("%s: %d reports", what, len(r.Reports))
		}
		if v := r.Reports[c.report].Verdict; v != c.verdict && !(v == judge.NotCovered) {
			t.Errorf("%s: report %d is %s", what, c.report, v)
		}
	}
}

// A backend without gradients is asked for none, nor for what is computed from them; a case of gradients
// alone is not covered, and none is distrusted for what such a backend need not answer.
func TestWithoutGradients(t *testing.T) {
	b := graph.New("prox", "prox", "a test", "real")
	b.Attrs["lambda"], b.Attrs["nonnegative"] = 0.25, true
	b.Require(b.Node("prox", graph.Place{Quantity: "z"}, graph.Attrs{"lambda": 0.25, "nonnegative": 1},
		b.Input("u", golden.Fill{Shape: []int{50}, Seed: 1, Scale: 1}), b.Constant("step", 0.25)))
	dz := b.Input("grad/z", golden.Fill{Shape: []int{50}, Seed: 2, Scale: 1})
	b.Require(b.Backward("z", dz, "u")...)
	b.Require(b.Node("velocity", graph.Place{Quantity: "after"}, graph.Attrs{"momentum": 0.5}, "u", "grad/u",
		"u"))
	forward := func(change func(a judge.Answers), gradients bool, list ...*graph.Case) (*Result, error) {
		d := Declaration{Name: "forward", Profile: precision.FP32, Kinds: []string{"prox", "conv_filter"},
			Gradients: &gradients}
		return Trial{Cases: list, Kinds: d.Kinds, Bounds: usual.Bounds}.Run(context.Background(),
			answering(d, func(_ string, a judge.Answers) { change(a) }))
	}
	for what, c := range map[string]struct {
		gone      []string
		gradients bool
		want      judge.Verdict
	}{
		"gone":               {[]string{"grad/u", "after"}, false, judge.Pass},
		"gone, and promised": {[]string{"grad/u"}, true, judge.Protocol},
		"the rest":           {[]string{"z", "grad/u", "after"}, false, judge.Protocol},
	} {
		r, err := forward(func(a judge.Answers) {
			for _, name := range c.gone {
				delete(a, name)
			}
		}, c.gradients, b.Case)
		if err != nil || r.Verdict != c.want {
			t.Errorf("%s: %+v, %v", what, r.Reports, err)
		}
	}
	if b.Case.Node("grad/u").Required != true {
		t.Error("the case itself was changed")
	}
	f := graph.New("filter", "conv_filter", "", "real")
	f.Require(f.Node("filter", graph.Place{Layer: "grad", Quantity: "w"},
		graph.Attrs{"kernel_height": 1, "kernel_width": 1},
		f.Input("x", golden.Fill{Shape: []int{1, 2, 2, 2}, Seed: 1, Scale: 1}),
		f.Input("grad/y", golden.Fill{Shape: []int{1, 2, 2, 2}, Seed: 2, Scale: 1})))
	r, err := forward(func(a judge.Answers) {
		for _, name := range []string{"grad/u", "after", "grad/w"} {
			delete(a, name)
		}
	}, false, b.Case, f.Case)
	if err != nil || r.Verdict != judge.Pass || r.Reports[1].Verdict != judge.NotCovered {
		t.Errorf("a case of gradients alone: %+v, %v", r, err)
	}
}

// The case of each kind that shows most is asked twice, whichever kinds a backend does, and the result says
// how many were.
func TestRepeats(t *testing.T) {
	var ids []string
	for _, r := range usual.requests() {
		ids = append(ids, r.ID)
	}
	if want := []string{"one", "up", "power", "one_again", "power_again"}; !slices.Equal(ids, want) {
		t.Errorf("%q, want %q", ids, want)
	}
	some := honest
	some.Kinds = []string{"power_iteration"}
	r, err := usual.Run(context.Background(), answering(some, nil))
	if err != nil || r.Repeated != 1 || r.Differing != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	exact := convolution("exact", 1)
	exact.Flags = []string{"exact"}
	if showsOrder(exact) != 0 || showsOrder(convolution("real", 1)) != 2*4*5*6 {
		t.Error("a case of exact data shows the order of sums")
	}
}

// A case that zeros pass is not trusted, whoever answers.
func TestUntrustedCase(t *testing.T) {
	c := convolution("zeros", 0)
	r, err := Trial{Cases: []*graph.Case{c}, Bounds: usual.Bounds}.Run(context.Background(),
		answering(honest, nil))
	if err != nil || r.Verdict != judge.Untrusted || !strings.Contains(r.Reports[0].Notes[0], "zeros") {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestLargestEigenvalue(t *testing.T) {
	facts := usual
	for largest, want := range map[float64]judge.Verdict{1e9: judge.Pass, 1e-9: judge.Logic} {
		facts.Facts = func(id string) map[string]float64 {
			return map[string]float64{"largest_eigenvalue": largest}
		}
		if r, err := facts.Run(context.Background(), answering(honest, nil)); err != nil ||
			r.Reports[2].Verdict != want {
			t.Errorf("%v: %v, %v", largest, r, err)
		}
	}
}

func TestRunEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := usual.Run(ctx, answering(honest, nil)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	broken := errors.New("no backend")
	_, err := usual.Run(context.Background(), func(context.Context, []Request) (b Declaration,
		_ func(Request) (judge.Answers, error), err error) {
		return b, nil, broken
	})
	if !errors.Is(err, broken) {
		t.Error(err)
	}
}

// Interrupted after the first case, a trial has that case's report, and says which others there are none of.
func TestInterrupted(t *testing.T) {
	whole, err := usual.Run(context.Background(), answering(honest, nil))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r, err := usual.Run(ctx, answering(honest, func(string, judge.Answers) { cancel() }))
	if err != nil {
		t.Fatal(err)
	}
	if !r.Interrupted || len(r.Reports) != 1 || r.Reports[0].Case != three[0].ID || r.Reports[0].Verdict != whole.Reports[0].Verdict ||
		!slices.Equal(r.Unjudged, []string{three[1].ID, three[2].ID}) || whole.Interrupted || whole.Unjudged != nil {
		t.Errorf("%+v", r)
	}
}

func TestFormats(t *testing.T) {
	r, err := usual.Run(context.Background(), answering(Declaration{Name: "<test>", Profile: precision.FP32,
		Kinds: []string{"conv_forward"}}, func(id string, a judge.Answers) {
		if id == "one" {
			a["y"].Data[3] = 1e30
			a["y"].DType = "float64"
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	r.Command = []string{"./my backend", "--gpu", "0", "it's"}
	var text bytes.Buffer
	if err := WriteJSON(&text, r); err != nil {
		t.Fatal(err)
	}
	var back struct {
		Schema  int
		Verdict judge.Verdict
		Cases   []judge.Report
	}
	if err := json.Unmarshal(text.Bytes(), &back); err != nil || back.Schema != 1 ||
		back.Verdict != judge.Logic || len(back.Cases) != 3 || back.Cases[0].First.Node != "y" {
		t.Errorf("%v: %s", err, text.String())
	}
	text.Reset()
	if err := WriteJUnit(&text, r); err != nil {
		t.Fatal(err)
	}
	var suite struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Skipped  int `xml:"skipped,attr"`
		Cases    []struct {
			Name    string `xml:"name,attr"`
			Failure *struct {
				Text string `xml:",chardata"`
			} `xml:"failure"`
			Skipped *struct{} `xml:"skipped"`
		} `xml:"testcase"`
	}
	if err := xml.Unmarshal(text.Bytes(), &suite); err != nil || suite.Tests != 3 || suite.Failures != 1 ||
		suite.Skipped != 1 ||
		!strings.Contains(suite.Cases[0].Failure.Text,
			`ref judge -case one -- './my backend' --gpu 0 'it'\''s'`) || suite.Cases[1].Failure != nil ||
		suite.Cases[2].Skipped == nil {
		t.Errorf("%v: %+v: %s", err, suite, text.String())
	}
}

// prepare writes right answers to the usual cases, and a declaration, into a folder for commands to copy.
func prepare(t *testing.T, d Declaration) string {
	t.Helper()
	prepared := t.TempDir()
	_, answers, err := answering(d, nil)(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range usual.requests() {
		a, err := answers(e)
		if err != nil {
			t.Fatal(err)
		}
		folder := filepath.Join(prepared, e.ID, "outputs")
		if err := os.MkdirAll(folder, 0o777); err != nil {
			t.Fatal(err)
		}
		for name, v := range a {
			if err := npy.Write(filepath.Join(folder, FileName(name)),
				npy.Array{Shape: v.Shape, DType: v.DType, Data: v.Data}); err != nil {
				t.Fatal(err)
			}
		}
	}
	self, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(prepared, "backend.json"), self, 0o666); err != nil {
		t.Fatal(err)
	}
	return prepared
}

// A command that copies right answers into the folder passes; one that dies, or writes nothing, is an error.
func TestCommand(t *testing.T) {
	if _, err := os.Stat("/bin/sh"); err != nil {
		t.Skip("no /bin/sh")
	}
	prepared := prepare(t, honest)
	run := func(script string) (*Result, error) {
		dir := filepath.Join(t.TempDir(), "cases")
		return usual.Run(context.Background(), Command(dir, []string{"/bin/sh", "-c", script, prepared},
			10*time.Second, io.Discard))
	}
	if r, err := run(`cp -r "$0/." "$1"`); err != nil || r.Verdict != judge.Pass {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err := run(`cp -r "$0/." "$1"; : > "$1/one/outputs/y.npy"`); err != nil ||
		r.Verdict != judge.Protocol || r.Reports[0].First.Node != "y" {
		t.Errorf("an empty file: %+v, %v", r, err)
	}
	if r, err := run(`cp -r "$0/." "$1"; rm -r "$1/up/outputs"`); err != nil ||
		r.Reports[1].Verdict != judge.Protocol || r.Reports[0].Verdict != judge.Pass {
		t.Errorf("a folder removed: %+v, %v", r, err)
	}
	if r, err := run(`cp -r "$0/." "$1"; cp "$1/one/outputs/y.npy" "$1/one/outputs/Y.npy"`); err != nil ||
		r.Reports[0].Verdict != judge.Protocol || r.Reports[0].First.Place() != `answer "Y.npy"` {
		t.Errorf("a file of no node: %+v, %v", r, err)
	}
	if _, err := run(`cp -r "$0/." "$1"; sed -i s/conv_forward/conv_foward/ "$1/backend.json"`); err == nil ||
		!strings.Contains(err.Error(), `no kind "conv_foward"`) {
		t.Errorf("an unknown kind: %v", err)
	}
	if _, err := run(`cp -r "$0/." "$1"; exit 4`); err == nil || !strings.Contains(err.Error(), "4") {
		t.Errorf("a failing command: %v", err)
	}
	if _, err := run(`true`); err == nil || !strings.Contains(err.Error(), "backend.json") {
		t.Errorf("a command that does nothing: %v", err)
	}
	slow := func(script string) (*Result, error) {
		dir := filepath.Join(t.TempDir(), "cases")
		return usual.Run(context.Background(), Command(dir, []string{"/bin/sh", "-c", script, prepared},
			2*time.Second, io.Discard))
	}
	if r, err := slow(`cp -r "$0/." "$1"; rm "$1/power/outputs/step.npy"; sleep 600`); err != nil ||
		!r.Stopped ||
		r.Reports[0].Verdict != judge.Pass || r.Reports[2].Verdict != judge.Protocol {
		t.Errorf("stopped: %+v, %v", r, err)
	}
	if _, err := slow(`sleep 600`); err == nil || !strings.Contains(err.Error(), "not done after 2s") {
		t.Errorf("stopped without a word: %v", err)
	}
}
