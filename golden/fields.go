package golden

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
)

// Fields is a table of named JSON values, read by type: a case's settings, its
// expected scalars, or a table within these. A value that is missing, null or
// of another type is an error that names the case and the field.
type Fields struct {
	origin string // the case, for messages
	prefix string // the fields this table lies in, each with a dot behind it
	values map[string]json.RawMessage
}

// Names returns the names of the fields, sorted.
func (f Fields) Names() []string {
	return slices.Sorted(maps.Keys(f.values))
}

// Has reports whether there is a field called name.
func (f Fields) Has(name string) bool {
	_, ok := f.values[name]
	return ok
}

// Into reads the field called name into the variable that into points to, of
// any type that encoding/json can fill. Nothing within the value may be null,
// which encoding/json would skip in silence.
func (f Fields) Into(name string, into any) error {
	value, ok := f.values[name]
	if !ok {
		return f.errorf(name, "missing")
	}
	if hasNull(value) {
		return f.errorf(name, "null is no value")
	}
	if err := json.Unmarshal(value, into); err != nil {
		return f.errorf(name, "%w", err)
	}
	return nil
}

// Int reads a whole number, written as such: 2, not 2.0.
func (f Fields) Int(name string) (int, error) { return read[int](f, name) }

// Float reads a number.
func (f Fields) Float(name string) (float64, error) { return read[float64](f, name) }

// Bool reads true or false.
func (f Fields) Bool(name string) (bool, error) { return read[bool](f, name) }

// String reads a text.
func (f Fields) String(name string) (string, error) { return read[string](f, name) }

// Floats reads a list of numbers.
func (f Fields) Floats(name string) ([]float64, error) { return read[[]float64](f, name) }

// Rows reads a list of lists of numbers, of any lengths.
func (f Fields) Rows(name string) ([][]float64, error) { return read[[][]float64](f, name) }

// read returns the zero value with an error, never half of a value.
func read[T any](f Fields, name string) (T, error) {
	var value, zero T
	if err := f.Into(name, &value); err != nil {
		return zero, err
	}
	return value, nil
}

// Map reads a table within the table.
func (f Fields) Map(name string) (Fields, error) {
	value, ok := f.values[name]
	if !ok {
		return Fields{}, f.errorf(name, "missing")
	}
	inner := Fields{origin: f.origin, prefix: f.prefix + name + "."}
	// Values within may be null as long as nobody reads them.
	if err := json.Unmarshal(value, &inner.values); err != nil {
		return Fields{}, f.errorf(name, "%w", err)
	}
	if inner.values == nil {
		return Fields{}, f.errorf(name, "null is no value")
	}
	return inner, nil
}

func (f Fields) errorf(name, format string, args ...any) error {
	return fmt.Errorf("%s: %s%s: %w", f.origin, f.prefix, name, fmt.Errorf(format, args...))
}

// hasNull reports whether null occurs anywhere in a well-formed JSON value.
func hasNull(value json.RawMessage) bool {
	d := json.NewDecoder(bytes.NewReader(value))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return false
		}
		if token == nil {
			return true
		}
	}
}
