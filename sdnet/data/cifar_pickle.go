package data

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"sdref/internal/pickle"
)

// readPickled appends the records of a pickled dictionary to set: its data, N x 3072 bytes, and its labels.
func readPickled(r io.Reader, size int64, l *layout, set *Set) error {
	d, err := readDict(bufio.NewReaderSize(r, 1<<16), size)
	if err != nil {
		return err
	}
	pixels, ok := d["data"].(*byteArray)
	if !ok {
		return errors.New("no array of bytes under the key data")
	}
	n := pixels.shape[0]
	if n < 1 || len(pixels.raw) != n*ImageBytes {
		return fmt.Errorf("data of shape %v, want N x %d, N from 1 on", pixels.shape, ImageBytes)
	}
	keys := []string{"labels"}
	if l.coarse > 0 {
		keys = []string{"coarse_labels", "fine_labels"}
	}
	record := make([]byte, n*len(keys)) // the labels, as in the records of the binary form
	for k, key := range keys {
		list, err := labelList(d[key])
		if err != nil || len(list) != n {
			return fmt.Errorf("%s: %d labels of %d images (%v)", key, len(list), n, err)
		}
		for i, label := range list {
			record[i*len(keys)+k] = label
		}
	}
	for i := range n {
		if err := l.add(set, i, record[i*len(keys):][:len(keys)], pixels.raw[i*ImageBytes:][:ImageBytes]); err != nil {
			return err
		}
	}
	return nil
}

// pickledNames is the class names in a pickled dictionary.
func pickledNames(content []byte) (names []string, err error) {
	d, err := readDict(bufio.NewReader(bytes.NewReader(content)), int64(len(content)))
	if err != nil {
		return nil, err
	}
	list, ok := d["label_names"].(*pickle.List)
	if fine, is := d["fine_label_names"].(*pickle.List); is {
		list, ok = fine, true
	}
	if !ok {
		return nil, errors.New("no list under the key label_names or fine_label_names")
	}
	for _, item := range list.Items {
		name, ok := textOf(item)
		if !ok {
			return nil, fmt.Errorf("a class name that is a %T", item)
		}
		names = append(names, name)
	}
	return names, nil
}

// readDict reads a dictionary with keys of texts, which are bytes if Python 2 wrote it.
func readDict(r *bufio.Reader, size int64) (map[string]any, error) {
	decoder := pickle.Decoder{In: r, Limit: size, Globals: arrayNames, Unknown: func(pickle.Global) error { return nil }}
	value, err := decoder.Decode()
	if err != nil {
		return nil, err
	}
	dict, ok := value.(*pickle.Dict)
	if !ok {
		return nil, errors.New("a pickle of something else than a dictionary")
	}
	d := map[string]any{}
	for _, e := range dict.Entries {
		if key, ok := textOf(e.Key); ok {
			d[key] = e.Value
		}
	}
	return d, nil
}

// textOf is a text, also one of Python 2's, which is bytes.
func textOf(value any) (string, bool) {
	raw, ok := rawOf(value)
	return string(raw), ok
}

// rawOf is the bytes of a string of Python 2, which was read as a text if it can be one.
func rawOf(value any) ([]byte, bool) {
	if text, ok := value.(string); ok {
		return []byte(text), true
	}
	raw, ok := value.([]byte)
	return raw, ok
}

// labelList is a list of numbers, or an array of bytes, as labels.
func labelList(value any) ([]byte, error) {
	var items []any
	switch v := value.(type) {
	case *byteArray:
		return v.raw, nil
	case *pickle.List:
		items = v.Items
	case pickle.Tuple:
		items = v
	default:
		return nil, errors.New("no list")
	}
	list := make([]byte, len(items))
	for i, item := range items {
		label, ok := item.(int64)
		if !ok || label < 0 || label > 255 {
			return nil, fmt.Errorf("label %d is %v", i, item)
		}
		list[i] = byte(label)
	}
	return list, nil
}

// arrayNames are what pickles of NumPy's arrays call, under the names of its versions, and how Python 3 writes
// bytes for Python 2.
var arrayNames = func() map[string]any {
	names := map[string]any{"_codecs.encode": pickle.Func(encodeLatin1), "numpy.dtype": pickle.Func(newElementType)}
	for _, core := range []string{"numpy.core.", "numpy._core."} {
		names[core+"multiarray._reconstruct"] = pickle.Func(func(pickle.Tuple) (any, error) { return &byteArray{}, nil })
		names[core+"numeric._frombuffer"] = pickle.Func(fromBuffer)
	}
	return names
}()

// byteArray is an array of bytes.
type byteArray struct {
	shape []int
	raw   []byte
}

// Build takes (version, shape, type, Fortran order, bytes).
func (a *byteArray) Build(state any) error {
	s, ok := state.(pickle.Tuple)
	if !ok || len(s) != 5 {
		return errors.New("an array of NumPy's with another state")
	}
	if s[3] != any(false) && s[3] != any(int64(0)) {
		return errors.New("an array of NumPy's in Fortran's order")
	}
	return a.fill(s[1], s[2], s[4])
}

// fromBuffer is how protocol 5 makes an array: (bytes, type, shape, order).
func fromBuffer(args pickle.Tuple) (any, error) {
	if len(args) != 4 || args[3] != any("C") {
		return nil, errors.New("an array of NumPy's of other arguments")
	}
	a := &byteArray{}
	return a, a.fill(args[2], args[1], args[0])
}

func (a *byteArray) fill(shape, elements, content any) error {
	sides, ok := shape.(pickle.Tuple)
	if t, is := elements.(*elementType); !ok || !is || t.name != "u1" {
		return errors.New("an array of NumPy's that is not one of bytes")
	}
	raw, ok := rawOf(content)
	if !ok {
		return errors.New("an array of NumPy's without its bytes")
	}
	n := 1
	for _, side := range sides {
		length, ok := side.(int64)
		if !ok || length < 0 || length > int64(len(raw)) {
			return fmt.Errorf("an array of NumPy's of shape %v with %d bytes", sides, len(raw))
		}
		a.shape, n = append(a.shape, int(length)), min(n*int(length), len(raw)+1)
	}
	if len(sides) == 0 || n != len(raw) {
		return fmt.Errorf("an array of NumPy's of shape %v with %d bytes", sides, len(raw))
	}
	a.raw = raw
	return nil
}

// elementType is a type of NumPy's.
type elementType struct{ name string }

func newElementType(args pickle.Tuple) (any, error) {
	if len(args) == 0 {
		return nil, errors.New("a type of NumPy's of nothing")
	}
	name, _ := textOf(args[0])
	return &elementType{strings.TrimLeft(name, "<>=|")}, nil
}

// Build takes what else there is to a type, which bytes have no need of.
func (t *elementType) Build(any) error { return nil }

// encodeLatin1 turns a text whose characters stand for bytes into these.
func encodeLatin1(args pickle.Tuple) (any, error) {
	if len(args) != 2 || !slices.Contains([]any{"latin1", "latin-1", "iso-8859-1"}, args[1]) {
		return nil, errors.New("a text that is not to be encoded as Latin-1")
	}
	text, ok := args[0].(string)
	if !ok {
		return nil, fmt.Errorf("a text that is a %T", args[0])
	}
	raw := make([]byte, 0, len(text))
	for _, r := range text {
		if r > 0xff {
			return nil, fmt.Errorf("%q is no character of Latin-1", r)
		}
		raw = append(raw, byte(r))
	}
	return raw, nil
}
