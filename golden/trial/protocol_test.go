package trial

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"sdref/golden"
	"sdref/golden/graph"
	"sdref/golden/precision"
	"sdref/tensor/npy"
)

func small(id string) Exam {
	b := graph.New(id, "prox", "an example", "real", "smoke")
	u := b.Input("u", golden.Fill{Shape: []int{2, 3}, Seed: 1, Scale: 2})
	b.Labels("labels", 2, 4, 1)
	b.Attrs["lambda"], b.Attrs["nonnegative"], b.Attrs["variant"], b.Attrs["mu"] = 0.25, true, "paper", 0
	z := b.Node("prox", graph.Place{Layer: "layer0.dn", Iteration: 2, Quantity: "code"}, graph.Attrs{"lambda": 0.25, "nonnegative": 1}, u, b.Constant("step", 0.5))
	b.Node("relu", graph.Place{Quantity: "y"}, nil, z)
	b.Require(z)
	return Exam{id, b.Case, b.Generate()}
}

func written(t *testing.T, exams ...Exam) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "exams")
	if err := WriteExams(dir, exams); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestWriteExams(t *testing.T) {
	e := small("a-1")
	again := e
	again.ID = "a-1_again"
	dir := written(t, e, again)
	text, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var m Manifest
	if err := json.Unmarshal(text, &m); err != nil || m.Schema != 1 || len(m.Cases) != 2 {
		t.Fatalf("%+v, %v", m, err)
	}
	c := m.Cases[1]
	if c.ID != "a-1_again" || c.Kind != "prox" || c.Attrs["nonnegative"] != 1.0 || c.Attrs["variant"] != "paper" {
		t.Errorf("%+v", c)
	}
	if want := (Output{"layer0.dn/2/code", "a-1_again/outputs/layer0.dn.2.code.npy", []int{2, 3}, true}); !reflect.DeepEqual(c.Outputs[0], want) {
		t.Errorf("%+v, want %+v", c.Outputs[0], want)
	}
	for _, in := range c.Inputs {
		a, err := npy.Read(filepath.Join(dir, filepath.FromSlash(in.File)))
		if err != nil || !slices.Equal(a.Shape, in.Shape) || a.DType != in.DType || !slices.Equal(a.Data, e.In[in.Name].Data) {
			t.Errorf("%s: %+v, %v", in.Name, a, err)
		}
	}
	lines, err := os.ReadFile(filepath.Join(dir, "manifest.txt"))
	if err != nil {
		t.Fatal(err)
	}
	const want = `schema 1
case a-1 prox
flag real
flag smoke
attr lambda 0.25
attr mu 0
attr nonnegative 1
attr variant paper
input u a-1/inputs/u.npy 2 2 3
input labels a-1/inputs/labels.npy 1 2
input step a-1/inputs/step.npy 0
output layer0.dn/2/code a-1/outputs/layer0.dn.2.code.npy 1 2 2 3
output y a-1/outputs/y.npy 0 2 2 3
end
`
	if first, _, _ := strings.Cut(string(lines), "case a-1_again"); first != want {
		t.Errorf("manifest.txt:\n%s", first)
	}
}

func TestWriteExamsRefuses(t *testing.T) {
	for says, change := range map[string]func(e *Exam){
		"blanks":        func(e *Exam) { e.Case.Attrs["lambda"] = "a b" },
		"empty":         func(e *Exam) { e.Case.Attrs["lambda"] = "" },
		"names":         func(e *Exam) { e.ID = "../up" },
		"has blanks":    func(e *Exam) { e.Case.Kind = "a kind" },
		"one file":      func(e *Exam) { e.Case.Nodes[1].Name = "layer0.dn/2.code" },
		"not exact":     func(e *Exam) { e.In["u"].Data[0] = 0.1 },
		"or two tensor": func(e *Exam) { e.Case.Nodes[1].Name = "/etc/passwd" },
	} {
		e := small("a")
		change(&e)
		if err := WriteExams(filepath.Join(t.TempDir(), "x"), []Exam{e}); err == nil || !strings.Contains(err.Error(), strings.TrimPrefix(says, "names")) {
			t.Errorf("%s: %v", says, err)
		}
	}
	full := written(t, small("a"))
	if err := WriteExams(full, []Exam{small("a")}); err == nil || !strings.Contains(err.Error(), full) {
		t.Errorf("a full folder: %v", err)
	}
}

