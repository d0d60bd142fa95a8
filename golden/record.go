package golden

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"sdref/internal/atomicfile"
	"sdref/tensor/safetensors"
)

// magnitudeSuffix marks the tensor of a file that holds the magnitudes of the one before it.
const magnitudeSuffix = ".magnitude"

// Put adds a result to a case that is to be recorded or checked: a tensor, kept in its own type and not copied. magnitude says how
// large the terms are that each element is a sum of: the sum of |a||b| over its products. Check then bounds every element by itself,
// in units of its magnitude. Without one, nil, the error is norm-wise, as in Compare.
//
// It panics if data or magnitude have not exactly the elements of shape.
func Put[T Float](c *Case, name string, shape []int, data []T, magnitude []float64) {
	if c.Tensors == nil {
		c.Tensors = &safetensors.File{}
	}
	c.Tensors.Tensors = append(c.Tensors.Tensors, safetensors.New(name, shape, data))
	if magnitude != nil {
		c.Tensors.Tensors = append(c.Tensors.Tensors, safetensors.New(name+magnitudeSuffix, shape, magnitude))
	}
}

// NewFields makes a table of values that encoding/json can write: settings, or expected scalars.
func NewFields(values map[string]any) (Fields, error) {
	f := Fields{values: map[string]json.RawMessage{}}
	for name, value := range values {
		text, err := json.Marshal(value)
		if err != nil {
			return Fields{}, fmt.Errorf("%s: %w", name, err)
		}
		f.values[name] = text
	}
	return f, nil
}

// Save writes the case to c.Path and the .safetensors beside it, so that Load reads it again. The same case gives the same bytes.
func (c *Case) Save() error {
	text, err := c.encode()
	if err != nil {
		return err
	}
	file := c.Tensors
	if file == nil {
		file = &safetensors.File{}
	}
	if err := safetensors.Write(tensorsBeside(c.Path), file); err != nil {
		return err
	}
	return atomicfile.WriteBytes(c.Path, text)
}

// encode is the inverse of parse.
func (c *Case) encode() ([]byte, error) {
	inputs := map[string]any{}
	for name, fill := range c.Inputs {
		inputs[name] = fill
	}
	if len(c.Parameters) > 0 {
		inputs["parameters"] = c.Parameters
	}
	if len(c.Labels) > 0 {
		inputs["labels"] = c.Labels
	}
	text, err := json.MarshalIndent(struct {
		Name    string                     `json:"name"`
		Kind    string                     `json:"kind"`
		Attrs   map[string]json.RawMessage `json:"attrs,omitempty"`
		Inputs  map[string]any             `json:"inputs,omitempty"`
		Scalars map[string]json.RawMessage `json:"scalars,omitempty"`
	}{c.Name, c.Kind, c.Attrs.values, inputs, c.Scalars.values}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.where(), err)
	}
	return append(text, '\n'), nil
}

// Check sets the results of c against the case that was recorded at c.Path: a row for each tensor and each scalar, in the order of
// the file. limit is the largest error that passes: of tensors with magnitudes in units of these, element by element, so that
// limit = n*2^-24 allows a float32 sum of n products whatever order it takes; of all others relative, as in Compare.
//
// With update it records c instead and returns no row. It is an error if the recorded case has other inputs, settings or results
// than c: what it expects is then an answer to another question.
func (c *Case) Check(limit float64, update bool) ([]Row, error) {
	if update {
		return nil, c.Save()
	}
	recorded, err := Load(c.Path)
	if err != nil {
		return nil, err
	}
	return c.CheckAgainst(recorded, limit)
}

// CheckAgainst is Check against a recorded case from elsewhere, such as LoadFS.
func (c *Case) CheckAgainst(recorded *Case, limit float64) ([]Row, error) {
	if err := c.asks(recorded); err != nil {
		return nil, err
	}
	var rows []Row
	for i, want := range recorded.Tensors.Tensors {
		if i > 0 && want.Name == recorded.Tensors.Tensors[i-1].Name+magnitudeSuffix {
			continue
		}
		got, err := c.Tensors.GetShaped(want.Name, want.Shape...)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.where(), err)
		}
		d, err := recorded.compare(got, want)
		if err != nil {
			return nil, err
		}
		rows = append(rows, Judge(c.Name, want.Name, d, limit))
	}
	for _, name := range recorded.Scalars.Names() {
		want, err := recorded.Scalars.Float(name)
		if err != nil {
			return nil, err
		}
		got, err := c.Scalars.Float(name)
		if err != nil {
			return nil, err
		}
		rows = append(rows, Judge(c.Name, name, CompareScalar(got, want), limit))
	}
	return rows, nil
}

// compare is the difference of a result and what the case c has recorded for it.
func (c *Case) compare(got, want safetensors.Tensor) (Difference, error) {
	expected, err := want.Float64s()
	if err != nil {
		return Difference{}, fmt.Errorf("%s: %w", c.where(), err)
	}
	var magnitude []float64
	if slices.ContainsFunc(c.Tensors.Tensors, func(t safetensors.Tensor) bool { return t.Name == want.Name+magnitudeSuffix }) {
		if magnitude, err = c.Tensor(want.Name+magnitudeSuffix, want.Shape...); err != nil {
			return Difference{}, err
		}
	}
	if data, err := safetensors.Values[float32](got); err == nil {
		return difference(data, expected, magnitude), nil
	}
	data, err := got.Float64s()
	if err != nil {
		return Difference{}, fmt.Errorf("%s: %w", c.where(), err)
	}
	return difference(data, expected, magnitude), nil
}

func difference[T Float](got []T, want, magnitude []float64) Difference {
	if magnitude == nil {
		return Compare(got, want)
	}
	return CompareElements(got, want, magnitude)
}

// asks tells what differs between the questions of c and of the recorded case.
func (c *Case) asks(recorded *Case) error {
	for _, part := range []struct {
		field         string
		now, recorded any
	}{
		{"name", c.Name, recorded.Name},
		{"kind", c.Kind, recorded.Kind},
		{"attrs", plain(c.Attrs), plain(recorded.Attrs)},
		{"inputs", fillsOf(c.Inputs), fillsOf(recorded.Inputs)},
		{"inputs.parameters", fillsOf(c.Parameters), fillsOf(recorded.Parameters)},
		{"inputs.labels", append([]int{}, c.Labels...), append([]int{}, recorded.Labels...)},
		{"results", resultsOf(c), resultsOf(recorded)},
	} {
		if !reflect.DeepEqual(part.now, part.recorded) {
			return fmt.Errorf("%s: %s: %v, and %v when it was recorded; record it again", c.where(), part.field, part.now, part.recorded)
		}
	}
	return nil
}

// plain is a table with the values that encoding/json reads, whatever spaces they were written with.
func plain(f Fields) map[string]any {
	m := map[string]any{}
	for name, text := range f.values {
		var value any
		if json.Unmarshal(text, &value) == nil {
			m[name] = value
		}
	}
	return m
}

// fillsOf is a table of rules that can be compared.
func fillsOf(fills map[string]Fill) map[string]Fill {
	m := map[string]Fill{}
	maps.Copy(m, fills)
	return m
}

// resultsOf lists the results' names and shapes.
func resultsOf(c *Case) []string {
	list := c.Scalars.Names()
	if c.Tensors == nil {
		return list
	}
	for _, t := range c.Tensors.Tensors {
		list = append(list, fmt.Sprint(t.Name, t.Shape))
	}
	return list
}
