package clients

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sdref/golden/cases"
	"sdref/golden/graph"
	"sdref/golden/judge"
	"sdref/golden/precision"
	"sdref/golden/trial"
)

const python = "/usr/bin/python3" // Debian's, to which python3-torch and python3-numpy belong

// lacks says why Python cannot use a module, by the module's name; "" if it can. PyTorch takes seconds to begin.
var lacks = map[string]string{}

// needs skips the test where Python lacks a module.
func needs(t *testing.T, module string) {
	t.Helper()
	reason, known := lacks[module]
	if !known {
		if output, err := exec.Command(python, "-c", "import "+module).CombinedOutput(); err != nil {
			reason = fmt.Sprintf("%s has no %s: %v %s", python, module, err, lastLine(output))
		}
		lacks[module] = reason
	}
	if reason != "" {
		t.Skip(reason)
	}
}

func lastLine(output []byte) string {
	lines := strings.Split(strings.TrimSpace(string(output)), "\n")
	return lines[len(lines)-1]
}

// judged runs a command on the given cases and returns what the judge says.
func judged(t *testing.T, list []*graph.Case, command ...string) *trial.Result {
	t.Helper()
	var log bytes.Buffer
	all := trial.Trial{Cases: list, Bounds: cases.Bounds, Facts: cases.Facts, Relations: cases.Relations()}
	result, err := all.Run(context.Background(), trial.Command(
		filepath.Join(t.TempDir(), "cases"), command, 0,
		&log))
	if err != nil {
		t.Fatalf("%v: %v\n%s", command, err, log.String())
	}
	return result
}

// mustPass demands that every case of these kinds passes, that all others are not covered, and that the
// numbers show no other arithmetic than the declared one.
func mustPass(t *testing.T, result *trial.Result, kinds []string) {
	t.Helper()
	passed := 0
	for _, r := range result.Reports {
		switch {
		case !slices.Contains(kinds, r.Kind):
			if r.Verdict != judge.NotCovered {
				t.Errorf("%s: %s, kind %s is not covered", r.Case, r.Verdict, r.Kind)
			}
		case r.Verdict == judge.Pass:
			passed++
		// float16 does not judged all cases
		case r.Verdict != judge.NotCovered || result.Backend.Profile != precision.FP16:
			t.Errorf("%s: %s: %s %q", r.Case, r.Verdict, r.Summary(), r.Notes)
		}
	}
	if passed == 0 {
		t.Error("no case passed")
	}
}

// mustTrace demands that every node of the cases of these kinds was answered and judged by itself.
func mustTrace(t *testing.T, result *trial.Result, kinds []string) {
	t.Helper()
	for _, r := range result.Reports {
		if slices.Contains(kinds, r.Kind) && (r.Answered != r.Nodes || r.Direct != r.Nodes) {
			t.Errorf("%s: %d of %d nodes answered, %d judged by themselves", r.Case, r.Answered, r.Nodes,
				r.Direct)
		}
	}
}

// chosen is all cases or, with -short, the smoke set.
func chosen() []*graph.Case {
	if testing.Short() {
		return smoke()
	}
	return cases.All()
}

var (
	operators = []string{"conv_forward", "conv_transpose", "conv_filter", "prox", "batchnorm"}
	solvers   = []string{"fista", "power_iteration", "csc_layer"}
	networks  = []string{"block", "network", "training_step"}
)

func TestC(t *testing.T) {
	compiler, err := exec.LookPath("cc")
	if err != nil {
		t.Skip("no C compiler")
	}
	builds := map[string][]string{"O0": {"-O0"}, "O3": {"-O3"},
		"native": {"-O3", "-march=native", "-ffp-contract=fast"}}
	for name, flags := range builds {
		t.Run(name, func(t *testing.T) {
			if name != "O3" && testing.Short() {
				t.Skip("a build of the same client")
			}
			program := filepath.Join(t.TempDir(), "client")
			args := append([]string{"-std=c99", "-Wall", "-Wextra", "-Werror", "-o", program}, flags...)
			if output, err := exec.Command(compiler, append(args, "c/client.c",
				"-lm")...).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, output)
			}
			list := chosen()
			if name == "O0" { // the arithmetic of O3, slowly
				list = smoke()
			}
			result := judged(t, list, program)
			mustPass(t, result, slices.Concat(operators, solvers))
			mustTrace(t, result, slices.Concat(operators, solvers))
		})
	}
}

func TestPyTorch(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 12 s; TestC and TestNumPy ask clients in two other languages")
	}
	needs(t, "torch")
	all := slices.Concat(operators, solvers, networks)
	result := judged(t, chosen(), python, "pytorch/client.py")
	mustPass(t, result, all)
	mustTrace(t, result, all)
	for _, r := range result.Reports {
		if r.Inferred != "" && r.Inferred != precision.FP32 {
			t.Errorf("%s: taken for %s", r.Case, r.Inferred)
		}
	}
}

// TestPyTorchHalf runs the shorter formats, the smoke set only: what a processor cannot do is emulated.
func TestPyTorchHalf(t *testing.T) {
	if testing.Short() {
		t.Skip("PyTorch twice; TestPyTorch runs it once")
	}
	needs(t, "torch")
	for _, p := range []precision.Profile{precision.BF16, precision.FP16} {
		t.Run(string(p), func(t *testing.T) {
			result := judged(t, smoke(), python, "pytorch/client.py", "--emulate", "--precision", string(p))
			mustPass(t, result, slices.Concat(operators, solvers, networks))
		})
	}
}

