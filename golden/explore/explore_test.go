package explore_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sdref/golden/cases"
	"sdref/golden/explore"
	"sdref/golden/faults"
	"sdref/golden/graph"
	"sdref/golden/judge"
	"sdref/golden/precision"
	"sdref/golden/simulate"
)

// backend answers by a machine, with a mistake or without, and is judged as one that declares its profile.
func backend(m simulate.Machine, f *faults.Fault, traced bool) explore.Ask {
	return func(_ context.Context, list []*graph.Case) (reports []judge.Report, err error) {
		for _, c := range list {
			in := c.Generate()
			expected, err := c.Evaluate(in)
			if err != nil {
				return nil, err
			}
			bounds, err := cases.ExactBounds(c, m.Profile)
			if err != nil {
				return nil, err
			}
			a, err := f.Answers(m, c, in, traced)
			if err != nil {
				return nil, err
			}
			reports = append(reports, judge.Judge(c, in, expected, bounds, a, m.Profile))
		}
		return reports, nil
	}
}

// drawn ends an exploration when so many cases have been drawn or one fault was found.
func drawn(e *explore.Explorer, most int) func() bool {
	return func() bool { return e.Cases >= most || len(e.Findings) > 0 }
}

// mostDrawn is after how many cases a fault must be found. A simulated backend takes a minute for them, one on
// the CPU ten seconds.
const mostDrawn = 2000

// TestFaultsAreFound plants one mistake after the other in an honest backend that is known in nothing else:
// each is found, shrunk, and the rule names the coordinates that it depends on.
func TestFaultsAreFound(t *testing.T) {
	if testing.Short() {
		t.Skip("explores once for each of several faults")
	}
	for _, c := range []struct {
		fault  string
		traced bool
		says   []string // parts of the rule
	}{
		{"size/ninth-image", true, []string{"analysis", "batch is greater than 8"}},
		{"size/channels-beyond-128", true, []string{"channels are greater than 128 and not a multiple of 4"}},
		{"size/columns-beyond-32", true, []string{"columns of the code are more than 2^5 = 32"}},
		{"size/channels-6-9-15", true, []string{"channels are 6, 9, 15 and atoms are a multiple of 4",
			"right at channels 1, 2, 3, 4, 5, 7, 8,"}},
		{"size/channels-6-9-15", false, []string{"channels are 6, 9, 15 and atoms are a multiple of 4"}},
		{"size/elements-beyond-2^15", true, []string{"more than 2^15 = 32768"}},
		{"size/elements-beyond-2^16", true, []string{"more than 2^16 = 65536"}},
		{"size/dilation-under-stride", true, []string{"stride is greater than 1", "dilation is greater than 1"}},
		{"size/padding-of-oblong", true, []string{"padding is greater than 0",
			"kernel rows and kernel columns differ"}},
		{"prox/sign-of-small", true, []string{"prox", "magnitude is 2^-2", "codes have both signs"}},
		{"fista/momentum-from-5", true, []string{"extrapolate", "fista", "iterations are greater than 4"}},
		{"eigenvalue/of-vector", true, []string{"sum_squares", "power_iteration"}},
		{"eigenvalue/change-root", true, []string{"distance", "power_iteration"}},
	} {
		t.Run(fmt.Sprint(c.fault, "/traced=", c.traced), func(t *testing.T) {
			m := simulate.New(precision.FP32)
			e := &explore.Explorer{Seed: 1, Kinds: cases.Drawable(), Ask: backend(m, faults.Find(c.fault), c.traced)}
			if err := e.Run(context.Background(), drawn(e, mostDrawn)); err != nil {
				t.Fatal(err)
			}
			if len(e.Findings) == 0 {
				t.Fatalf("not found in %d cases", e.Cases)
			}
			f := e.Findings[0]
			t.Logf("after %d cases and %d more: %s\n%s\n%s\nof %d drawn by the rule %d failed", e.Cases, e.Asked,
				f.Rule, f.Point, f.Report.Summary(), f.Rule.Drawn, f.Rule.Failed)
			for _, part := range c.says {
				if !strings.Contains(f.Rule.String(), part) {
					t.Errorf("%q is not in the rule", part)
				}
			}
			if f.Point.Cost() > f.Drawn.Cost() {
				t.Errorf("the smallest case costs more than the one that was drawn, %s", f.Drawn)
			}
		})
	}
}

