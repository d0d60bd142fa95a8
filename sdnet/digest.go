package sdnet

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
)

// Digest is the SHA-256 of the network's state, in hexadecimal: for each tensor in the order of State a line with its name and
// shape, such as "linear.bias [10]\n", then its values as the eight bytes of a float64 each, little-endian, which float32
// becomes without loss. Two networks have the same digest if and only if they have the same names, shapes and bits.
func (n *Network[T]) Digest() string {
	sum := sha256.New()
	for _, s := range n.state {
		fmt.Fprintf(sum, "%s %d\n", s.Name, s.Shape)
		values := make([]byte, 0, 8*s.Len())
		for _, v := range s.Data {
			values = binary.LittleEndian.AppendUint64(values, math.Float64bits(float64(v)))
		}
		sum.Write(values)
	}
	return hex.EncodeToString(sum.Sum(nil))
}
