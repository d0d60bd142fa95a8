package cli

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"strings"
)

// WriteJSON writes a value to a file as indented JSON. Numbers that are not finite, which JSON has none of,
// are null; if there is one, the file is written and the error is ErrNotFinite.
func WriteJSON(path string, value any) error {
	text, notFinite, err := JSON(value)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	err = WriteFile(path, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
	if err == nil && notFinite {
		return fmt.Errorf("%s: %w", path, ErrNotFinite)
	}
	return err
}

// JSON is a value as indented JSON, and tells whether there is null in it for a number that is not finite.
func JSON(value any) (text []byte, notFinite bool, err error) {
	text, err = json.MarshalIndent(value, "", "  ")
	var unsupported *json.UnsupportedValueError
	if notFinite = errors.As(err, &unsupported); notFinite {
		text, err = json.MarshalIndent(finite(reflect.ValueOf(value)), "", "  ")
	}
	return append(text, '\n'), notFinite, err
}

// Finite tells whether all of some numbers are.
func Finite(values ...float64) bool {
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}

// member is a key of an object and its value; an object is a list of them, so that their order stays.
type (
	member struct {
		key   string
		value any
	}
	object []member
)

// MarshalJSON writes the members in their order.
func (o object) MarshalJSON() ([]byte, error) {
	text := []byte{'{'}
	for i, m := range o {
		if i > 0 {
			text = append(text, ',')
		}
		key, err := json.Marshal(m.key)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		text = append(append(append(text, key...), ':'), value...)
	}
	return append(text, '}'), nil
}

// finite is a value as encoding/json sees it, with nil where a number is not finite. Structs become objects,
// by the names and the options of their tags.
func finite(v reflect.Value) any {
	if !v.IsValid() {
		return nil
	}
	switch v.Interface().(type) {
	case json.Marshaler, encoding.TextMarshaler:
		return v.Interface()
	}
	switch v.Kind() {
	case reflect.Float32, reflect.Float64:
		if !Finite(v.Float()) {
			return nil
		}
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil
		}
		return finite(v.Elem())
	case reflect.Slice, reflect.Array:
		if v.Kind() == reflect.Slice && (v.IsNil() || v.Type().Elem().Kind() == reflect.Uint8) {
			return v.Interface()
		}
		list := make([]any, v.Len())
		for i := range list {
			list[i] = finite(v.Index(i))
		}
		return list
	case reflect.Map:
		if v.Type().Key().Kind() != reflect.String {
			return v.Interface()
		}
		m := map[string]any{}
		for _, key := range v.MapKeys() {
			m[key.String()] = finite(v.MapIndex(key))
		}
		return m
	case reflect.Struct:
		return members(v)
	}
	return v.Interface()
}

func members(v reflect.Value) object {
	list := object{}
	for i := range v.NumField() {
		field, value := v.Type().Field(i), v.Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case name == "-" || !field.IsExported() && !field.Anonymous:
			continue
		case field.Anonymous && name == "" && value.Kind() == reflect.Struct:
			list = append(list, members(value)...)
			continue
		case strings.Contains(options, "omitempty") && empty(value), strings.Contains(options, "omitzero") && value.IsZero():
			continue
		}
		if name == "" {
			name = field.Name
		}
		list = append(list, member{name, finite(value)})
	}
	return list
}

// empty is what the option omitempty leaves out.
func empty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice, reflect.Map, reflect.Array, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}
