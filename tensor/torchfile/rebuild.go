package torchfile

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"sdref/internal/pickle"
	"sdref/tensor/safetensors"
)

// rebuilders are the functions of PyTorch that make tensors, and the types of storages.
var rebuilders = func() map[string]any {
	g := map[string]any{
		"torch.Size":                                 pickle.Func(size),
		"torch.device":                               pickle.Func(device),
		"torch._utils._rebuild_tensor":               pickle.Func(rebuildTensor),
		"torch._utils._rebuild_tensor_v2":            pickle.Func(rebuildTensor),
		"torch._utils._rebuild_tensor_v3":            pickle.Func(rebuildTyped),
		"torch._utils._rebuild_parameter":            pickle.Func(rebuildParameter),
		"torch._utils._rebuild_parameter_with_state": pickle.Func(rebuildParameter),
		"torch._tensor._rebuild_from_type_v2":        pickle.Func(rebuildSubclass),
		// A tensor of another device, given by an array of NumPy's.
		"torch._utils._rebuild_device_tensor_from_numpy": pickle.Func(rebuildParameter),
		"torch.storage.UntypedStorage":                   untyped,
		"torch.UntypedStorage":                           untyped,
	}
	for _, k := range kinds {
		if k.storage != "" {
			g["torch."+k.storage], g["torch.storage."+k.storage], g["torch.cuda."+k.storage] = k, k, k
		}
	}
	return g
}()

// size passes a shape on.
func size(args pickle.Tuple) (any, error) {
	if len(args) != 1 {
		return nil, errors.New("torch.Size wants one argument")
	}
	return args[0], nil
}

// device is a text such as cuda:0.
func device(args pickle.Tuple) (any, error) {
	if len(args) == 0 || len(args) > 2 {
		return nil, errors.New("torch.device wants one argument or two")
	}
	name, _ := args[0].(string)
	if index, ok := args[len(args)-1].(int64); ok && len(args) == 2 && len(name) < 100 {
		return fmt.Sprintf("%s:%d", name, index), nil
	}
	return name, nil
}

// rebuildTensor makes a tensor of a storage: (storage, offset, shape, strides, requires_grad, backward hooks,
// metadata), of which the last three say nothing about the values, unless the metadata make it the negative
// or conjugate of what is stored.
func rebuildTensor(args pickle.Tuple) (any, error) {
	if len(args) < 4 || len(args) > 7 {
		return nil, fmt.Errorf("a tensor of %d arguments", len(args))
	}
	if len(args) == 7 {
		if d, ok := args[6].(*pickle.Dict); args[6] != nil && (!ok || len(d.Entries) > 0) {
			return nil, errors.New("a tensor with metadata (negative or conjugate) is not supported")
		}
	}
	s, _ := args[0].(*storage)
	if s == nil {
		return newTensor(args, kind{})
	}
	return newTensor(args, s.kind)
}

// rebuildTyped makes a tensor of untyped bytes: (storage, offset, shape, strides, requires_grad, backward
// hooks, type, metadata).
func rebuildTyped(args pickle.Tuple) (any, error) {
	if len(args) < 7 || len(args) > 8 {
		return nil, fmt.Errorf("a tensor of %d arguments", len(args))
	}
	g, _ := args[6].(pickle.Global)
	k, ok := kindOf(g.Name)
	if !ok || g.Module != "torch" {
		return Object{What: fmt.Sprintf("a tensor of %.60s", g)}, nil
	}
	return newTensor(args, k)
}

// newTensor makes a tensor, or an Object where the type is not read.
func newTensor(args pickle.Tuple, k kind) (any, error) {
	if o, ok := args[0].(*pickle.Object); ok {
		return o, nil // of a kind of storage that is not known
	}
	s, ok := args[0].(*storage)
	offset, whole := args[1].(int64)
	shape, err1 := integers(args[2])
	strides, err2 := integers(args[3])
	if err := cmp.Or(err1, err2); err != nil {
		return nil, err
	}
	if !ok || !whole || len(shape) != len(strides) {
		return nil, fmt.Errorf("a tensor of a %T at a %T, %d sides and %d strides", args[0], args[1], len(shape), len(strides))
	}
	if k.values == nil {
		return Object{What: "a tensor of " + k.name}, nil
	}
	if s.size != k.size && s.size != 1 {
		return nil, fmt.Errorf("a tensor of %s in a storage of %s", k.name, s.name)
	}
	t := Tensor{Type: k.name, Shape: shape, view: view{s, k, int(offset), strides}}
	return t, t.check()
}

