package kernel

import (
	"math/rand/v2"
	"testing"
)

func TestPackUnpack(t *testing.T) {
	eachRow(t, testPackUnpack[float32, uint32], testPackUnpack[float64, uint64])
}

// testPackUnpack takes patterns of bits rather than numbers, so that no NaN can stand for another.
func testPackUnpack[T Float, W word](t *testing.T, row *Set[T]) {
	r := rand.New(rand.NewPCG(21, 1))
	top := ^(^W(0) >> 1)
	corners := []W{1, top, top | 1, ^W(0), ^W(0) >> 1, ^W(0) >> 2, ^(^W(0) >> 9), ^(^W(0) >> 9) | 1,
		^(^W(0) >> 12), ^(^W(0) >> 12) | 1}
	for n := range 200 {
		for _, density := range []float64{0, 0.02, 0.3, 0.9, 1} {
			x, mask := guarded[T](t, n, true), guarded[T](t, MaskLen[T](n), true)
			want := words[W](x)
			count := 0
			for i := range want {
				want[i] = 0
				if r.Float64() < density {
					want[i] = corners[r.IntN(len(corners))]
					if r.IntN(2) == 0 {
						want[i] = W(r.Uint64()) | 1
					}
					count++
				}
			}
			before := append([]W(nil), want...)
			fill(r, mask, false) // what lay there before
			if marked := row.Mark(mask, x); marked != count {
				t.Fatalf("Mark of %d elements found %d, want %d", n, marked, count)
			}
			checkMask(t, words[W](mask), before)
			packed := guarded[T](t, count, true)
			row.Pack(packed, mask, x)
			fill(r, x, false)
			row.Unpack(x, mask, packed)
			for i, w := range words[W](x) {
				if w != before[i] {
					t.Fatalf("element %d of %d is %#x, want %#x", i, n, w, before[i])
				}
			}
		}
	}
}

// checkMask reads the mask bit by bit.
func checkMask[W word](t *testing.T, mask, x []W) {
	t.Helper()
	for i := range len(mask) * bitsPer[W]() {
		bit := mask[i/bitsPer[W]()] >> (i % bitsPer[W]()) & 1
		if want := i < len(x) && x[i] != 0; (bit == 1) != want {
			t.Fatalf("bit %d of the mask of %d elements is %d", i, len(x), bit)
		}
	}
}

func bitsPer[W word]() int {
	if _, double := any(W(0)).(uint64); double {
		return 64
	}
	return 32
}

func TestPackChecksLengths(t *testing.T) {
	for _, row := range All[float32]() {
		for _, n := range []int{3, 64, 100} {
			testPackLengths(t, row, n)
		}
	}
}

// testPackLengths packs n elements, all but one of them 1.
func testPackLengths(t *testing.T, row *Set[float32], n int) {
	x, mask := make([]float32, n), make([]float32, MaskLen[float32](n))
	for i := range x[1:] {
		x[i] = 1
	}
	row.Mark(mask, x)
	for name, f := range map[string]func(){
		"Mark, no mask": func() { row.Mark(nil, x) },
		"Pack, no mask": func() { row.Pack(make([]float32, n), nil, x) },
		"Pack, too little": func() {
			room := make([]float32, n)
			defer func() {
				if room[n-2] != 0 {
					t.Errorf("row %s, %d elements: Pack wrote beyond dst", row.Name, n)
				}
			}()
			row.Pack(room[:n-2:n-2], mask, x)
		},
		"Unpack, no mask":      func() { row.Unpack(x, nil, make([]float32, n)) },
		"Unpack, too few":      func() { row.Unpack(x, mask, make([]float32, n-2)) },
		"Unpack, beyond its x": func() { row.Unpack(make([]float32, n-2), mask, make([]float32, n)) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("row %s, %d elements: %s: no panic", row.Name, n, name)
				}
			}()
			f()
		}()
	}
}

func BenchmarkPack(b *testing.B) { eachBenchmark(b, benchmarkPack[float32], benchmarkPack[float64]) }

// benchmarkPack reports how fast a plane of which a third is not zero goes through each function.
func benchmarkPack[T Float](b *testing.B, row *Set[T]) {
	r := rand.New(rand.NewPCG(21, 2))
	x, packed := make([]T, 1<<14), make([]T, 1<<14)
	mask := make([]T, MaskLen[T](len(x)))
	for i := range x {
		if r.IntN(3) == 0 {
			x[i] = 1
		}
	}
	for _, f := range []struct {
		name string
		run  func()
	}{
		{"Mark", func() { row.Mark(mask, x) }},
		{"Pack", func() { row.Pack(packed, mask, x) }},
		{"Unpack", func() { row.Unpack(x, mask, packed) }},
	} {
		b.Run(f.name, func(b *testing.B) {
			b.SetBytes(int64(len(x) * sizeOf[T]()))
			for b.Loop() {
				f.run()
			}
		})
	}
}
