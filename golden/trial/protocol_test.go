package trial

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"sdref/golden"
	"sdref/golden/graph"
	"sdref/golden/judge"
	"sdref/golden/precision"
	"sdref/tensor/npy"
)

func small(id string) Request {
	b := graph.New(id, "prox", "an example", "real", "smoke")
	u := b.Input("u", golden.Fill{Shape: []int{2, 3}, Seed: 1, Scale: 2})
	b.Labels("labels", 2, 4, 1)
	b.Attrs["lambda"], b.Attrs["nonnegative"], b.Attrs["variant"], b.Attrs["mu"] = 0.25, true, "paper", 0
	z := b.Node("prox", graph.Place{Layer: "layer0.dn", Iteration: 2, Quantity: "code"},
		graph.Attrs{"lambda": 0.25, "nonnegative": 1}, u, b.Constant("step", 0.5))
	b.Node("relu", graph.Place{Quantity: "y"}, nil, z)
	b.Require(z)
	return Request{id, b.Case, b.Generate()}
}

func written(t *testing.T, requests ...Request) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "requests")
	if err := WriteRequests(dir, requests); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestWriteRequests(t *testing.T) {
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
	if c.ID != "a-1_again" || c.Kind != "prox" || c.Attrs["nonnegative"] != 1.0 ||
		c.Attrs["variant"] != "paper" {
		t.Errorf("%+v", c)
	}
	if want := (Output{"layer0.dn/2/code", "a-1_again/outputs/layer0.dn.2.code.npy", []int{2, 3},
		true}); !reflect.DeepEqual(c.Outputs[0], want) {
		t.Errorf("%+v, want %+v", c.Outputs[0], want)
	}
	for _, in := range c.Inputs {
		a, err := npy.Read(filepath.Join(dir, filepath.FromSlash(in.File)))
		if err != nil || !slices.Equal(a.Shape, in.Shape) || a.DType != in.DType ||
			!slices.Equal(a.Data, e.In[in.Name].Data) {
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

func TestWriteRequestsRefuses(t *testing.T) {
	for says, change := range map[string]func(e *Request){
		"blanks":        func(e *Request) { e.Case.Attrs["lambda"] = "a b" },
		"empty":         func(e *Request) { e.Case.Attrs["lambda"] = "" },
		"names":         func(e *Request) { e.ID = "../up" },
		"has blanks":    func(e *Request) { e.Case.Kind = "a kind" },
		"one file":      func(e *Request) { e.Case.Nodes[1].Name = "layer0.dn/2.code" },
		"not exact":     func(e *Request) { e.In["u"].Data[0] = 0.1 },
		"or two tensor": func(e *Request) { e.Case.Nodes[1].Name = "/etc/passwd" },
	} {
		e := small("a")
		change(&e)
		if err := WriteRequests(filepath.Join(t.TempDir(), "x"), []Request{e}); err == nil ||
			!strings.Contains(err.Error(), strings.TrimPrefix(says, "names")) {
			t.Errorf("%s: %v", says, err)
		}
	}
	full := written(t, small("a"))
	if err := WriteRequests(full, []Request{small("a")}); err == nil || !strings.Contains(err.Error(), full) {
		t.Errorf("a full folder: %v", err)
	}
}

// TestReadAnswers: what is wrong with a file is said with the file's name, in a few words, without the
// folder; no value is read of a file whose header or size is wrong.
func TestReadAnswers(t *testing.T) {
	e := small("a")
	code := npy.Encode(npy.Array{Shape: []int{2, 3}, DType: "float16", Data: []float64{0, 1, 2, 0, 0.5, 0}})
	changed := func(old, new string) []byte { return []byte(strings.Replace(string(code), old, new, 1)) }
	for says, file := range map[string][]byte{
		"":                      code,
		"an empty file":         {},
		"not a .npy file":       []byte("<html>"),
		"version 2.0":           changed("\x01\x00", "\x02\x00"),
		"is big-endian":         changed("<f2", ">f2"),
		"shape [6], want [2 3]": changed("(2, 3)", "(6,)  "),
		"bytes, want ":          code[:len(code)-1],
		"shape [9999 9999]":     changed("(2, 3), }      ", "(9999, 9999), }"),
		`type "\x1b[2J": want`:  changed("<f2", "\x1b[2J"),
		"want one descr":        changed("'descr': '<f2'", strings.Repeat("x", 14)),
		"Fortran order":         changed("False", "True "),
	} {
		dir := written(t, e)
		if err := os.WriteFile(filepath.Join(dir, "a", "outputs", "layer0.dn.2.code.npy"), file,
			0o666); err != nil {
			t.Fatal(err)
		}
		z := ReadAnswers(dir, e)["layer0.dn/2/code"]
		if says == "" {
			if z.Err != nil || z.DType != "float16" || z.Data[4] != 0.5 {
				t.Errorf("%+v", z)
			}
			continue
		}
		text := fmt.Sprint(z.Err)
		if z.Err == nil || z.Data != nil || !strings.HasPrefix(text, "layer0.dn.2.code.npy: ") ||
			!strings.Contains(text, says) {
			t.Errorf("%q, want %q", text, says)
		}
		if strings.Contains(text, dir) || strings.Contains(text, "\x1b") || len(text) > 200 {
			t.Errorf("a message with a path, control characters or too much: %q", text)
		}
	}
}

// TestStrangeFiles: a file of no node is an answer by its name; what is no regular file is refused without
// being opened, and so is what stands in the folder's place.
func TestStrangeFiles(t *testing.T) {
	e := small("a")
	dir := written(t, e)
	outputs := filepath.Join(dir, "a", "outputs")
	within(t, os.WriteFile(filepath.Join(outputs, "stray.npy"), nil, 0o666),
		os.Mkdir(filepath.Join(outputs, "y.npy"), 0o777),
		os.Symlink("/dev/zero", filepath.Join(outputs, "layer0.dn.2.code.npy")))
	a := ReadAnswers(dir, e)
	for name, says := range map[string]string{"stray.npy": "no node", "y": "y.npy: a folder",
		"layer0.dn/2/code": "a device"} {
		if a[name] == nil || a[name].Err == nil || !strings.Contains(a[name].Err.Error(), says) {
			t.Errorf("%s: %+v, want %q", name, a[name], says)
		}
	}
	within(t, os.RemoveAll(outputs))
	if a := ReadAnswers(dir, e); a["outputs"] == nil || a["outputs"].Err == nil {
		t.Errorf("without the folder: %v", a)
	}
}

// within fails on an error of the preparation.
func within(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func TestReadDeclaration(t *testing.T) {
	dir := t.TempDir()
	put := func(text string) {
		within(t, os.WriteFile(filepath.Join(dir, "backend.json"), []byte(text), 0o666))
	}
	const whole = `"name":"b","profile":"fp32","kinds":["prox"]`
	for text, says := range map[string]string{
		``: "an empty file", `[]`: "not a JSON object", `{}`: "name",
		`{"name":"b","profile":"fp33","kinds":["prox"]}`: `"fp33": want one of fp32`,
		`{"name":"b","profile":"fp32"}`:                  "kinds", `{"profile":"fp32","kinds":["prox"]}`: "name",
		`{"name":"b","profile":"fp32","kinds":"prox"}`: "key kinds: want a list of texts",
		`{` + whole + `,"deterministc":true}`:          `unknown key "deterministc"`,
		`{` + whole + `,"Device":"x"}`:                 `unknown key "Device"`,
		`{` + whole + `,"name":"c"}`:                   "key name is there twice",
		`{` + whole + `,"gradients":1}`:                "key gradients: want true or false",
		`{` + whole + `,"gradients":null}`:             "key gradients: want true or false",
		`{` + whole +
			`,"subnormals":"lost"}`: `key subnormals: "lost": want kept or flushed`,
		`{` + whole +
			`,"nan":"flushed"}`: `key nan: "flushed": want kept or unspecified`,
		`{` + whole + `,"folders":"files"}`:                     `key folders: "files": want stdin`,
		`{` + whole:                                             "does not end",
		`{` + whole + `}{}`:                                     "more than one",
		`{` + whole + `,"device":}`:                             "not JSON",
		`{"\u001b[2J` + strings.Repeat("x", 5000) + `":1}`:      `unknown key "\x1b[2J`,
		`{"name":"b","profile":"fp32","kinds":["prox","prox"]}`: `"prox" is there twice`,
		strings.Repeat(" ", maxDeclaration+1):                   "at the most",
	} {
		put(text)
		b, err := ReadDeclaration(dir)
		if err == nil || !strings.Contains(err.Error(), says) ||
			!strings.HasPrefix(err.Error(), "backend.json: ") ||
			len(err.Error()) > 200 || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%.60s: %+v, %v, want %s", text, b, err, says)
		}
	}
	put(`{` + whole +
		`,"device":"d\u001b[31m","deterministic":true,"gradients":false,"subnormals":"flushed","nan":"unspecified","folders":"stdin"}`)
	no := false
	want := Declaration{Name: "b", Profile: precision.FP32, Device: `"d\x1b[31m"`, Deterministic: true,
		Kinds:     []string{"prox"},
		Gradients: &no, Subnormals: Flushed, NaN: Unspecified, Folders: Stdin}
	d, err := ReadDeclaration(dir)
	if err != nil || !reflect.DeepEqual(d, want) || d.Platform() != (judge.Platform{FlushesSubnormals: true,
		NaNUnspecified: true}) {
		t.Errorf("%+v, %v", d, err)
	}
	if err := d.checkKinds([]string{"fista", "block"}); err == nil ||
		!strings.Contains(err.Error(), `no kind "prox"; there are fista, block`) {
		t.Errorf("an unknown kind: %v", err)
	}
	within(t, os.Remove(filepath.Join(dir, "backend.json")))
	if _, err := ReadDeclaration(dir); err == nil ||
		err.Error() != "backend.json: the backend did not write it" {
		t.Errorf("without the file: %v", err)
	}
	within(t, os.Symlink("/dev/zero", filepath.Join(dir, "backend.json")))
	if _, err := ReadDeclaration(dir); err == nil || !strings.Contains(err.Error(), "a device") {
		t.Errorf("a device: %v", err)
	}
}

func TestRunCommand(t *testing.T) {
	if _, err := os.Stat("/bin/sh"); err != nil {
		t.Skip("no /bin/sh")
	}
	dir := t.TempDir()
	var log bytes.Buffer
	if err := RunCommand(context.Background(), dir, []string{"/bin/sh", "-c",
		`echo "$0 $1"; echo done > "$1/file"`, "word"}, &log); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "file")); err != nil || log.String() != "word "+dir+"\n" {
		t.Errorf("%v, %q", err, log.String())
	}
	if err := RunCommand(context.Background(), dir, []string{"/bin/sh", "-c", "exit 3"}, &log); err == nil ||
		!strings.Contains(err.Error(), "3") {
		t.Errorf("a failing command: %v", err)
	}
	if err := RunCommand(context.Background(), dir, []string{"/no/such/command"}, &log); err == nil {
		t.Error("no such command")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := RunCommand(ctx, dir, []string{"/bin/sh", "-c", "exec sleep 60"},
		&log); err != context.DeadlineExceeded {
		t.Errorf("stopped: %v", err)
	}
}
