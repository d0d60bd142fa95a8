package figures

import (
	"maps"
	"math"
	"testing"

	"sdref/sdnet"
	"sdref/tensor"
)

// batches returns the images of x in batches of n.
func batches(x *tensor.Tensor[float64], n int) func() *tensor.Tensor[float64] {
	at := 0
	return func() *tensor.Tensor[float64] {
		count := min(n, x.Shape[0]-at)
		if count == 0 {
			return nil
		}
		size := x.Len() / x.Shape[0]
		part := tensor.From(x.Data[at*size:(at+count)*size], append([]int{count}, x.Shape[1:]...)...)
		at += count
		return part
	}
}

func TestCountCodes(t *testing.T) {
	spec, err := sdnet.Lookup("sdnet8_all_narrow", "shapes")
	if err != nil {
		t.Fatal(err)
	}
	spec.Data.Image, spec.CSC.Nonnegative = 16, false // codes of both signs
	n := build(t, spec)
	for i := range n.Layers[0].Weight.Data {
		n.Layers[0].Weight.Data[i] *= 20 // codes beyond the table
	}
	x := noise(5, 5, 3, 16, 16)
	want := map[string]*Codes{}
	p := sdnet.NewPredictor(n)
	p.Observe = func(name string, value *tensor.Tensor[float64]) {
		for _, l := range n.Layers {
			if l.Name != name {
				continue
			}
			c := &Codes{Bins: map[int]int{}}
			for _, v := range value.Data {
				c.Total++
				if v == 0 {
					c.Zeros++
				} else {
					c.Bins[int(math.Floor(v/BinWidth))]++
				}
			}
			want[name] = c
		}
	}
	p.Logits(x)
	for _, size := range []int{5, 2, 1} {
		list := CountCodes(n, batches(x, size))
		if len(list) != len(n.Layers) || len(list) != len(want) {
			t.Fatalf("%d layers", len(list))
		}
		high, negative, zeros, sum := 0, 0, 0, 0
		for _, c := range list {
			w := want[c.Layer]
			if w == nil || c.Zeros != w.Zeros || c.Total != w.Total || !maps.Equal(c.Bins, w.Bins) {
				t.Errorf("batches of %d, %s: %d zeros of %d, %d bins", size, c.Layer, c.Zeros, c.Total,
					len(c.Bins))
			}
			if math.Abs(c.ZeroShare()-float64(c.Zeros)/float64(c.Total)) > 1e-15 {
				t.Errorf("share %g", c.ZeroShare())
			}
			for i, n := range c.Bins {
				high, sum = max(high, i), sum+n
				if i < 0 {
					negative += n
				}
			}
			zeros, sum = zeros+c.Zeros, sum+c.Zeros-c.Total
		}
		if high < 1<<12 || negative == 0 || zeros == 0 || sum != 0 {
			t.Errorf("highest bin %d, %d negative codes, %d zeros, %d counted too often", high, negative,
				zeros, sum)
		}
	}
}

func TestRange(t *testing.T) {
	c := Codes{Bins: map[int]int{-3: 1, 0: 48, 2: 49, 90: 1, 1000: 1}}
	for share, want := range map[float64][2]int{0: {-3, 1001}, 0.019: {-3, 1001}, 0.02: {0, 91}, 0.05: {0, 3},
		1: {2, 3}} {
		if from, to := c.Range(share); from != want[0] || to != want[1] {
			t.Errorf("all but %g: %d to %d, want %v", share, from, to, want)
		}
	}
	if from, to := (Codes{}).Range(0.1); from != 0 || to != 0 {
		t.Errorf("no codes: %d to %d", from, to)
	}
}
