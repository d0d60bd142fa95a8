package golden

import (
	"errors"
	"fmt"
	"math"

	"sdref/internal/misuse"
	"sdref/internal/random"
	"sdref/tensor/safetensors"
)

// maxElements bounds one input. The largest real one, the last weight of a
// wide network, has a few million; more than this is a damaged file.
const maxElements = 1 << 31

// Fill is a rule that makes a tensor without storing it: element i, from 0 and
// row-major, is Unit(i)*Scale + Offset, where Unit(i) is number i of the random
// stream of Seed, a multiple of 2^-23 in [-1, 1).
//
// With a power of two as Scale and no Offset, every element is exact in float32.
//
// With Levels above 0, Unit(i) is replaced by one of so many whole numbers around 0, floor((Unit(i)+1)/2 *
// Levels) - floor(Levels/2): with 3 levels -1, 0 or 1.
type Fill struct {
	Shape  []int   `json:"shape"`
	Seed   uint64  `json:"seed"`
	Scale  float64 `json:"scale"`
	Offset float64 `json:"offset,omitempty"`
	Levels int     `json:"levels,omitempty"`
}

// Values returns the elements, row-major. It panics if the shape is not valid;
// the fills of a loaded Case are.
func (f Fill) Values() []float64 {
	n, err := f.elements()
	if err != nil {
		panic(misuse.Errorf("golden.Fill: %v", err))
	}
	stream := random.New(f.Seed)
	values := make([]float64, n)
	for i := range values {
		u := stream.Unit(uint64(i))
		if f.Levels > 0 {
			u = math.Floor((u+1)/2*float64(f.Levels)) - float64(f.Levels/2)
		}
		values[i] = float64(u*f.Scale) + f.Offset
	}
	return values
}

// elements returns the number of elements, or why the fill makes no tensor.
func (f Fill) elements() (int, error) {
	n, ok := safetensors.Elements(f.Shape)
	switch {
	case !ok || int64(n) > maxElements:
		return 0, fmt.Errorf("shape %v: not a size, or more than 2^31 elements", f.Shape)
	case n == 0:
		return 0, fmt.Errorf("shape %v: no elements", f.Shape)
	case f.Levels < 0 || f.Levels > 1<<24:
		return 0, fmt.Errorf("levels %d: not between 0 and 2^24", f.Levels)
	case math.IsNaN(f.Scale) || math.IsInf(f.Scale, 0) || math.IsNaN(f.Offset) || math.IsInf(f.Offset, 0):
		return 0, fmt.Errorf("scale %v, offset %v: not finite", f.Scale, f.Offset)
	}
	return n, nil
}

// readFill reads the fill called name among fields.
func readFill(fields Fields, name string) (f Fill, err error) {
	rule, err := fields.Map(name)
	if err != nil {
		return f, err
	}
	err = errors.Join(rule.Into("shape", &f.Shape), rule.Into("seed", &f.Seed), rule.Into("scale", &f.Scale))
	if err == nil && rule.Has("offset") {
		err = rule.Into("offset", &f.Offset)
	}
	if err == nil && rule.Has("levels") {
		err = rule.Into("levels", &f.Levels)
	}
	if err != nil {
		return f, err
	}
	if _, err := f.elements(); err != nil {
		return f, fields.errorf(name, "%w", err)
	}
	return f, nil
}
