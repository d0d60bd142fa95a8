package torchfile

import (
	"fmt"

	"sdref/internal/pickle"
)

// Dictionaries may refer to each other, so that a small file can hold a large tree, or an endless one: a file of more values, or of
// longer names, is refused. Values of other types, such as None, are left out.
const (
	maxValues = 1 << 17
	maxName   = 512 // bytes
)

// flattening collects the tensors and scalars of a file.
type flattening struct {
	*File
	values int
}

func (f *flattening) visit(name string, value any) error {
	if f.values++; f.values > maxValues || len(name) > maxName {
		return fmt.Errorf("more than %d values, or than %d bytes of a name, at %.60q", maxValues, maxName, name)
	}
	switch v := value.(type) {
	case Tensor:
		v.Name = name
		f.Tensors = append(f.Tensors, v)
	case bool, int64, float64, string:
		f.Scalars = append(f.Scalars, Scalar{name, v})
	case *pickle.Dict:
		for _, e := range v.Entries {
			if err := f.visit(join(name, e.Key), e.Value); err != nil {
				return err
			}
		}
	case *pickle.List:
		return f.visitItems(name, v.Items)
	case pickle.Tuple:
		return f.visitItems(name, v)
	}
	return nil
}

func (f *flattening) visitItems(name string, items []any) error {
	for i, item := range items {
		if err := f.visit(join(name, i), item); err != nil {
			return err
		}
	}
	return nil
}

func join(name string, key any) string {
	if name == "" {
		return fmt.Sprint(key)
	}
	return fmt.Sprintf("%s.%v", name, key)
}
