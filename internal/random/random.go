// Package random is a random number generator whose draws are numbered: draw i of a stream is
//
//	mix(seed + (i+1)*0x9E3779B97F4A7C15)        (SplitMix64, modulo 2^64)
//
// It is for everything that must be drawn again exactly: test inputs, initial weights, the order of an
// epoch, crops and flips. A stream has no state, so a run resumes from its counters alone and any number
// of goroutines may read one stream. It knows nothing of shapes, and it is not for secrets.
package random

import (
	"fmt"
	"math/bits"
)

// gamma is 2^64 divided by the golden ratio, rounded to an odd number: the step between the states of
// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
const gamma = 0x9E3779B97F4A7C15

// Stream is a sequence of 2^64 numbers, fixed by its seed. The zero value is New(0).
type Stream struct{ seed uint64 }

// New returns the stream of a seed.
func New(seed uint64) Stream { return Stream{seed} }

// mix is the bijection of 64-bit words that SplitMix64 applies to its state: Stafford's "Mix13".
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

// At returns number i of the stream, uniform over 64-bit words. At(0), At(1), ... is the output of
// SplitMix64 started at the stream's seed.
func (s Stream) At(i uint64) uint64 { return mix(s.seed + (i+1)*gamma) }

// Unit returns number i as k/2^23 - 1 with k uniform in [0, 2^24): a value in [-1, 1) that float32 holds
// exactly. Published vectors are filled by this rule: value = Unit(i)*scale + offset.
func (s Stream) Unit(i uint64) float64 { return float64(float64(s.At(i)>>40)*0x1p-23) - 1 }

// Float returns number i as k/2^53 with k uniform in [0, 2^53): a value in [0, 1).
func (s Stream) Float(i uint64) float64 { return float64(s.At(i)>>11) * 0x1p-53 }

// Intn returns number i scaled to [0, n): the high word of At(i)*n. No value is more likely than another
// by more than n/2^64 of itself. It panics unless n > 0.
func (s Stream) Intn(i uint64, n int) int {
	if n <= 0 {
		panic(fmt.Sprintf("random: Intn(%d, %d): n must be positive", i, n))
	}
	high, _ := bits.Mul64(s.At(i), uint64(n))
	return int(high)
}

// Sub returns the stream for a purpose ("shuffle", "crop") and its numbers (an epoch, a layer). Streams
// of different purposes or numbers behave as independent ones, and differ from s itself.
func (s Stream) Sub(purpose string, n ...uint64) Stream {
	s = s.descend(hash(purpose))
	for _, v := range n {
		s = s.descend(v)
	}
	return s
}

// descend mixes one word into the seed. Both mixes are needed: the inner one separates the seeds of streams
// that differ by a multiple of gamma, the outer one separates neighbouring words.
func (s Stream) descend(word uint64) Stream { return Stream{mix(s.At(0) ^ word)} }

// hash is the 64-bit FNV-1a of Fowler, Noll and Vo.
func hash(name string) uint64 {
	h := uint64(0xCBF29CE484222325)
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 0x100000001B3
	}
	return h
}

// Permutation returns the numbers 0 to n-1 in an order that the stream decides (Fisher and Yates's shuffle,
// one draw per element). It panics if n is negative.
func (s Stream) Permutation(n int) []int {
	if n < 0 {
		panic(fmt.Sprintf("random: Permutation(%d): n must not be negative", n))
	}
	p := make([]int, n)
	for i := range p {
		p[i] = i
	}
	for i := n - 1; i > 0; i-- {
		j := s.Intn(uint64(i), i+1)
		p[i], p[j] = p[j], p[i]
	}
	return p
}