// check refuses a tensor that reaches beyond its storage.
func (t Tensor) check() error {
	n, ok := safetensors.Elements(t.Shape)
	if !ok || t.offset < 0 {
		return fmt.Errorf("a tensor of shape %v at %d", t.Shape, t.offset)
	}
	last, room := t.offset, t.storage.elements*t.storage.size/t.kind.size
	for i, side := range t.Shape {
		switch stride := t.strides[i]; {
		case stride < 0:
			return fmt.Errorf("a tensor of strides %v", t.strides)
		case n > 0 && side > 1 && stride > (math.MaxInt-last)/(side-1):
			return fmt.Errorf("a tensor of shape %v and strides %v", t.Shape, t.strides)
		case n > 0:
			last += (side - 1) * stride
		}
	}
	if n > 0 && last >= room {
		return fmt.Errorf("a tensor of shape %v, strides %v at %d reaches beyond its storage of %d elements", t.Shape, t.strides, t.offset, room)
	}
	return nil
}

// rebuildParameter passes the tensor on that a parameter is.
func rebuildParameter(args pickle.Tuple) (any, error) {
	if len(args) == 0 {
		return nil, errors.New("a parameter of nothing")
	}
	return args[0], nil
}

// rebuildSubclass passes the tensor on that an instance of a subclass is: (function, subclass, the function's
// arguments, attributes).
func rebuildSubclass(args pickle.Tuple) (any, error) {
	if len(args) < 3 {
		return nil, errors.New("an instance of a subclass without arguments")
	}
	if inner, ok := args[2].(pickle.Tuple); ok && len(inner) > 0 {
		if t, ok := inner[0].(Tensor); ok {
			return t, nil
		}
		if _, ok := inner[0].(*storage); ok && len(inner) > 6 {
			if _, typed := inner[6].(pickle.Global); typed {
				return rebuildTyped(inner)
			}
		}
		if _, ok := inner[0].(*storage); ok {
			return rebuildTensor(inner)
		}
	}
	return Object{What: "a tensor of another class"}, nil
}

// maxSides bounds a tensor's dimensions, as PyTorch does.
const maxSides = 64

// integers reads a tuple of sizes.
func integers(value any) ([]int, error) {
	items, ok := value.(pickle.Tuple)
	if !ok || len(items) > maxSides {
		return nil, fmt.Errorf("sizes that are a %T", value)
	}
	list := make([]int, len(items))
	for i, item := range items {
		n, ok := item.(int64)
		if !ok || int64(int(n)) != n {
			return nil, fmt.Errorf("a size that is a %T", item)
		}
		list[i] = int(n)
	}
	return list, nil
}

// storageReference is what a pickle says of a storage that lies outside it.
type storageReference struct {
	kind        kind
	key         string
	elements    int
	unknown     pickle.Global // the type, if it is not known
	part        bool          // only some elements of the storage
	from, count int           // which
}

// reference reads a reference to a storage: ("storage", type, key, device, elements), and in old files a part
// of it, (key of its own, first element, number of elements), or None.
func reference(id any) (r storageReference, err error) {
	if text, ok := id.(string); ok {
		id = spelled(text)
	}
	t, ok := id.(pickle.Tuple)
	if !ok || len(t) < 5 || len(t) > 6 || t[0] != any("storage") {
		return r, errors.New("a reference that is not to a storage")
	}
	var ok1, ok2, ok3 bool
	r.kind, ok1 = t[1].(kind)
	r.key, ok2 = t[2].(string)
	r.elements, ok3 = count(t[4])
	r.unknown, _ = t[1].(pickle.Global)
	if r.unknown.Name != "" {
		return r, nil
	}
	if !ok1 || !ok2 || !ok3 {
		return r, fmt.Errorf("a storage of a %T under a %T with %T elements", t[1], t[2], t[4])
	}
	if len(t) == 6 && t[5] != nil {
		part, ok := t[5].(pickle.Tuple)
		if !ok || len(part) != 3 {
			return r, errors.New("a part of a storage that is no part")
		}
		r.part = true
		r.from, ok1 = count(part[1])
		r.count, ok2 = count(part[2])
		if !ok1 || !ok2 {
			return r, errors.New("a part of a storage that is no part")
		}
	}
	return r, nil
}

// spelling is how Python spells a reference, which is all that protocol 0 has for it.
var spelling = regexp.MustCompile(`^\('storage', <class '([\w.]+)'>, '([^']*)', '[^']*', (\d+)(?:, None)?\)$`)

// spelled reads a reference as Python spells it; nil if it is none.
func spelled(text string) any {
	found := spelling.FindStringSubmatch(text)
	if found == nil {
		return nil
	}
	elements, err := strconv.ParseInt(found[3], 10, 64)
	if err != nil {
		return nil
	}
	var class any = pickle.Global{Module: "torch", Name: strings.TrimPrefix(found[1], "torch.")}
	if k, ok := rebuilders[found[1]].(kind); ok {
		class = k
	}
	return pickle.Tuple{"storage", class, found[2], "", elements}
}

// count is a number of elements whose bytes an int can count.
func count(value any) (int, bool) {
	n, ok := value.(int64)
	return int(n), ok && n >= 0 && n <= math.MaxInt/16
}
