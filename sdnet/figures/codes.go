package figures

import (
	"cmp"
	"math"
	"slices"

	"sdref/sdnet"
	"sdref/tensor"
)

// Codes is a histogram of the codes of a CSC layer: Figure D.1.
type Codes struct {
	Layer        string
	Zeros, Total int
	Width        float64     // of a bin
	Bins         map[int]int // the number of codes, other than zeros, in [i Width, (i+1) Width)
}

// BinWidth is the width of the bins: small, since a drawing can join them, and a power of two, so that its
// multiples are exact.
const BinWidth = 1.0 / 1024

// CountCodes predicts batches of images x (N, C, H, W), one for each call of next until that returns nil, and
// counts the codes of every CSC layer. The next call of next may overwrite the batch.
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

// add counts codes. Those within the table's range are counted there first, which is faster than a map.
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

// MostUsed lists the n maps of a code (1, M, H, W) with the largest sums of |z|, by their numbers, of equal ones the first; all if there
// are fewer.
func MostUsed[T tensor.Float](z *tensor.Tensor[T], n int) []int {
	order, use := make([]int, z.Shape[1]), make([]float64, z.Shape[1])
	for m := range order {
		order[m], use[m] = m, tensor.SumAbs(z.Row(0).Row(m))
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(use[b], use[a]) })
	return order[:min(n, len(order))]
}

// Range returns the range of bins from (included) to to (excluded) outside which the given share of the
// nonzero codes lies, half of it on each side. Without nonzero codes it returns 0, 0.
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
