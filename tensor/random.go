package tensor

import "sdref/internal/random"

// FillUniform sets element i to Unit(i)*scale + offset, where Unit(i), in [-1, 1), is number i of the
// SplitMix64 generator with the given seed, a multiple of 2^-23. With a power of two for scale and no offset
// every value is exact in float32. Published test vectors name their inputs by these three numbers.
func FillUniform[T Float](t *Tensor[T], seed uint64, scale, offset float64) {
	s := random.New(seed)
	for i := range t.Data {
		t.Data[i] = T(float64(s.Unit(uint64(i))*scale) + offset)
	}
}
