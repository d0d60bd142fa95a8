package torchfile

import (
	"errors"
	"fmt"
	"math"

	"sdref/internal/pickle"
	"sdref/tensor/safetensors"
)

// globals are what a file's pickle may name: containers, the storages' types and the functions that make tensors.
var globals = func() map[string]any {
	g := map[string]any{
		"collections.OrderedDict":                    pickle.Func(orderedDict),
		"collections.Counter":                        pickle.Func(orderedDict), // a schedule's milestones
		"torch.Size":                                 pickle.Func(size),
		"torch._utils._rebuild_tensor":               pickle.Func(rebuildTensor),
		"torch._utils._rebuild_tensor_v2":            pickle.Func(rebuildTensor),
		"torch._utils._rebuild_parameter":            pickle.Func(rebuildParameter),
		"torch._utils._rebuild_parameter_with_state": pickle.Func(rebuildParameter),
	}
	for _, k := range kinds {
		g["torch."+k.storage] = k
	}
	return g
}()

// orderedDict makes a dictionary, empty or of pairs.
func orderedDict(args pickle.Tuple) (any, error) {
	d := &pickle.Dict{}
	if len(args) == 0 {
		return d, nil
	}
	switch from := args[0].(type) {
	case *pickle.Dict:
		return from, nil
	case *pickle.List:
		for _, item := range from.Items {
			pair, ok := item.(*pickle.List)
			if !ok || len(pair.Items) != 2 || !d.Set(pair.Items[0], pair.Items[1]) {
				return nil, errors.New("a dictionary of what are no pairs")
			}
		}
		return d, nil
	}
	return nil, fmt.Errorf("a dictionary of a %T", args[0])
}

// size passes a shape on.
func size(args pickle.Tuple) (any, error) {
	if len(args) != 1 {
		return nil, errors.New("torch.Size wants one argument")
	}
	return args[0], nil
}

// rebuildTensor makes a tensor of a storage: (storage, offset, shape, strides, requires_grad, backward hooks, metadata), of
// which the last three say nothing about the values, unless the metadata make it the negative or conjugate of what is stored.
func rebuildTensor(args pickle.Tuple) (any, error) {
	if len(args) < 4 || len(args) > 7 {
		return nil, fmt.Errorf("a tensor of %d arguments", len(args))
	}
	s, ok := args[0].(*storage)
	offset, whole := args[1].(int64)
	shape, err1 := integers(args[2])
	strides, err2 := integers(args[3])
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	if !ok || !whole || len(shape) != len(strides) {
		return nil, fmt.Errorf("a tensor of a %T at a %T, %d sides and %d strides", args[0], args[1], len(shape), len(strides))
	}
	if len(args) == 7 {
		if d, ok := args[6].(*pickle.Dict); args[6] != nil && (!ok || len(d.Entries) > 0) {
			return nil, errors.New("a tensor with metadata (negative or conjugate) is not supported")
		}
	}
	t := Tensor{Type: s.name, Shape: shape, view: view{s, int(offset), strides}}
	return t, t.check()
}

// check refuses a tensor that reaches beyond its storage.
func (t Tensor) check() error {
	n, ok := safetensors.Elements(t.Shape)
	if !ok || t.offset < 0 {
		return fmt.Errorf("a tensor of shape %v at %d", t.Shape, t.offset)
	}
	last := t.offset
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
	if n > 0 && last >= t.storage.elements {
		return fmt.Errorf("a tensor of shape %v, strides %v at %d reaches beyond its storage of %d elements", t.Shape, t.strides, t.offset, t.storage.elements)
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

// storageOf reads a reference to a storage: ("storage", type, key, device, elements), and in old files a view of it.
func storageOf(id any) (k kind, key string, elements int, err error) {
	t, ok := id.(pickle.Tuple)
	if !ok || len(t) < 5 || len(t) > 6 || t[0] != any("storage") {
		return k, "", 0, errors.New("a reference that is not to a storage")
	}
	if len(t) == 6 && t[5] != nil {
		return k, "", 0, errors.New("a view of a storage, as PyTorch wrote them before 0.4, is not supported")
	}
	k, ok1 := t[1].(kind)
	key, ok2 := t[2].(string)
	n, ok3 := t[4].(int64)
	if !ok1 || !ok2 || !ok3 || n < 0 || n > math.MaxInt/8 {
		return k, "", 0, fmt.Errorf("a storage of a %T under a %T with %T elements", t[1], t[2], t[4])
	}
	return k, key, int(n), nil
}
