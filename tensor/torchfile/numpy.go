package torchfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"sdref/internal/pickle"
	"sdref/tensor/safetensors"
)

// arrays are the functions and classes of NumPy that make arrays and single numbers.
var arrays = map[string]any{
	"dtype":                        pickle.Func(newType),
	"ndarray":                      pickle.Global{Module: "numpy", Name: "ndarray"},
	"core.multiarray._reconstruct": pickle.Func(func(pickle.Tuple) (any, error) { return &array{}, nil }),
	"core.multiarray.scalar":       pickle.Func(number),
	"core.numeric._frombuffer":     pickle.Func(fromBuffer),
}

// dataType is a type of NumPy's: a kind of numbers and their order of bytes.
type dataType struct {
	text  string // f8, i4, b1, ... as NumPy writes it
	order binary.ByteOrder
}

// newType is numpy.dtype(text, align, copy).
func newType(args pickle.Tuple) (any, error) {
	if len(args) == 0 {
		return nil, errors.New("a type of NumPy's of nothing")
	}
	text, ok := args[0].(string)
	if !ok || len(text) > 40 {
		text = "other"
	}
	t := &dataType{strings.TrimLeft(text, "<>=|"), binary.LittleEndian}
	if strings.HasPrefix(text, ">") {
		t.order = binary.BigEndian
	}
	return t, nil
}

// Build takes (version, order of bytes, ...), of which the rest is for structures.
func (t *dataType) Build(state any) error {
	if s, ok := state.(pickle.Tuple); ok && len(s) > 3 {
		switch {
		case s[1] == any(">"):
			t.order = binary.BigEndian
		case s[1] == any("<"):
			t.order = binary.LittleEndian
		}
		if s[3] != nil { // the names of a structure's fields
			t.text = "structure"
		}
	}
	return nil
}

// kind is what the type is called here.
func (t *dataType) kind() (kind, bool) {
	names := map[string]string{"f": "float", "i": "int", "u": "uint"}
	if t.text == "b1" {
		return kindOf("bool")
	}
	if t.text == "" {
		return kind{}, false
	}
	bytes, err := strconv.Atoi(t.text[1:])
	if err != nil || bytes < 1 || bytes > 8 || names[t.text[:1]] == "" {
		return kind{}, false
	}
	return kindOf(fmt.Sprintf("%s%d", names[t.text[:1]], 8*bytes))
}

// array is an array of NumPy's: a tensor once it has been built, or something that is not read.
type array struct {
	tensor Tensor
	what   string // the reason why it is not read
}

// Build takes (version, shape, type, Fortran order, bytes), without the version in old files.
func (a *array) Build(state any) error {
	s, ok := state.(pickle.Tuple)
	if !ok || len(s) < 4 || len(s) > 5 {
		return errors.New("an array of NumPy's with another state")
	}
	s = s[len(s)-4:]
	fortran, ok1 := s[2].(bool)
	if n, ok := s[2].(int64); ok {
		fortran, ok1 = n != 0, true // as Python 2 wrote it
	}
	t, ok2 := s[1].(*dataType)
	if !ok1 || !ok2 {
		return errors.New("an array of NumPy's with another state")
	}
	return a.fill(s[0], t, fortran, s[3])
}

func (a *array) fill(sizes any, t *dataType, fortran bool, content any) error {
	shape, err := integers(sizes)
	if err != nil {
		return err
	}
	k, ok := t.kind()
	raw, whole := bytesOf(content)
	if !ok || !whole {
		a.what = "an array of NumPy's of type " + t.text
		return nil
	}
	n, ok := safetensors.Elements(shape)
	if !ok || n > math.MaxInt/16 || len(raw) != n*k.size {
		return fmt.Errorf("an array of NumPy's of shape %v in %s with %d bytes", shape, k.name, len(raw))
	}
	s := &storage{kind: k, elements: n, raw: raw, order: t.order}
	a.tensor = Tensor{Type: k.name, Shape: shape, view: view{s, k, 0, stridesOf(shape, fortran)}}
	return nil
}

// stridesOf are the strides of an array without gaps, the last side next to each other or, in Fortran's
// order, the first.
func stridesOf(shape []int, fortran bool) []int {
	strides, step := make([]int, len(shape)), 1
	for i := range shape {
		d := len(shape) - 1 - i
		if fortran {
			d = i
		}
		strides[d] = step
		step *= max(1, shape[d])
	}
	return strides
}

// fromBuffer is what protocol 5 makes an array of: (bytes, type, shape, order).
func fromBuffer(args pickle.Tuple) (any, error) {
	if len(args) != 4 {
		return nil, errors.New("an array of NumPy's of other arguments")
	}
	t, ok := args[1].(*dataType)
	if !ok {
		return nil, errors.New("an array of NumPy's without a type")
	}
	a := &array{}
	return a, a.fill(args[2], t, args[3] == any("F"), args[0])
}

// number is a single number of NumPy's: (type, bytes).
func number(args pickle.Tuple) (any, error) {
	if len(args) != 2 {
		return nil, errors.New("a number of NumPy's of other arguments")
	}
	t, ok := args[0].(*dataType)
	if !ok {
		return nil, errors.New("a number of NumPy's without a type")
	}
	a := &array{}
	if err := a.fill(pickle.Tuple{}, t, false, args[1]); err != nil {
		return nil, err
	}
	if a.what != "" {
		return a, nil
	}
	v := a.tensor.Values()
	if n, err := safetensors.Values[int64](v); err == nil {
		if a.tensor.Type == "bool" {
			return n[0] != 0, nil
		}
		return n[0], nil
	}
	n, err := v.Float64s()
	if err != nil {
		return a, nil
	}
	return n[0], nil
}
