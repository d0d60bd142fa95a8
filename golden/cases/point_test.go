package cases

import (
	"math"
	"slices"
	"strings"
	"testing"

	"sdref/golden/precision"
)

// TestPoints: a point of every kind makes the same case each time, all of whose nodes can be computed; what is
// drawn on a lattice is exact where it is said to be.
func TestPoints(t *testing.T) {
	for _, kind := range Drawable() {
		p := Point{Kind: kind, Seed: 7, At: map[string]int{}}
		for name, v := range map[string]int{"batch": 3, "channels": 5, "atoms": 6, "rows": 8, "columns": 9,
			"kernel rows": 2, "kernel columns": 3, "stride": 2, "padding": 1, "dilation": 2, "iterations": 2,
			"signed": 1, "elastic": 1} {
			if p.HasAxis(name) {
				p.At[name] = v
			}
		}
		c, err := p.Case()
		if err != nil {
			t.Fatalf("%s: %v", p, err)
		}
		again, _ := p.Plain().Case()
		in, values := c.Generate(), again.Generate()
		if c.ID != again.ID || c.Kind != kind || !c.Has("drawn") || !strings.Contains(c.Why, kind) {
			t.Errorf("%s: %s, %s, %q", p, c.ID, again.ID, c.Flags)
		}
		for name, v := range in {
			if !slices.Equal(v.Data, values[name].Data) || !precision.Single.Holds(v.Data) {
				t.Errorf("%s: input %s is another one the second time, or not in float32", p, name)
			}
		}
		expected, err := c.Evaluate(in)
		if err != nil {
			t.Fatalf("%s: %v", p, err)
		}
		for name, v := range expected {
			if slices.ContainsFunc(v.Data, func(x float64) bool { return !(math.Abs(x) < 1e30) }) {
				t.Errorf("%s: node %s is not finite", p, name)
			}
		}
		bounds, err := ExactBounds(c, precision.FP32)
		if err != nil || (len(bounds) == len(c.Nodes)) != c.Has("exact") {
			t.Errorf("%s: %d of %d nodes exact, %v", p, len(bounds), len(c.Nodes), err)
		}
		p.Seed++
		if other, _ := p.Case(); other.ID == c.ID || slices.Equal(other.Generate()[c.Inputs[0].Name].Data, in[c.Inputs[0].Name].Data) {
			t.Errorf("%s: another seed makes the same case", p)
		}
	}
}

// TestDrawnDataHaveNoZeros: so that a wrong element of a small case is rarely right by chance; the magnitude is
// a power of two times the data.
func TestDrawnDataHaveNoZeros(t *testing.T) {
	p := Point{Kind: "conv_forward", At: map[string]int{"rows": 20, "columns": 20, "channels": 3}}
	small := p
	small.At = map[string]int{"rows": 20, "columns": 20, "channels": 3, "magnitude": -40}
	c, err := p.Case()
	if err != nil {
		t.Fatal(err)
	}
	d, err := small.Case()
	if err != nil {
		t.Fatal(err)
	}
	x, y := c.Generate()["x"].Data, d.Generate()["x"].Data
	for i, v := range x {
		if v == 0 || math.Ldexp(v, -40) != y[i] {
			t.Fatalf("element %d is %v, and %v times 2^-40", i, v, y[i])
		}
	}
}
