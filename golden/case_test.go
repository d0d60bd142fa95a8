package golden

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	"sdref/tensor/safetensors"
)

const small = `{
 "name": "layer/small", "kind": "csc_layer", "note": "not read",
 "attrs": {"stride": 2, "lambda": 0.1, "nonnegative": true, "rule": "0.9/lambda_max", "whole": 3.0, "big": 1e400, "none": null},
 "inputs": {
  "x": {"shape": [2, 3], "seed": 1002, "scale": 2.0},
  "q": {"shape": [2], "seed": 5, "scale": 1, "levels": 9},
  "labels": [4, 0],
  "parameters": {"bn.weight": {"shape": [5], "seed": 18446744073709551615, "scale": 0.25, "offset": 1.0, "extra": "ignored"}}
 },
 "scalars": {"count": 7, "losses": [1, 2.5], "rows": [[1], [], [2, 3]], "holes": [1, null],
  "steps": {"layer0.dn": {"step": 0.5}, "layer1": {}}, "not a table": 1}
}`

// writeCase puts a case into dir, with its expected tensors.
func writeCase(t testing.TB, dir, name, text string, tensors ...safetensors.Tensor) string {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name)+".json")
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := safetensors.Write(tensorsBeside(path), &safetensors.File{Tensors: tensors}); err != nil {
		t.Fatal(err)
	}
	return path
}

func loadSmall(t *testing.T) *Case {
	t.Helper()
	c, err := Load(writeCase(t, t.TempDir(), "small", small,
		safetensors.New("z", []int{2, 2}, []float64{1, 2, 3, 4}),
		safetensors.New("narrow", []int{2}, []float32{0.5, -1}),
		safetensors.New("count", nil, []int64{1<<53 + 1})))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// says fails unless err has every one of the given texts.
func says(t *testing.T, err error, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("error %v, want one that says %s", err, text)
		}
	}
}

func equal[T any](t *testing.T, what string, got T, err error, want T) {
	t.Helper()
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%s: %v, %v, want %v", what, got, err, want)
	}
}

func TestLoad(t *testing.T) {
	c := loadSmall(t)
	equal(t, "name", c.Name, nil, "layer/small")
	equal(t, "kind", c.Kind, nil, "csc_layer")
	equal(t, "labels", c.Labels, nil, []int{4, 0})
	equal(t, "inputs", c.Inputs, nil, map[string]Fill{
		"x": {Shape: []int{2, 3}, Seed: 1002, Scale: 2},
		"q": {Shape: []int{2}, Seed: 5, Scale: 1, Levels: 9}})
	equal(t, "parameters", c.Parameters, nil, map[string]Fill{
		"bn.weight": {Shape: []int{5}, Seed: math.MaxUint64, Scale: 0.25, Offset: 1}})
	x, err := c.Input("x", 2, 3)
	equal(t, "x", x, err, c.Inputs["x"].Values())
	w, err := c.Parameter("bn.weight", 5)
	equal(t, "bn.weight", w, err, c.Parameters["bn.weight"].Values())
	z, err := c.Tensor("z", 2, 2)
	equal(t, "z", z, err, []float64{1, 2, 3, 4})
	n, err := c.Tensor("narrow", 2)
	equal(t, "narrow", n, err, []float64{0.5, -1})
}

func TestFields(t *testing.T) {
	c := loadSmall(t)
	i, err := c.Attrs.Int("stride")
	equal(t, "stride", i, err, 2)
	f, err := c.Attrs.Float("lambda")
	equal(t, "lambda", f, err, 0.1)
	f, err = c.Attrs.Float("stride")
	equal(t, "stride as a float", f, err, 2)
	b, err := c.Attrs.Bool("nonnegative")
	equal(t, "nonnegative", b, err, true)
	s, err := c.Attrs.String("rule")
	equal(t, "rule", s, err, "0.9/lambda_max")
	l, err := c.Scalars.Floats("losses")
	equal(t, "losses", l, err, []float64{1, 2.5})
	r, err := c.Scalars.Rows("rows")
	equal(t, "rows", r, err, [][]float64{{1}, {}, {2, 3}})
	steps, err := c.Scalars.Map("steps")
	equal(t, "steps", steps.Names(), err, []string{"layer0.dn", "layer1"})
	one, err := steps.Map("layer0.dn")
	if err != nil {
		t.Fatal(err)
	}
	f, err = one.Float("step")
	equal(t, "step", f, err, 0.5)
	if !c.Attrs.Has("none") || c.Attrs.Has("absent") {
		t.Error("Has is wrong")
	}
}

