package data

import (
	"math"
	"sort"

	"sdref/internal/elementary"
	"sdref/internal/random"
)

func gaussian(c float64) corruption {
	return func(x byte, i uint64, s random.Stream) float64 {
		return float64(x)/255 + float64(c*normalAt(s, i))
	}
}

func speckle(c float64) corruption {
	return func(x byte, i uint64, s random.Stream) float64 {
		v := float64(x) / 255
		return v + float64(v*float64(c*normalAt(s, i)))
	}
}

func impulse(c float64) corruption {
	return func(x byte, i uint64, s random.Stream) float64 {
		switch u := s.Float(i); {
		case u < c/2:
			return 0
		case u < c:
			return 1
		}
		return float64(x) / 255
	}
}

func shot(c float64) corruption {
	var tables [256][]float64 // one for each byte
	for x := range tables {
		tables[x] = poissonTable(float64(c*float64(x)) / 255)
	}
	return func(x byte, i uint64, s random.Stream) float64 {
		return float64(poisson(tables[x], s.Float(i))) / c
	}
}

// normalAt returns number i of a stream of normal numbers, by the transform of Box and Muller (1958): numbers
// 2j and 2j+1 are
//
//	sqrt(-2 log u) cos 2 pi v  and  sqrt(-2 log u) sin 2 pi v
//
// with u in (0, 1] and v in [0, 1), draws 2j and 2j+1.
func normalAt(s random.Stream, i uint64) float64 {
	first := i &^ 1
	radius := math.Sqrt(-2 * elementary.Log(1-s.Float(first)))
	angle := float64(2 * math.Pi * s.Float(first+1))
	if i == first {
		return float64(radius * elementary.Cos(angle))
	}
	return float64(radius * elementary.Sin(angle))
}

// poissonTable returns the distribution function F(k), k = 0, 1, ..., of the Poisson distribution with the
// given mean, up to where the remaining probability is negligible. The mean is at most some 700, beyond which
// exp(-mean) is no normal number.
func poissonTable(mean float64) []float64 {
	p := elementary.Exp(-mean) // of k
	sum := p
	table := []float64{sum}
	for k := 1; float64(k) < mean || p > 0x1p-60; k++ {
		p = float64(p*mean) / float64(k)
		sum += p
		table = append(table, sum)
	}
	return table
}

// poisson returns the least k with F(k) > u, by inversion. By rounding the largest F may be less than 1; for
// a larger u it returns the last k.
func poisson(table []float64, u float64) int {
	return min(sort.Search(len(table), func(k int) bool { return table[k] > u }), len(table)-1)
}
