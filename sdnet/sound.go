package sdnet

import (
	"fmt"
	"math"
	"strings"

	"sdref/tensor"
)

// CheckTensor tells why a tensor of a network's state, under its published name, makes the network give
// numbers without meaning: an element that is NaN or infinite, a running variance below 0, whose root
// BatchNorm takes, or an atom of zeros, which has no norm to be divided by.
func CheckTensor[T tensor.Float](name string, shape []int, data []T) error {
	for i, v := range data {
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return fmt.Errorf("tensor %s: element %d is %v", name, i, f)
		}
	}
	switch {
	case strings.HasSuffix(name, ".running_var"):
		for i, v := range data {
			if v < 0 {
				return fmt.Errorf("tensor %s: element %d is %v: a variance is not negative", name, i, v)
			}
		}
	case strings.HasSuffix(name, ".dn.weight") && len(shape) > 0 && shape[0] > 0:
		size := len(data) / shape[0]
		for m := range shape[0] {
			if zero(data[m*size : (m+1)*size]) {
				return fmt.Errorf("tensor %s: atom %d is 0 everywhere: it has no norm to be divided by", name, m)
			}
		}
	}
	return nil
}

func zero[T tensor.Float](values []T) bool {
	for _, v := range values {
		if v != 0 {
			return false
		}
	}
	return true
}

// Sound tells what CheckTensor finds fault with in the network's state.
func (n *Network[T]) Sound() error {
	for _, s := range n.state {
		if err := CheckTensor(s.Name, s.Shape, s.Data); err != nil {
			return err
		}
	}
	return nil
}