func TestReadAnswers(t *testing.T) {
	e := small("a")
	dir := written(t, e)
	outputs := filepath.Join(dir, "a", "outputs")
	put := func(name string, file []byte) {
		if err := os.WriteFile(filepath.Join(outputs, name), file, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	code := npy.Encode(npy.Array{Shape: []int{2, 3}, DType: "float16", Data: []float64{0, 1, 2, 0, 0.5, 0}})
	put("layer0.dn.2.code.npy", code)
	put("y.npy", code[:len(code)-1])
	put("stray.npy", nil)
	a, err := ReadAnswers(dir, e)
	if err != nil || len(a) != 3 {
		t.Fatalf("%v, %v", a, err)
	}
	if z := a["layer0.dn/2/code"]; z.Err != nil || z.DType != "float16" || z.Data[4] != 0.5 {
		t.Errorf("%+v", z)
	}
	if y := a["y"]; y.Err == nil || !strings.Contains(y.Err.Error(), "y.npy") {
		t.Errorf("a cut file: %+v", y)
	}
	if s := a["stray.npy"]; s == nil || s.Err == nil {
		t.Errorf("a stray file: %+v", s)
	}
	if err := os.RemoveAll(outputs); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadAnswers(dir, e); err == nil {
		t.Error("no outputs folder")
	}
}

func TestReadBackend(t *testing.T) {
	dir := t.TempDir()
	for text, says := range map[string]string{
		``: "JSON", `[]`: "array", `{}`: "profile", `{"name":"b","profile":"fp33","kinds":["prox"]}`: "fp33",
		`{"name":"b","profile":"fp32"}`: "kinds", `{"profile":"fp32","kinds":["prox"]}`: "name", `{"name":"b","profile":"fp32","kinds":"prox"}`: "kinds",
	} {
		if err := os.WriteFile(filepath.Join(dir, "backend.json"), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if b, err := ReadBackend(dir); err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "backend.json") {
			t.Errorf("%s: %+v, %v", text, b, err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "backend.json"), []byte(`{"name":"b","profile":"tf32","device":"d","deterministic":true,"kinds":["prox"],"more":1}`), 0o666); err != nil {
		t.Fatal(err)
	}
	want := Backend{Name: "b", Profile: precision.TF32, Device: "d", Deterministic: true, Kinds: []string{"prox"}}
	if b, err := ReadBackend(dir); err != nil || !reflect.DeepEqual(b, want) {
		t.Errorf("%+v, %v", b, err)
	}
	if _, err := ReadBackend(t.TempDir()); err == nil || !strings.Contains(err.Error(), "did not write") {
		t.Errorf("without the file: %v", err)
	}
}

func TestRunCommand(t *testing.T) {
	if _, err := os.Stat("/bin/sh"); err != nil {
		t.Skip("no /bin/sh")
	}
	dir := t.TempDir()
	var log bytes.Buffer
	if err := RunCommand(context.Background(), dir, []string{"/bin/sh", "-c", `echo "$0 $1"; echo done > "$1/file"`, "word"}, &log); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "file")); err != nil || log.String() != "word "+dir+"\n" {
		t.Errorf("%v, %q", err, log.String())
	}
	if err := RunCommand(context.Background(), dir, []string{"/bin/sh", "-c", "exit 3"}, &log); err == nil || !strings.Contains(err.Error(), "3") {
		t.Errorf("a failing command: %v", err)
	}
	if err := RunCommand(context.Background(), dir, []string{"/no/such/command"}, &log); err == nil {
		t.Error("no such command")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := RunCommand(ctx, dir, []string{"/bin/sh", "-c", "exec sleep 60"}, &log); err != context.DeadlineExceeded {
		t.Errorf("stopped: %v", err)
	}
}
