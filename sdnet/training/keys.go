package training

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// decodeStrictly reads JSON like json.Unmarshal, and refuses what that lets pass: a key that comes twice, of
// which another reader may take the other value, and one that differs from a field's only in capitals. Other
// keys, of later versions, are left out.
func decodeStrictly(text string, into any) error {
	d := json.NewDecoder(strings.NewReader(text))
	if err := checkKeys(d, fieldsOf(reflect.TypeOf(into).Elem())); err != nil {
		return err
	}
	return json.Unmarshal([]byte(text), into)
}

// fieldsOf lists the keys of a struct, or of the structs of a slice.
func fieldsOf(t reflect.Type) (keys []string) {
	for t.Kind() == reflect.Slice || t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	for i := range t.NumField() {
		f := t.Field(i)
		key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if key == "" {
			key = f.Name
		}
		keys = append(keys, key)
	}
	return keys
}

// checkKeys reads one value, whose objects, at any depth, must not have a key twice, nor one of the given
// keys in other capitals.
func checkKeys(d *json.Decoder, known []string) error {
	start, err := d.Token()
	if err != nil {
		return err
	}
	bracket, ok := start.(json.Delim)
	if !ok {
		return nil
	}
	seen := map[string]bool{}
	for d.More() {
		below := known
		if bracket == '{' {
			token, err := d.Token()
			if err != nil {
				return err
			}
			key, ok := token.(string)
			if !ok {
				return errors.New("a key that is no text")
			}
			if seen[key] {
				return fmt.Errorf("key %q comes twice", key)
			}
			seen[key] = true
			if key == "spec" {
				below = nil // a network's specification has keys of its own
			}
			for _, k := range known {
				if k != key && strings.EqualFold(k, key) {
					return fmt.Errorf("key %q: it is spelled %q", key, k)
				}
			}
		}
		if err := checkKeys(d, below); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}
