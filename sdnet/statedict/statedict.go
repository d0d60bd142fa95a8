// Package statedict finds the tensors of a network in a file that another program wrote, by their published names, and gives a
// network's tensors to other programs.
//
// It reads PyTorch's files and plain safetensors files. It is for whoever brings weights in or takes them out; it knows the
// names and shapes of networks, and nothing of how they were trained.
package statedict

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"sdref/tensor/safetensors"
	"sdref/tensor/torchfile"
)

// Dict is the tensors of a file.
type Dict struct {
	Path    string
	Format  string // for people: "PyTorch", "PyTorch before 1.6" or "safetensors"
	Entries []Entry
	Scalars []torchfile.Scalar // the numbers and strings beside the tensors
}

// Entry is a tensor of a file.
type Entry struct {
	Name, Type string // Type is float32, bfloat16, ...
	Shape      []int
	// Values reads the elements: float64, float32 (also for narrower types) or int64. What a file says of a shape can be far
	// more than it holds; compare it first.
	Values func() safetensors.Tensor
}

// Open reads the file at path, whose first bytes tell what it is. Errors name it.
func Open(path string) (*Dict, error) {
	torch, err := isTorch(path)
	if err != nil {
		return nil, err
	}
	if torch {
		return openTorch(path)
	}
	f, err := safetensors.Read(path)
	if err != nil {
		return nil, fmt.Errorf("neither a file of torch.save nor of safetensors: %w", err)
	}
	d := &Dict{Path: path, Format: "safetensors"}
	for _, key := range slices.Sorted(maps.Keys(f.Metadata)) {
		d.Scalars = append(d.Scalars, torchfile.Scalar{Name: key, Value: f.Metadata[key]})
	}
	for _, t := range f.Tensors {
		name := map[string]string{"F64": "float64", "F32": "float32", "I64": "int64"}[t.DType()]
		d.Entries = append(d.Entries, Entry{t.Name, name, t.Shape, func() safetensors.Tensor { return t }})
	}
	return d, nil
}

func isTorch(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err // it names the path
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return false, fmt.Errorf("%s: not a regular file", path)
	}
	beginning, err := io.ReadAll(io.LimitReader(f, torchfile.MagicBytes))
	return torchfile.Is(beginning), err
}

func openTorch(path string) (*Dict, error) {
	f, err := torchfile.Read(path)
	if err != nil {
		return nil, err
	}
	d := &Dict{Path: path, Format: "PyTorch", Scalars: f.Scalars}
	if f.Legacy {
		d.Format = "PyTorch before 1.6"
	}
	for _, t := range f.Tensors {
		d.Entries = append(d.Entries, Entry{t.Name, t.Type, t.Shape, t.Values})
	}
	return d, nil
}

// landmark is a tensor that every network has, and no optimiser's state under this name.
const landmark = "linear.weight"

// Prefixes lists what stands before the published names, such as "state_dict." or "module."; a file can hold a network more
// than once.
func (d *Dict) Prefixes() []string {
	var list []string
	for _, e := range d.Entries {
		if prefix, ok := strings.CutSuffix(e.Name, landmark); ok && (prefix == "" || strings.HasSuffix(prefix, ".")) {
			list = append(list, prefix)
		}
	}
	return list
}

// under returns the entries under a prefix by the rest of their names, and how many there are elsewhere. Of two equal names the
// last counts, as in PyTorch's dictionaries; only keys that have dots of their own can make them equal.
func (d *Dict) under(prefix string) (inside map[string]Entry, elsewhere int) {
	inside = map[string]Entry{}
	for _, e := range d.Entries {
		if name, ok := strings.CutPrefix(e.Name, prefix); ok {
			inside[name] = e
		} else {
			elsewhere++
		}
	}
	return inside, elsewhere
}
