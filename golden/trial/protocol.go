package trial

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"sdref/golden"
	"sdref/golden/graph"
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

// Request is one case that a backend is asked, with its inputs.
type Request struct {
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

// entry describes an request. It is an error if a name cannot be part of the format.
func (e Request) entry() (Entry, error) {
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
		m.Inputs = append(m.Inputs, Input{in.Name, add("inputs", in.Name), sides(in.Fill.Shape), dtype,
			&in.Fill, in.Reversed, in.NaN})
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

// WriteRequests writes the requests into a folder, which it makes and which must be empty.
func WriteRequests(dir string, requests []Request) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	if there, err := os.ReadDir(dir); err != nil || len(there) > 0 {
		return errors.Join(err, fmt.Errorf("%s: not an empty folder", dir))
	}
	m := Manifest{Schema: Schema}
	for _, e := range requests {
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
func (e Request) write(dir string, entry Entry) error {
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
