package sdnet_test

import (
	"testing"

	"sdref/sdnet"
)

// The digest is the state's, to the last bit of the last tensor, and nothing else's.
func TestDigest(t *testing.T) {
	n := build[float32](t, small(t, "sdnet8_narrow", 8), 1)
	digest := n.Digest()
	if len(digest) != 64 || n.Clone().Digest() != digest {
		t.Errorf("digest %q, of a copy %q", digest, n.Clone().Digest())
	}
	double, err := sdnet.New[float64](n.Spec)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range n.State() {
		for j, v := range s.Data {
			double.State()[i].Data[j] = float64(v)
		}
	}
	if double.Digest() != digest {
		t.Error("the same values in float64 have another digest")
	}
	for i := range n.State() {
		c := n.Clone()
		s := c.State()[i]
		s.Data[len(s.Data)-1] += 1e-3
		if c.Digest() == digest {
			t.Errorf("%s: another value, the same digest", s.Name)
		}
	}
	zero := n.Clone()
	zero.State()[0].Data[0] = 0
	positive := zero.Digest()
	zero.State()[0].Data[0] *= -1
	if zero.Digest() == positive {
		t.Error("0 and -0 have the same digest")
	}
}
