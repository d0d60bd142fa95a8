package figures

import (
	"math"

	"sdref/sdnet"
	"sdref/tensor"
)

// Codes counts how the codes of a CSC layer are distributed: Figure D.1.
type Codes struct {
	Layer        string
	Zeros, Total int
	Width        float64     // of a bin
	Bins         map[int]int // how many codes that are not zero lie in [i Width, (i+1) Width)
}

// BinWidth is the width of the bins: fine, since a drawing can join them, and a power of two, so that its multiples are exact.
const BinWidth = 1.0 / 1024

// CountCodes predicts batches of images x (N, 3, H, W), one for each call of next until that returns nil, and counts the codes
// of every CSC layer. What next returns may be written over by its next call.
func CountCodes[T tensor.Float](net *sdnet.Network[T], next func() *tensor.Tensor[T]) []Codes {
	var list []Codes
	index := map[string]int{}
	for i, l := range net.Layers {
		list = append(list, Codes{Layer: l.Name, Width: BinWidth, Bins: map[int]int{}})
		index[l.Name] = i
	}
	p := sdnet.NewPredictor(net)
	p.Observe = func(name string, value *tensor.Tensor[T]) {
		if i, ok := index[name]; ok {
			add(&list[i], value)
		}
	}
	for x := next(); x != nil; x = next() {
		p.Logits(x)
	}
	return list
}

// add counts codes. Those in the table's reach are counted there first: a map for each would be slow.
func add[T tensor.Float](c *Codes, z *tensor.Tensor[T]) {
	const reach = 1 << 12
	var table [reach]int
	c.Total += z.Len()
	for _, v := range z.Data {
		if v == 0 {
			c.Zeros++
			continue
		}
		if i := int(math.Floor(float64(v) / c.Width)); uint(i) < reach {
			table[i]++
		} else {
			c.Bins[i]++
		}
	}
	for i, n := range table {
		if n > 0 {
			c.Bins[i] += n
		}
	}
}

// ZeroShare is the share of exact zeros.
func (c Codes) ZeroShare() float64 { return float64(c.Zeros) / float64(max(1, c.Total)) }

// Range returns the first and the last bin between which all codes but the given share of those that are not zero lie, half of
// that share on each side: the last one is excluded. Without codes that are not zero it returns 0, 0.
func (c Codes) Range(share float64) (from, to int) {
	count := 0
	for i, n := range c.Bins {
		if count == 0 {
			from, to = i, i+1
		}
		from, to = min(from, i), max(to, i+1)
		count += n
	}
	outside := func(step int, at *int, bin func() int) {
		for left := float64(count) * share / 2; from < to; *at += step {
			if left -= float64(c.Bins[bin()]); left < 0 {
				return
			}
		}
	}
	outside(1, &from, func() int { return from })
	outside(-1, &to, func() int { return to - 1 })
	return from, to
}
