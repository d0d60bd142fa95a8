package torchfile

import (
	"fmt"
	"math/big"
	"slices"

	"sdref/internal/pickle"
)

// Dictionaries may refer to each other, so that a small file can hold a large tree: a file of more values
// than bytes, and than leastValues, is refused. Where a container holds itself, or lies deeper than maxDeep,
// or has too long a name, it is not entered.
const (
	leastValues = 1 << 17
	maxName     = 256 // bytes
	maxDeep     = 100
	maxListed   = 32 // numbers of a list that are listed one by one
)

// flattening collects the tensors, scalars and objects of a file.
type flattening struct {
	*File
	values, limit int
	inside        []any // the containers that are being visited
}

func (f *flattening) file(value any) error { return f.visit("", value) }

// count counts values.
func (f *flattening) count(n int) error {
	if f.values += n; f.values > f.limit {
		return fmt.Errorf("more than %d values", f.limit)
	}
	return nil
}

func (f *flattening) object(name, what string) { f.Objects = append(f.Objects, Object{name, what}) }

func (f *flattening) visit(name string, value any) error {
	if err := f.count(1); err != nil {
		return fmt.Errorf("%w, at %.60q", err, name)
	}
	if len(name) > maxName {
		f.object(name[:maxName], "what has a longer name")
		return nil
	}
	switch v := value.(type) {
	case Tensor:
		v.Name = name
		f.Tensors = append(f.Tensors, v)
	case *array:
		if v.tensor.storage == nil {
			f.object(name, v.what)
			return nil
		}
		v.tensor.Name = name
		f.Tensors = append(f.Tensors, v.tensor)
	case bool, int64, float64, string:
		f.Scalars = append(f.Scalars, Scalar{name, v})
	case *big.Int:
		f.Scalars = append(f.Scalars, Scalar{name, v.String()})
	case Object:
		f.object(name, v.What)
	case pickle.Global:
		f.object(name, fmt.Sprintf("%.200s", v))
	case *dataType:
		f.object(name, "numpy.dtype "+v.text)
	case []byte:
		f.object(name, fmt.Sprintf("%d bytes", len(v)))
	case *storage:
		f.object(name, "a storage of "+v.name)
	case *pickle.Dict, *pickle.List, *pickle.Object, pickle.Tuple:
		return f.enter(name, v)
	}
	return nil
}

// enter visits what a container holds.
func (f *flattening) enter(name string, container any) error {
	if t, ok := container.(pickle.Tuple); ok {
		container = &pickle.List{Items: t}
	}
	if slices.Contains(f.inside, container) || len(f.inside) >= maxDeep {
		f.object(name, "what holds itself, or lies too deep")
		return nil
	}
	f.inside = append(f.inside, container)
	defer func() { f.inside = f.inside[:len(f.inside)-1] }()
	switch v := container.(type) {
	case *pickle.Dict:
		return f.entries(name, v.Entries)
	case *pickle.List:
		return f.items(name, v.Items)
	}
	return f.enterObject(name, container.(*pickle.Object))
}

func (f *flattening) entries(name string, entries []pickle.Entry) error {
	for _, e := range entries {
		if err := f.visit(join(name, e.Key), e.Value); err != nil {
			return err
		}
	}
	return nil
}

func (f *flattening) items(name string, items []any) error {
	if len(items) > maxListed && !slices.ContainsFunc(items, func(v any) bool { return !plain(v) }) {
		f.object(name, fmt.Sprintf("%d numbers or strings", len(items)))
		return f.count(len(items))
	}
	for i, item := range items {
		if err := f.visit(join(name, i), item); err != nil {
			return err
		}
	}
	return nil
}

// plain tells whether a value is a single one.
func plain(value any) bool {
	switch value.(type) {
	case nil, bool, int64, float64, string, *big.Int:
		return true
	}
	return false
}

// enterObject lists an object of an unknown class, and visits its attributes, the items of a list and the
// entries of a dictionary that it is, and, where it has none of these, the arguments that it was made with,
// as a named tuple is.
func (f *flattening) enterObject(name string, o *pickle.Object) error {
	f.object(name, fmt.Sprintf("%.200s", o.Class))
	states, ok := o.State.(pickle.Tuple)
	if !ok {
		states = pickle.Tuple{o.State}
	}
	found := false
	for _, s := range states {
		if d, ok := s.(*pickle.Dict); ok {
			found = true
			if err := f.attributes(name, d); err != nil {
				return err
			}
		} else if l, ok := s.(*pickle.List); ok {
			found = true
			if err := f.visit(name, l); err != nil {
				return err
			}
		}
	}
	if err := f.items(name, o.Items.Items); err != nil {
		return err
	}
	if err := f.entries(name, o.Values.Entries); err != nil || found || len(o.Items.Items)+len(o.Values.Entries) > 0 {
		return err
	}
	return f.items(name, o.Args)
}

// attributes visits an object's attributes. Those in which a module of PyTorch's keeps its parameters,
// buffers and parts are left out of the names, and buffers that it does not save with its state are left out.
func (f *flattening) attributes(name string, d *pickle.Dict) error {
	var unsaved []any
	if l, ok := d.Get("_non_persistent_buffers_set").(*pickle.List); ok {
		unsaved = l.Items
	}
	for _, e := range d.Entries {
		inner, isDict := e.Value.(*pickle.Dict)
		switch key := e.Key; {
		case isDict && key == any("_buffers") && len(unsaved) > 0 && len(unsaved) <= maxListed:
			for _, b := range inner.Entries {
				if plain(b.Key) && slices.Contains(unsaved, b.Key) {
					continue
				}
				if err := f.visit(join(name, b.Key), b.Value); err != nil {
					return err
				}
			}
		case isDict && (key == any("_parameters") || key == any("_buffers") || key == any("_modules")):
			if err := f.visit(name, inner); err != nil {
				return err
			}
		default:
			if err := f.visit(join(name, key), e.Value); err != nil {
				return err
			}
		}
	}
	return nil
}

// join appends a key to a name.
func join(name string, key any) string {
	var last string
	switch k := key.(type) {
	case string:
		last = k
	case int, bool, int64, float64, nil:
		last = fmt.Sprint(k)
	default:
		last = fmt.Sprintf("(%T)", key)
	}
	if len(last) > maxName {
		last = last[:maxName+1] // too long, as visit will find
	}
	if name == "" {
		return last
	}
	return name + "." + last
}