func TestFieldsRefuse(t *testing.T) {
	c := loadSmall(t)
	steps, _ := c.Scalars.Map("steps")
	inner, _ := steps.Map("layer1")
	var ints []int
	for field, err := range map[string]error{
		"attrs.absent":              second(c.Attrs.Int("absent")),
		"attrs.rule":                second(c.Attrs.Float("rule")),
		"attrs.lambda":              second(c.Attrs.Int("lambda")),
		"attrs.whole":               second(c.Attrs.Int("whole")),
		"attrs.big":                 second(c.Attrs.Float("big")),
		"attrs.none":                second(c.Attrs.Bool("none")),
		"attrs.stride":              second(c.Attrs.Bool("stride")),
		"attrs.nonnegative":         second(c.Attrs.String("nonnegative")),
		"scalars.count":             second(c.Scalars.Floats("count")),
		"scalars.losses":            second(c.Scalars.Rows("losses")),
		"scalars.rows":              c.Scalars.Into("rows", &ints),
		"scalars.holes":             second(c.Scalars.Floats("holes")),
		"scalars.not a table":       second(c.Scalars.Map("not a table")),
		"scalars.no table":          second(c.Scalars.Map("no table")),
		"scalars.steps.layer1.step": second(inner.Float("step")),
		"attrs.none: null":          second(c.Attrs.Map("none")),
		"inputs.y":                  second(c.Input("y", 2)),
		"inputs.x: shape [2 3]":     second(c.Input("x", 3, 2)),
		"inputs.parameters.w":       second(c.Parameter("w")),
		`"w"`:                       second(c.Tensor("w", 1)),
		`"z" has shape [2 2]`:       second(c.Tensor("z", 4)),
		`"count"`:                   second(c.Tensor("count")),
	} {
		says(t, err, "layer/small", strings.TrimSuffix(c.Path, ".json"), field)
	}
	if v, err := c.Scalars.Floats("rows"); err == nil || v != nil {
		t.Errorf("a failed read returned %v, %v", v, err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestDamagedCases(t *testing.T) {
	fill := func(fields string) string { return `{"name":"n","kind":"k","inputs":{"x":{` + fields + `}}}` }
	for name, c := range map[string]struct{ text, says string }{
		"empty":               {"", "JSON"},
		"cut":                 {small[:200], "JSON"},
		"a list":              {"[]", "array"},
		"NaN, as Python does": {`{"name":"n","kind":"k","scalars":{"loss":NaN}}`, "invalid character"},
		"no name":             {`{"kind":"k"}`, "name: missing"},
		"name is empty":       {`{"name":"","kind":"k"}`, "name: empty"},
		"no kind":             {`{"name":"n"}`, "kind: missing"},
		"kind is a number":    {`{"name":"n","kind":1}`, "kind"},
		"attrs is a list":     {`{"name":"n","kind":"k","attrs":[]}`, "attrs"},
		"attrs is null":       {`{"name":"n","kind":"k","attrs":null}`, "attrs: null"},
		"scalars is a number": {`{"name":"n","kind":"k","scalars":1}`, "scalars"},
		"inputs is a list":    {`{"name":"n","kind":"k","inputs":[1]}`, "inputs"},
		"labels is a number":  {`{"name":"n","kind":"k","inputs":{"labels":1}}`, "inputs.labels"},
		"no labels":           {`{"name":"n","kind":"k","inputs":{"labels":[]}}`, "inputs.labels"},
		"negative label":      {`{"name":"n","kind":"k","inputs":{"labels":[1,-1]}}`, "inputs.labels"},
		"parameters is null":  {`{"name":"n","kind":"k","inputs":{"parameters":null}}`, "inputs.parameters"},
		"broken parameter": {`{"name":"n","kind":"k","inputs":{"parameters":{"w":{"seed":1}}}}`,
			"inputs.parameters.w.shape: missing"},
		"input is a number":  {`{"name":"n","kind":"k","inputs":{"x":1}}`, "inputs.x"},
		"no shape":           {fill(`"seed":1,"scale":1`), "inputs.x.shape: missing"},
		"no seed":            {fill(`"shape":[1],"scale":1`), "inputs.x.seed: missing"},
		"no scale":           {fill(`"shape":[1],"seed":1`), "inputs.x.scale: missing"},
		"negative seed":      {fill(`"shape":[1],"seed":-1,"scale":1`), "inputs.x.seed"},
		"levels is negative": {fill(`"shape":[1],"seed":1,"scale":1,"levels":-2`), "inputs.x: levels -2"},
		"offset is a text":   {fill(`"shape":[1],"seed":1,"scale":1,"offset":"0"`), "inputs.x.offset"},
		"null side":          {fill(`"shape":[1,null],"seed":1,"scale":1`), "inputs.x.shape: null"},
		"negative side":      {fill(`"shape":[-1],"seed":1,"scale":1`), "inputs.x: shape [-1]"},
		"no elements":        {fill(`"shape":[3,0],"seed":1,"scale":1`), "inputs.x: shape [3 0]"},
		"too many elements":  {fill(`"shape":[65536,65536],"seed":1,"scale":1`), "2^31"},
		"overflow":           {fill(`"shape":[4294967296,4294967296],"seed":1,"scale":1`), "shape"},
	} {
		path := writeCase(t, t.TempDir(), "broken", c.text)
		got, err := Load(path)
		if got != nil || !strings.Contains(fmt.Sprint(err), c.says) ||
			!strings.Contains(fmt.Sprint(err), path) {
			t.Errorf("%s: %v, %v, want an error that names the file and says %s", name, got, err, c.says)
		}
	}
	path := writeCase(t, t.TempDir(), "torn", small)
	if err := os.WriteFile(tensorsBeside(path), []byte("12345678"), 0o666); err != nil {
		t.Fatal(err)
	}
	_, err := Load(path)
	says(t, err, tensorsBeside(path))
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	named := func(name string) string { return `{"name":"` + name + `","kind":"k"}` }
	for _, name := range []string{"b", "a/z", "a/c/y", "a.x"} {
		writeCase(t, dir, name, named(name))
	}
	writeCase(t, dir, ".hidden/h", "broken")
	for _, other := range []string{"README.md", ".tmp-1.json"} {
		if err := os.WriteFile(filepath.Join(dir, other), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		link = dir
	}
	for _, root := range []string{dir, dir + string(filepath.Separator), link} {
		cases, err := Open(root)
		var names []string
		for _, c := range cases {
			names = append(names, c.Name)
		}
		equal(t, root, names, err, []string{"a.x", "a/c/y", "a/z", "b"})
	}
}

func TestOpenRefuses(t *testing.T) {
	empty := t.TempDir()
	_, err := Open(empty)
	says(t, err, empty, "no case")
	missing := filepath.Join(empty, "missing")
	_, err = Open(missing)
	says(t, err, missing)

	halves := t.TempDir()
	one, two := writeCase(t, halves, "one", small), writeCase(t, halves, "sub/two", small)
	writeCase(t, halves, "whole", small)
	if err := os.Remove(tensorsBeside(one)); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(two); err != nil {
		t.Fatal(err)
	}
	_, err = Open(halves)
	says(t, err, one, "no one.safetensors", tensorsBeside(two), "no .json")

	twins := t.TempDir()
	first, again := writeCase(t, twins, "first", small), writeCase(t, twins, "second", small)
	broken, worse := writeCase(t, twins, "broken", "{"), writeCase(t, twins, "worse", `{"name":"w"}`)
	cases, err := Open(twins)
	says(t, err, first, again, broken, worse, "layer/small")
	if cases != nil {
		t.Error("cases beside an error")
	}
}

// The cases of a file system are those of the folder, by their names there; one is checked against a recorded one from anywhere.
func TestOpenFS(t *testing.T) {
	fsys := os.DirFS(filepath.Dir(official))
	want, err := Open(official)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Base(official)
	got, err := OpenFS(fsys, name)
	if err != nil || len(got) != len(want) {
		t.Fatalf("%d cases of %d, %v", len(got), len(want), err)
	}
	for i, c := range got {
		if filepath.Join(filepath.Dir(official), c.Path) != want[i].Path || c.Name != want[i].Name || len(c.Tensors.Tensors) != len(want[i].Tensors.Tensors) {
			t.Errorf("%s %s, want %s %s", c.Path, c.Name, want[i].Path, want[i].Name)
		}
		again, err := LoadFS(fsys, c.Path)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(c, again) {
			t.Errorf("%s: another case", c.Path)
		}
	}
	all, err := OpenFS(os.DirFS(official), ".")
	if err != nil || len(all) != len(want) {
		t.Errorf("%d cases, %v", len(all), err)
	}
	for part, f := range map[string]func() error{
		"nowhere": func() error { _, err := OpenFS(fsys, "nowhere"); return err },
		"x.json":  func() error { _, err := LoadFS(fsys, "x.json"); return err },
		"no case": func() error { _, err := OpenFS(fstest.MapFS{"a/.hidden.json": {}}, "."); return err },
		"no .json file beside it": func() error {
			_, err := OpenFS(fstest.MapFS{"a/x.safetensors": {}}, "a")
			return err
		},
	} {
		if err := f(); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%q: %v", part, err)
		}
	}
}

func TestCheckAgainst(t *testing.T) {
	make := func(y float64) *Case {
		c := &Case{Name: "c", Kind: "k", Inputs: map[string]Fill{"x": {Shape: []int{2}, Seed: 1, Scale: 1}}}
		Put(c, "y", []int{2}, []float64{1, y}, nil)
		return c
	}
	for y, pass := range map[float64]bool{2: true, 2.5: false} {
		rows, err := make(y).CheckAgainst(make(2), 1e-3)
		if err != nil || len(rows) != 1 || rows[0].Pass != pass {
			t.Errorf("%g: %v, %v", y, rows, err)
		}
	}
	other := make(2)
	other.Kind = "other"
	if _, err := make(2).CheckAgainst(other, 1); err == nil {
		t.Error("an answer to another question")
	}
}