var honestCases = flag.Int("honest", 60, "how many cases TestHonest draws for each of the honest backends, with -short a fourth of them")

// TestHonest: nothing is found in backends that sum in any order, split sums, fuse, or reduce in float64, with
// traces or without.
func TestHonest(t *testing.T) {
	machine := func(change func(m *simulate.Machine)) simulate.Machine {
		m := simulate.New(precision.FP32)
		change(&m)
		return m
	}
	count := *honestCases
	if testing.Short() {
		count /= 4
	}
	for i, m := range []simulate.Machine{
		machine(func(*simulate.Machine) {}),
		machine(func(m *simulate.Machine) { m.Order, m.Width = simulate.Blocked, 16 }), // split-K
		machine(func(m *simulate.Machine) { m.Order, m.Width, m.Fused = simulate.Lanes, 8, true }),
		machine(func(m *simulate.Machine) { m.Order, m.Double, m.Rearranged = simulate.Pairwise, true, true }),
		machine(func(m *simulate.Machine) { m.Order, m.Seed, m.Reciprocal = simulate.Shuffled, 5, true }),
		simulate.Drawn(precision.TF32, 7), simulate.Drawn(precision.BF16, 8), simulate.Drawn(precision.FP16, 9),
		simulate.Drawn(precision.FP32Truncating, 10), simulate.Drawn(precision.FP32Winograd, 11),
	} {
		t.Run(m.String(), func(t *testing.T) {
			e := &explore.Explorer{Seed: uint64(i), Kinds: cases.Drawable(),
				Ask: backend(m, &faults.Fault{}, i%2 == 0)}
			if err := e.Run(context.Background(), drawn(e, count)); err != nil {
				t.Fatal(err)
			}
			for _, f := range e.Findings {
				t.Errorf("found, though there is nothing: %s\n%s\n%s", f.Rule, f.Point, f.Report.Summary())
			}
			t.Logf("%d cases", e.Cases)
		})
	}
}

// TestSameSeedSameCases: which cases are drawn depends on the seed and the kinds that the backend does, and
// not on what it answers.
func TestSameSeedSameCases(t *testing.T) {
	draw := func(seed uint64, f *faults.Fault) (ids []string) {
		ask := backend(simulate.New(precision.FP32), f, true)
		e := &explore.Explorer{Seed: seed, Kinds: []string{"prox", "conv_forward"}}
		e.Ask = func(ctx context.Context, list []*graph.Case) ([]judge.Report, error) {
			if e.Asked == 0 {
				for _, c := range list {
					ids = append(ids, c.ID)
				}
			}
			return ask(ctx, list)
		}
		if err := e.Run(context.Background(), drawn(e, 50)); err != nil {
			t.Fatal(err)
		}
		return ids
	}
	first := draw(3, &faults.Fault{})
	if again := draw(3, &faults.Fault{}); len(first) < 50 || !slices.Equal(again, first) {
		t.Errorf("%d cases, and %d the second time", len(first), len(again))
	}
	wrong := draw(3, faults.Find("prox/sign-of-small"))
	if n := min(len(wrong), 26); n < 2 || !slices.Equal(wrong[:n], first[:n]) {
		t.Error("the cases depend on the answers")
	}
	if other := draw(4, &faults.Fault{}); slices.Equal(other[2:], first[2:]) {
		t.Error("another seed draws the same cases")
	}
}

