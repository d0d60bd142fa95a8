package answer

import (
	"context"

	"sdref/tensor"
)

// atoms is the stem's atoms (64, 3, 3, 3), of norm 1.
func (l *Lab) atoms(context.Context, Request) (*Response, error) {
	n, err := l.network(slim)
	if err != nil {
		return nil, err
	}
	r := &Response{Values: map[string]any{}}
	add(r, "atoms", tensor.Convert[float32](n.ready.Layers[0].Weight))
	return r, nil
}
