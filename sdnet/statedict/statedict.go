// Package statedict finds the tensors of a network in a file that another program wrote, by their published
// names, and gives a network's tensors to other programs.
//
// It reads PyTorch's files and plain safetensors files. It is for whoever brings weights in or takes them
// out; it knows the names and shapes of networks, and nothing of how they were trained.
package statedict

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"sdref/internal/filekind"
	"sdref/tensor/safetensors"
	"sdref/tensor/torchfile"
)

// Dict is the tensors of a file.
type Dict struct {
	Path     string
	Format   string // for people: "PyTorch", "PyTorch before 1.6", "pickle" or "safetensors"
	Entries  []Entry
	Scalars  []torchfile.Scalar // the numbers and strings beside the tensors
	Objects  []torchfile.Object // what else there is, which was not made
	Settings *Settings          // what Export wrote beside the tensors, if this program wrote the file
}

// Entry is a tensor of a file.
type Entry struct {
	Name, Type string // Type is float32, bfloat16, ...
	Shape      []int
	// Values reads the elements: float64, float32 (also for narrower types), int64 or uint64. What a file
	// says of a shape can be far more than it holds; compare it first.
	Values func() safetensors.Tensor
}

// Open reads the file at path, whose first bytes tell what it is. Errors name it.
func Open(path string) (*Dict, error) { return OpenContext(context.Background(), path) }

// OpenContext opens the file at path until the context is cancelled; then the error wraps the context's.
func OpenContext(ctx context.Context, path string) (*Dict, error) {
	beginning, err := filekind.Peek(path)
	if err != nil {
		return nil, err
	}
	return open(path, beginning, func() (*torchfile.File, error) { return torchfile.ReadContext(ctx, path) },
		func() (*safetensors.File, error) { return safetensors.ReadContext(ctx, path) })
}

// OpenFS is Open for a file of a file system, such as one that is embedded in the program.
func OpenFS(fsys fs.FS, name string) (*Dict, error) {
	beginning, err := filekind.PeekFS(fsys, name)
	if err != nil {
		return nil, err
	}
	return open(name, beginning, func() (*torchfile.File, error) { return torchfile.ReadFS(fsys, name) },
		func() (*safetensors.File, error) { return safetensors.ReadFS(fsys, name) })
}

// streamPath stands in errors for the path of what ReadFrom reads.
const streamPath = "the stream"

// ReadFrom reads a file from r up to its end.
func ReadFrom(r io.Reader) (*Dict, error) {
	file, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", streamPath, err)
	}
	return open(streamPath, file, func() (f *torchfile.File, err error) {
		if f, err = torchfile.Decode(file); err != nil {
			err = fmt.Errorf("%s: %w", streamPath, err)
		}
		return f, err
	}, func() (f *safetensors.File, err error) {
		if f, err = safetensors.Decode(file); err != nil {
			err = fmt.Errorf("%s: %w", streamPath, err)
		}
		return f, err
	})
}

// open is a file that begins in this way, read by the function for its format.
func open(path string, beginning []byte, torch func() (*torchfile.File, error), tensors func() (*safetensors.File, error)) (*Dict, error) {
	if torchfile.Is(beginning) {
		f, err := torch()
		if err != nil {
			return nil, err
		}
		return ofTorch(path, f)
	}
	if kind := filekind.Describe(beginning); kind != "" && kind != filekind.Safetensors {
		return nil, fmt.Errorf("%s: %s, neither a file of torch.save nor of safetensors", path, kind)
	}
	f, err := tensors()
	if err != nil {
		return nil, fmt.Errorf("neither a file of torch.save nor of safetensors: %w", err)
	}
	return ofSafetensors(path, f)
}

func ofSafetensors(path string, f *safetensors.File) (d *Dict, err error) {
	d = &Dict{Path: path, Format: "safetensors"}
	for _, key := range slices.Sorted(maps.Keys(f.Metadata)) {
		if key == SettingsKey {
			if d.Settings, err = parseSettings(f.Metadata[key]); err != nil {
				return nil, fmt.Errorf("%s: metadata %s: %w", path, key, err)
			}
			continue
		}
		d.Scalars = append(d.Scalars, torchfile.Scalar{Name: key, Value: f.Metadata[key]})
	}
	for _, t := range f.Tensors {
		d.Entries = append(d.Entries, Entry{t.Name, typeNames[t.DType()], t.Shape, func() safetensors.Tensor { return t }})
	}
	return d, nil
}

// typeNames are PyTorch's names of the types of safetensors.
var typeNames = map[string]string{
	"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2",
	"I64": "int64", "I32": "int32", "I16": "int16", "I8": "int8", "U64": "uint64", "U32": "uint32", "U16": "uint16", "U8": "uint8", "BOOL": "bool",
}

func ofTorch(path string, f *torchfile.File) (d *Dict, err error) {
	d = &Dict{Path: path, Format: "PyTorch", Scalars: f.Scalars, Objects: f.Objects}
	switch {
	case f.Legacy:
		d.Format = "PyTorch before 1.6"
	case f.Pickle:
		d.Format = "pickle"
	}
	if f.Note != "" {
		if d.Settings, err = parseSettings(f.Note); err != nil {
			return nil, fmt.Errorf("%s: record %s: %w", path, torchfile.NoteRecord, err)
		}
	}
	for _, t := range f.Tensors {
		d.Entries = append(d.Entries, Entry{t.Name, t.Type, t.Shape, t.Values})
	}
	return d, nil
}

// landmarks are the names of a tensor that every network has, ours and torchvision's; no optimiser's state
// has them.
var landmarks = []string{"linear.weight", "fc.weight"}

// Prefixes lists what stands before the published names, such as "state_dict." or "module."; a file can hold
// a network more than once.
func (d *Dict) Prefixes() []string {
	var list []string
	for _, e := range d.Entries {
		for _, landmark := range landmarks {
			prefix, ok := strings.CutSuffix(e.Name, landmark)
			if ok && (prefix == "" || strings.HasSuffix(prefix, ".")) && !slices.Contains(list, prefix) {
				list = append(list, prefix)
			}
		}
	}
	return list
}

// classifier is the shape of the last layer's weights.
func classifier(inside map[string]Entry) []int {
	for _, landmark := range landmarks {
		if e, ok := inside[landmark]; ok {
			return e.Shape
		}
	}
	return nil
}

// under returns the entries under a prefix by the rest of their names, and how many there are elsewhere. Of
// two equal names the last counts, as in PyTorch's dictionaries; only keys that have dots of their own can
// make them equal.
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
