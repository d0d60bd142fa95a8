package trial

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"sdref/golden"
	"sdref/golden/graph"
	"sdref/golden/judge"
	"sdref/golden/precision"
	"sdref/tensor/npy"
)

// Schema is the version of the format of manifest.json and manifest.txt.
const Schema = 1

// Manifest is manifest.json.
type Manifest struct {
	Schema int     `json:"schema"`
	Cases  []Entry `json:"cases"`
}

// Entry is one case.
type Entry struct {
	ID      string         `json:"id"`
	Kind    string         `json:"kind"`
	Why     string         `json:"why,omitempty"`
	Flags   []string       `json:"flags"`
	Attrs   map[string]any `json:"attrs"`
	Inputs  []Input        `json:"inputs"`
	Outputs []Output       `json:"outputs"`
}

// Input is a tensor that the backend reads, or makes by its fill rule.
type Input struct {
	Name  string       `json:"name"`
	File  string       `json:"file"` // relative to the folder
	Shape []int        `json:"shape"`
	DType string       `json:"dtype"`
	Fill  *golden.Fill `json:"fill,omitempty"`

	Reversed []int `json:"reversed,omitempty"` // axes along which what the rule gives is turned round
	NaN      []int `json:"nan,omitempty"`      // elements that are NaN instead
}

// Output is a tensor that the backend writes, if it is required or if the backend can.
type Output struct {
	Name     string `json:"name"`
	File     string `json:"file"`
	Shape    []int  `json:"shape"`
	Required bool   `json:"required"`
}

// Backend is backend.json.
type Backend struct {
	Name          string            `json:"name"`
	Profile       precision.Profile `json:"profile"`
	Device        string            `json:"device"`
	Deterministic bool              `json:"deterministic"`       // the same inputs give the same bits
	Kinds         []string          `json:"kinds"`               // of cases that it does; others are not covered
	Gradients     *bool             `json:"gradients,omitempty"` // false: it computes no nodes whose names begin with grad/
}

// Exam is a case and its inputs.
type Exam struct {
	ID   string // the folder: the case's own, or another where a case is asked again
	Case *graph.Case
	In   graph.Values
}

var (
	identifier = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*$`)
	word       = regexp.MustCompile(`^[^\s/\\][^\s\\]*$`)
)

// FileName is the file of a tensor in its folder. Names may have slashes, files have dots in their place.
func FileName(name string) string { return strings.ReplaceAll(name, "/", ".") + ".npy" }

func file(id, folder, name string) string { return path.Join(id, folder, FileName(name)) }

// entry describes an exam. It is an error if a name cannot be part of the format.
func (e Exam) entry() (Entry, error) {
	c := e.Case
	m := Entry{ID: e.ID, Kind: c.Kind, Why: c.Why, Flags: c.Flags, Attrs: map[string]any{}}
	for name, value := range c.Attrs {
		m.Attrs[name] = plain(value)
	}
	files := map[string]bool{}
	add := func(folder, name string) string {
		f := file(e.ID, folder, name)
		if files[f] || !word.MatchString(name) {
			files[""] = true
		}
		files[f] = true
		return f
	}
	for i := range c.Inputs {
		in := &c.Inputs[i]
		dtype := "float64"
		if in.Integer {
			dtype = "int64"
		}
		m.Inputs = append(m.Inputs, Input{in.Name, add("inputs", in.Name), sides(in.Fill.Shape), dtype, &in.Fill, in.Reversed, in.NaN})
	}
	for i := range c.Nodes {
		n := &c.Nodes[i]
		m.Outputs = append(m.Outputs, Output{n.Name, add("outputs", n.Name), sides(n.Shape), n.Required})
	}
	if files[""] || !identifier.MatchString(e.ID) || !word.MatchString(c.Kind) {
		return m, fmt.Errorf("case %s: a name has blanks, or two tensors have one file", e.ID)
	}
	return m, nil
}

// plain writes settings as numbers and words: true and false are 1 and 0.
func plain(value any) any {
	switch value {
	case true:
		return 1
	case false:
		return 0
	}
	return value
}

// sides is a shape that JSON writes as [] if it is empty.
func sides(shape []int) []int { return append([]int{}, shape...) }

// WriteExams writes the exams into a folder, which it makes and which must be empty.
func WriteExams(dir string, exams []Exam) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	if there, err := os.ReadDir(dir); err != nil || len(there) > 0 {
		return errors.Join(err, fmt.Errorf("%s: not an empty folder", dir))
	}
	m := Manifest{Schema: Schema}
	for _, e := range exams {
		entry, err := e.entry()
		if err != nil {
			return err
		}
		if err := e.write(dir, entry); err != nil {
			return err
		}
		m.Cases = append(m.Cases, entry)
	}
	text, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return err
	}
	lines, err := m.lines()
	if err != nil {
		return err
	}
	return errors.Join(os.WriteFile(filepath.Join(dir, "manifest.json"), append(text, '\n'), 0o666),
		os.WriteFile(filepath.Join(dir, "manifest.txt"), []byte(lines), 0o666))
}

// write writes a case's inputs and makes the folder of its outputs.
func (e Exam) write(dir string, entry Entry) error {
	for _, folder := range []string{"inputs", "outputs"} {
		if err := os.MkdirAll(filepath.Join(dir, e.ID, folder), 0o777); err != nil {
			return err
		}
	}
	for _, in := range entry.Inputs {
		a := npy.Array{Shape: in.Shape, DType: in.DType, Data: e.In[in.Name].Data}
		if !precision.Single.Holds(a.Data) {
			return fmt.Errorf("case %s: input %s is not exact in float32", e.ID, in.Name)
		}
		if err := npy.Write(filepath.Join(dir, filepath.FromSlash(in.File)), a); err != nil {
			return err
		}
	}
	return nil
}

// ReadBackend reads what the backend says of itself.
func ReadBackend(dir string) (b Backend, err error) {
	name := filepath.Join(dir, "backend.json")
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return b, fmt.Errorf("%s: the backend did not write it", name)
	}
	if err != nil {
		return b, err
	}
	if err := json.Unmarshal(text, &b); err != nil {
		return b, fmt.Errorf("%s: %w", name, err)
	}
	if _, err := precision.Lookup(string(b.Profile)); err != nil {
		return b, fmt.Errorf("%s: %w", name, err)
	}
	if b.Name == "" || len(b.Kinds) == 0 {
		return b, fmt.Errorf("%s: name or kinds: missing", name)
	}
	return b, nil
}

// ReadAnswers reads what the backend answered to an exam. A file that cannot be read is an answer with an error; a file that
// belongs to no node is an answer by the file's name.
func ReadAnswers(dir string, e Exam) (judge.Answers, error) {
	answers := judge.Answers{}
	nodes := map[string]string{}
	for _, n := range e.Case.Nodes {
		nodes[FileName(n.Name)] = n.Name
	}
	folder := filepath.Join(dir, e.ID, "outputs")
	files, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		name, known := nodes[f.Name()]
		if !known {
			answers[f.Name()] = &judge.Answer{Err: errors.New("no output of the case has this file")}
			continue
		}
		a, err := npy.Read(filepath.Join(folder, f.Name()))
		answers[name] = &judge.Answer{Shape: a.Shape, DType: a.DType, Data: a.Data, Err: err}
	}
	return answers, nil
}