// TestPyTorchUndeclared lets it compute in a shorter format than it says.
func TestPyTorchUndeclared(t *testing.T) {
	if testing.Short() {
		t.Skip("PyTorch twice; golden/faults has machines that do so")
	}
	needs(t, "torch")
	wide := slices.DeleteFunc(slices.Clone(cases.All()), func(c *graph.Case) bool {
		return !strings.Contains(c.ID, "3x3-64-real")
	})
	for _, p := range []precision.Profile{precision.BF16, precision.FP16} {
		result := judged(t, wide, python, "pytorch/client.py", "--emulate", "--precision", string(p),
			"--declare", "fp32")
		for _, r := range result.Reports {
			if r.Verdict != judge.Precision || r.Inferred != p {
				t.Errorf("%s in %s: %s, taken for %s", r.Case, p, r.Verdict, r.Inferred)
			}
		}
	}
}

// TestPyTorchWithoutTraces judges end results only.
func TestPyTorchWithoutTraces(t *testing.T) {
	if testing.Short() {
		t.Skip("golden/faults judges without traces too")
	}
	needs(t, "torch")
	result := judged(t, smoke(), python, "pytorch/client.py", "--no-trace")
	mustPass(t, result, slices.Concat(operators, solvers, networks))
	for _, r := range result.Reports {
		if r.Kind == "csc_layer" && r.Direct == r.Nodes {
			t.Errorf("%s: %d of %d nodes judged by themselves, without a trace", r.Case, r.Direct, r.Nodes)
		}
	}
}

// TestPyTorchRefuses asks for what the processor cannot do.
func TestPyTorchRefuses(t *testing.T) {
	if testing.Short() {
		t.Skip("loads PyTorch")
	}
	needs(t, "torch")
	output, err := exec.Command(python, "pytorch/client.py", "--precision", "tf32",
		t.TempDir()).CombinedOutput()
	if err == nil || !strings.Contains(string(output), "TF32 is a mode of CUDA devices") {
		t.Errorf("%v: %s", err, output)
	}
}

func smoke() []*graph.Case {
	return slices.DeleteFunc(slices.Clone(cases.All()), func(c *graph.Case) bool { return !c.Has("smoke") })
}

// guide returns the first code block of docs/golden.md that holds the text.
func guide(t *testing.T, holds string) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/golden.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range strings.Split(string(text), "```python\n")[1:] {
		if code, _, _ := strings.Cut(block, "```"); strings.Contains(code, holds) {
			return code
		}
	}
	t.Fatalf("docs/golden.md has no Python with %q", holds)
	return ""
}

// TestGuide has the guide's backend judged, and the one with its planted mistake.
func TestGuide(t *testing.T) {
	needs(t, "numpy")
	const right, mistake = "taps(x, w, g, *z.shape[2:])", "taps(x, w[:, :, ::-1, ::-1], g, *z.shape[2:])"
	code := guide(t, right)
	folder, err := filepath.Abs("harness")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PYTHONPATH", folder)
	file := filepath.Join(t.TempDir(), "first.py")
	run := func(code string, list []*graph.Case) *trial.Result {
		if err := os.WriteFile(file, []byte(code), 0o666); err != nil {
			t.Fatal(err)
		}
		return judged(t, list, python, file)
	}
	result := run(code, chosen())
	if kinds := []string{"conv_forward", "conv_transpose", "prox", "fista"}; !slices.Equal(result.Backend.Kinds, kinds) {
		t.Errorf("kinds %q, want %q", result.Backend.Kinds, kinds)
	}
	mustPass(t, result, result.Backend.Kinds)
	result = run(strings.Replace(code, right, mistake, 1), []*graph.Case{cases.Find("fista-20")})
	if first := result.Reports[0].First; result.Verdict != judge.Logic || first == nil ||
		first.Node != "2/synthesis" {
		t.Errorf("%s, first %+v; want LOGIC at 2/synthesis", result.Verdict, first)
	}
}

// TestGuideFill compares the guide's fill rule with the cases' inputs.
func TestGuideFill(t *testing.T) {
	needs(t, "numpy")
	program := "import math\n" + guide(t, "def fill(") +
		"\nassert fill(4, 1, 1) == [0.13312304019927979, 0.49156343936920166, 0.9420053958892822, " +
		"-0.1112816333770752]" +
		"\nassert fill(8, 1, 0.5, levels=3) == [0, 0.5, 0.5, 0, 0, 0.5, 0.5, 0]\n" + `
import json, pathlib, sys, numpy
folder, compared = pathlib.Path(sys.argv[1]), 0
for case in json.loads((folder / 'manifest.json').read_text())['cases']:
    for i in case['inputs']:
        rule = i['fill']
        if i.get('reversed') or i.get('nan') or i['dtype'] != 'float64' or numpy.prod(i['shape']) > 5000:
            continue
        values = fill(int(numpy.prod(rule['shape'])), rule['seed'], rule['scale'], rule.get('offset', 0), rule.get('levels', 0))
        want = numpy.load(folder / i['file'])
        assert (numpy.reshape(values, rule['shape']) == want).all(), (case['id'], i['name'])
        compared += 1
assert compared > 20
(folder / 'backend.json').write_text('{"name": "fill", "profile": "fp32", "kinds": ["prox"]}')
`
	file := filepath.Join(t.TempDir(), "fill.py")
	if err := os.WriteFile(file, []byte(program), 0o666); err != nil {
		t.Fatal(err)
	}
	judged(t, smoke(), python, file)
}
