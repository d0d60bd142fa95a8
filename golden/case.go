package golden

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"sdref/tensor/safetensors"
)

// Case is one scenario: what to compute, from what, and what should come out.
type Case struct {
	Path string // of the JSON file
	Name string // what reports call it, unique in a folder
	Kind string // what to compute

	Attrs      Fields          // settings
	Inputs     map[string]Fill // tensors to start from
	Parameters map[string]Fill // a network's parameters and buffers by published name
	Labels     []int           // a network's classes, one per image

	Scalars Fields            // expected numbers, lists and tables
	Tensors *safetensors.File // expected tensors, in the order in which they arise
}

// Load reads the case whose JSON file is at path, and the .safetensors beside
// it. Every error names the file and the field. An unknown Kind is for the
// caller to report; fields that this package does not know are left alone.
func Load(path string) (*Case, error) { return load(path, os.ReadFile, safetensors.Read) }

// LoadFS is Load for a case of a file system, such as one that is embedded in the program. The case's Path is its name there.
func LoadFS(fsys fs.FS, name string) (*Case, error) {
	return load(name, func(name string) ([]byte, error) { return fs.ReadFile(fsys, name) },
		func(name string) (*safetensors.File, error) { return safetensors.ReadFS(fsys, name) })
}

func load(path string, text func(string) ([]byte, error), tensors func(string) (*safetensors.File, error)) (*Case, error) {
	content, err := text(path)
	if err != nil {
		return nil, err // it names the path
	}
	c, err := parse(path, content)
	if err != nil {
		return nil, err
	}
	if c.Tensors, err = tensors(tensorsBeside(path)); err != nil {
		return nil, err
	}
	return c, nil
}

// parse reads the JSON of a case.
func parse(path string, text []byte) (_ *Case, err error) {
	top := Fields{origin: path}
	if err := json.Unmarshal(text, &top.values); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	c := &Case{Path: path}
	if c.Name, err = nonEmpty(top, "name"); err != nil {
		return nil, err
	}
	if c.Kind, err = nonEmpty(top, "kind"); err != nil {
		return nil, err
	}
	top.origin = c.where()
	if c.Attrs, err = optionalMap(top, "attrs"); err != nil {
		return nil, err
	}
	if c.Scalars, err = optionalMap(top, "scalars"); err != nil {
		return nil, err
	}
	inputs, err := optionalMap(top, "inputs")
	if err != nil {
		return nil, err
	}
	if err := c.readInputs(inputs); err != nil {
		return nil, err
	}
	return c, nil
}

// readInputs sorts the inputs into labels, parameters and fills.
func (c *Case) readInputs(inputs Fields) (err error) {
	c.Inputs, c.Parameters = map[string]Fill{}, map[string]Fill{}
	for _, name := range inputs.Names() {
		switch name {
		case "labels":
			if err := inputs.Into(name, &c.Labels); err != nil {
				return err
			}
			if len(c.Labels) == 0 || slices.Min(c.Labels) < 0 {
				return inputs.errorf(name, "%v: want classes from 0 up", c.Labels)
			}
		case "parameters":
			parameters, err := inputs.Map(name)
			if err != nil {
				return err
			}
			for _, parameter := range parameters.Names() {
				if c.Parameters[parameter], err = readFill(parameters, parameter); err != nil {
					return err
				}
			}
		default:
			if c.Inputs[name], err = readFill(inputs, name); err != nil {
				return err
			}
		}
	}
	return nil
}

// Input returns the elements of the input called name, row-major. A missing
// input and another shape than the given one are errors.
func (c *Case) Input(name string, shape ...int) ([]float64, error) {
	return c.fill("inputs", c.Inputs, name, shape)
}

// Parameter returns the elements of the parameter called name, row-major. A
// missing parameter and another shape than the given one are errors.
func (c *Case) Parameter(name string, shape ...int) ([]float64, error) {
	return c.fill("inputs.parameters", c.Parameters, name, shape)
}

func (c *Case) fill(field string, fills map[string]Fill, name string, shape []int) ([]float64, error) {
	fill, ok := fills[name]
	if !ok {
		return nil, fmt.Errorf("%s: %s.%s: missing", c.where(), field, name)
	}
	if !slices.Equal(fill.Shape, shape) {
		return nil, fmt.Errorf("%s: %s.%s: shape %v, want %v", c.where(), field, name, fill.Shape, shape)
	}
	return fill.Values(), nil
}

// Tensor returns the elements of the expected tensor called name, row-major,
// as float64. A missing tensor and another shape than the given one are errors.
// Where the shape is not known beforehand, ask Tensors.
func (c *Case) Tensor(name string, shape ...int) ([]float64, error) {
	t, err := c.Tensors.GetShaped(name, shape...)
	if err != nil {
		return nil, fmt.Errorf("case %s: %w", c.Name, err)
	}
	values, err := t.Float64s()
	if err != nil {
		return nil, fmt.Errorf("case %s: %s: %w", c.Name, c.Tensors.Path, err)
	}
	return values, nil
}

// where names the case in messages.
func (c *Case) where() string { return fmt.Sprintf("case %s (%s)", c.Name, c.Path) }

func nonEmpty(top Fields, name string) (string, error) {
	text, err := top.String(name)
	if err == nil && text == "" {
		err = top.errorf(name, "empty")
	}
	return text, err
}

// optionalMap reads a table that may be left out, which reads as an empty one.
func optionalMap(top Fields, name string) (Fields, error) {
	if !top.Has(name) {
		return Fields{origin: top.origin, prefix: name + "."}, nil
	}
	return top.Map(name)
}
