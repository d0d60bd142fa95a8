package safetensors

import (
	"fmt"
	"math"

	"sdref/internal/narrow"
)

// Half returns a tensor of type F16 with the float16 nearest to each element. A finite element that float16 cannot hold, beyond 65504 in
// magnitude, is an error that names the tensor.
func Half(t Tensor) (Tensor, error) {
	values, err := t.Float64s()
	if err != nil {
		return Tensor{}, err
	}
	raw := make([]byte, 0, 2*len(values))
	for i, v := range values {
		h := narrow.ToHalf(v)
		if math.IsInf(float64(narrow.Half(h)), 0) && !math.IsInf(v, 0) {
			return Tensor{}, fmt.Errorf("tensor %q: element %d is %g, which float16 cannot hold", t.Name, i, v)
		}
		raw = little.AppendUint16(raw, h)
	}
	return Tensor{Name: t.Name, Shape: t.Shape, data: packed{dtype: "F16", raw: raw}}, nil
}