// TestBreakdowns: a backend that crashes over a case is reported with the cases over which it does; one that
// gets through none cannot be explored.
func TestBreakdowns(t *testing.T) {
	honest := backend(simulate.New(precision.FP32), &faults.Fault{}, true)
	crash := &explore.BrokenError{Cause: errors.New("exit status 139")}
	crashing := func(over func(c *graph.Case) bool) explore.Ask {
		return func(ctx context.Context, list []*graph.Case) ([]judge.Report, error) {
			if slices.ContainsFunc(list, over) {
				return nil, crash
			}
			return honest(ctx, list)
		}
	}
	e := &explore.Explorer{Kinds: []string{"conv_forward", "prox"}, Ask: crashing(func(c *graph.Case) bool {
		return c.Kind == "conv_forward" && c.Attrs["stride"].(int) == 3
	})}
	if err := e.Run(context.Background(), drawn(e, mostDrawn)); err != nil {
		t.Fatal(err)
	}
	if len(e.Findings) != 1 || !strings.Contains(e.Findings[0].Rule.String(), "the backend: wrong in conv_forward where stride is 3") ||
		!strings.Contains(e.Findings[0].First.Reason, "139") {
		t.Errorf("%d found: %+v", len(e.Findings), e.Findings)
	}
	e = &explore.Explorer{Kinds: []string{"prox"}, Ask: crashing(func(*graph.Case) bool { return true })}
	if err := e.Run(context.Background(), drawn(e, 50)); err == nil || err.Error() != "exit status 139" {
		t.Errorf("a backend that always crashes: %v", err)
	}
	e = &explore.Explorer{Kinds: []string{"prox"}, Ask: func(_ context.Context, list []*graph.Case) ([]judge.Report, error) {
		return make([]judge.Report, len(list)), errors.New("no space")
	}}
	if err := e.Run(context.Background(), drawn(e, 50)); err == nil || err.Error() != "no space" {
		t.Errorf("an error: %v", err)
	}
}

// TestNothingCovered: a backend that does no kind ends the exploration.
func TestNothingCovered(t *testing.T) {
	e := &explore.Explorer{Kinds: cases.Drawable(), Ask: func(_ context.Context, list []*graph.Case) (reports []judge.Report,
		err error) {
		return slices.Repeat([]judge.Report{{Verdict: judge.NotCovered}}, len(list)), nil
	}}
	if err := e.Run(context.Background(), func() bool { return false }); err != nil || e.Cases != 0 || len(e.Doing) != 0 {
		t.Errorf("%v, %+v", err, e.Summary)
	}
}

func TestFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "found.json")
	f := &explore.Finding{Point: cases.Point{Kind: "prox", Seed: 1<<52 + 1, At: map[string]int{"magnitude": -40, "columns": 3}}}
	if err := f.Save(path); err != nil {
		t.Fatal(err)
	}
	p, err := explore.Load(path)
	if err != nil || p.String() != f.Point.String() || p.Seed != f.Point.Seed {
		t.Errorf("%+v, %v", p, err)
	}
	folder, name := filepath.Split(path)
	if same, err := explore.LoadFS(os.DirFS(folder), name); err != nil || same.String() != p.String() || same.Seed != p.Seed {
		t.Errorf("from a file system %+v, %v", same, err)
	}
	if _, err := explore.LoadFS(os.DirFS(folder), "absent.json"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent from a file system: %v", err)
	}
	for text, says := range map[string]string{
		``: "EOF", `{`: "EOF", `[]`: "cannot unmarshal", `{"kind":"prox"} {}`: "more than one",
		`{}`: `kind ""`, `{"kind":"proxy"}`: `kind "proxy": want one of conv_forward`, `{"kind":"prox","sed":1}`: `"sed"`,
		`{"kind":"prox","at":{"colums":1}}`:                              `"colums"`,
		`{"kind":"prox","at":{"columns":0}}`:                             "columns 0: want 1 to",
		`{"kind":"prox","at":{"columns":1e9}}`:                           "",
		`{"kind":"fista","at":{"iterations":0}}`:                         "iterations 0",
		`{"kind":"conv_forward","at":{"kernel rows":2}}`:                 "meets no pixel",
		`{"kind":"batchnorm","at":{"training":1}}`:                       "exact and training",
		`{"kind":"conv_filter","at":{"rows":1000000,"columns":1000000}}`: "multiply-adds",
		strings.Repeat(" ", 1<<16+1):                                     "no case",
	} {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := explore.Load(path); err == nil || !strings.HasPrefix(err.Error(), path+": ") ||
			!strings.Contains(err.Error(), says) {
			t.Errorf("%.60s: %v, want %q", text, err, says)
		}
	}
	if _, err := explore.Load(filepath.Join(t.TempDir(), "absent.json")); err == nil || !strings.Contains(err.Error(), "absent.json") {
		t.Errorf("absent: %v", err)
	}
}
