package tensor

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func TestNewIsZeroAndOwnsItsShape(t *testing.T) {
	shape := []int{2, 3, 4}
	x := New[float32](shape...)
	shape[0] = 99
	if !slices.Equal(x.Shape, []int{2, 3, 4}) || x.Len() != 24 || len(x.Data) != 24 {
		t.Fatalf("shape %v, %d elements", x.Shape, x.Len())
	}
	for i, v := range x.Data {
		if v != 0 || math.Signbit(float64(v)) {
			t.Errorf("element %d is %v, want +0", i, v)
		}
	}
	for _, c := range []struct {
		shape []int
		want  int
	}{{nil, 1}, {[]int{0}, 0}, {[]int{5}, 5}, {[]int{3, 0, 7}, 0}, {[]int{2, 3, 5, 7}, 210}} {
		if got := Size(c.shape); got != c.want || New[float64](c.shape...).Len() != c.want {
			t.Errorf("Size(%v) = %d, want %d", c.shape, got, c.want)
		}
	}
}

func TestIndexIsRowMajor(t *testing.T) {
	shape := []int{2, 3, 4, 5}
	x := New[float64](shape...)
	for i := range x.Data {
		x.Data[i] = float64(i)
	}
	next := 0.0
	for n := range shape[0] {
		for c := range shape[1] {
			for h := range shape[2] {
				for w := range shape[3] {
					if got := x.At(n, c, h, w); got != next {
						t.Fatalf("element (%d, %d, %d, %d) is number %v, want %v", n, c, h, w, got, next)
					}
					x.Set(-next, n, c, h, w)
					next++
				}
			}
		}
	}
	for i, v := range x.Data {
		if v != -float64(i) {
			t.Fatalf("Set left %v at %d", v, i)
		}
	}
	scalar := New[float64]()
	scalar.Set(7)
	if scalar.At() != 7 {
		t.Errorf("scalar is %v, want 7", scalar.At())
	}
}

func TestViewsShareAndCopiesDoNot(t *testing.T) {
	data := []float32{0, 1, 2, 3, 4, 5}
	x := From(data, 2, 3)
	x.Set(-1, 0, 0)
	if data[0] != -1 {
		t.Error("From copied its argument")
	}
	if x.Reshape(3, 2).At(1, 1) != 3 {
		t.Error("Reshape changed the order of the elements")
	}
	x.Reshape(6).Set(-2, 1)
	x.Row(1).Set(-3, 2)
	if !slices.Equal(data, []float32{-1, -2, 2, 3, 4, -3}) {
		t.Errorf("data %v: Reshape or Row does not share", data)
	}
	if row := x.Row(1); !slices.Equal(row.Shape, []int{3}) {
		t.Errorf("shape of a row of (2, 3) is %v", row.Shape)
	}
	if row := From(data, 6).Row(5); len(row.Shape) != 0 || row.At() != -3 {
		t.Errorf("a row of a vector is %v", row)
	}
	c := x.Clone()
	c.Fill(9)
	c.Shape[0] = 99
	if x.At(1, 1) != 4 || x.Shape[0] != 2 {
		t.Error("Clone shares with its source")
	}
	if slices.Contains(c.Data, 4) || c.Len() != 6 {
		t.Errorf("Fill left %v", c.Data)
	}
}

func TestConvertRoundsToNearest(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	zero := math.Copysign(0, -1)
	x := From([]float64{1, 1 + 0x1p-24, 1 + 0x1.8p-23, 1 + 0x1p-24 + 0x1p-50, 1e300, -inf, nan, zero,
		0x1p-150}, 3, 3)
	got := Convert[float32](x)
	want := From([]float32{1, 1, 1 + 0x1p-22, 1 + 0x1p-23, float32(inf), -float32(inf), float32(nan),
		float32(zero), 0}, 3, 3)
	mustEqual(t, "float64 to float32", got, want)
	back := From([]float64{1, 1, 1 + 0x1p-22, 1 + 0x1p-23, inf, -inf, nan, zero, 0}, 3, 3)
	mustEqual(t, "and back", Convert[float64](got), back)
}

func TestSameBitsAndFirstDifference(t *testing.T) {
	nan, negative := math.NaN(), math.Copysign(0, -1)
	otherNaN := math.Float64frombits(0xfff8000000000123)
	for _, c := range []struct {
		name string
		a, b []float64
		want int
	}{
		{"empty", nil, nil, -1},
		{"equal", []float64{1, 2}, []float64{1, 2}, -1},
		{"the last bit", []float64{1, 2, 3}, []float64{1, 2, math.Nextafter(3, 4)}, 2},
		{"the sign of zero", []float64{1, 0}, []float64{1, negative}, 1},
		{"two NaNs", []float64{nan, 5}, []float64{otherNaN, 5}, -1},
		{"NaN and a number", []float64{4, nan}, []float64{4, 4}, 1},
		{"the lowest of two", []float64{4, 1, 1}, []float64{4, 2, 2}, 1},
	} {
		a, b := From(c.a, len(c.a)), From(c.b, len(c.b))
		if got := FirstDifference(a, b); got != c.want {
			t.Errorf("%s: FirstDifference = %d, want %d", c.name, got, c.want)
		}
		if SameBits(a, b) != (c.want < 0) || SameBits(b, a) != (c.want < 0) {
			t.Errorf("%s: SameBits is wrong", c.name)
		}
	}
	if SameBits(New[float32](2, 3), New[float32](3, 2)) {
		t.Error("SameBits overlooks the shape")
	}
}

func TestMistakesOfTheCallerPanic(t *testing.T) {
	x := New[float32](2, 3)
	small := From(make([]float32, 12)[:6], 2, 3) // its capacity is larger
	vector := New[float32](3)
	matrix := func(rows, cols int) *Tensor[float32] { return New[float32](rows, cols) }
	for _, c := range []struct {
		op string
		f  func()
	}{
		{"tensor.Size", func() { New[float32](2, -1) }},
		{"tensor.Size", func() { New[float32](2, math.MaxInt) }},
		{"tensor.Size", func() { Size([]int{math.MaxInt/2 + 1, 4}) }}, // 0 in an int
		{"tensor.Size", func() { Size([]int{1 << 16, 1 << 16, 1 << 16, 1 << 16, 0}) }},
		{"tensor.From", func() { From(make([]float32, 5), 2, 3) }},
		{"tensor.From", func() { x.Reshape(4, 2) }},
		{"tensor index", func() { x.At(0) }},
		{"tensor index", func() { x.At(0, 0, 0) }},
		{"tensor index", func() { x.At(2, 0) }},
		{"tensor index", func() { x.At(0, 3) }}, // inside the data, outside the shape
		{"tensor index", func() { x.Set(1, 0, -1) }},
		{"tensor.Row", func() { x.Row(2) }},
		{"tensor.Row", func() { x.Row(-1) }},
		{"tensor.Row", func() { small.Row(2) }},
		{"tensor.Row", func() { New[float32]().Row(0) }},
		{"AddScaled", func() { AddScaled(x, x, matrix(3, 2), 1) }},
		{"AddScaled", func() { AddScaled(x, matrix(3, 2), x, 1) }},
		{"Scale", func() { Scale(x, vector, 1) }},
		{"ShrinkGrad", func() { ShrinkGrad(x, vector, x, 1) }},
		{"Dot", func() { Dot(x, x.Reshape(6)) }},
		{"DotSign", func() { DotSign(x, vector) }},
		{"MatMul", func() { MatMul(matrix(2, 2), x, x, false, false) }},
		{"MatMul", func() { MatMul(matrix(2, 3), x, matrix(3, 2), false, false) }},
		{"MatMul", func() { MatMul(matrix(2, 2), x, matrix(3, 2), true, false) }},
		{"MatMul", func() { MatMul(vector, x, vector, false, false) }},
	} {
		t.Run(strings.ReplaceAll(c.op, ".", " "), func(t *testing.T) { mustShapePanic(t, c.op, c.f) })
	}
}

func TestShapeErrorNamesAllShapes(t *testing.T) {
	want := "MatMul: shapes [[1 2] [3 4]] do not fit"
	if got := (&ShapeError{"MatMul", [][]int{{1, 2}, {3, 4}}}).Error(); got != want {
		t.Errorf("message %q, want %q", got, want)
	}
}

// SplitMix64's first words for seeds 0 and 1234567 as published with the generator; an element is the word's
// top 24 bits as k/2^23 - 1, scaled and moved.
func TestFillUniformKnownValues(t *testing.T) {
	for _, c := range []struct {
		seed  uint64
		words []uint64
	}{
		{0, []uint64{0xe220a8397b1dcdaf, 0x6e789e6aa1b965f4, 0x06c45d188009454f, 0xf88bb8a8724c81ec}},
		{1234567, []uint64{6457827717110365317, 3203168211198807973, 9817491932198370423,
			4593380528125082431}},
	} {
		single, double := New[float32](2, 2), New[float64](4)
		FillUniform(single, c.seed, 0.25, 0)
		FillUniform(double, c.seed, 3, 0.5)
		for i, word := range c.words {
			unit := float64(word>>40)*0x1p-23 - 1
			if want := unit / 4; float64(single.Data[i]) != want { // exact in float32
				t.Errorf("seed %d, element %d: %v, want %v", c.seed, i, single.Data[i], want)
			}
			if want := float64(3*unit) + 0.5; double.Data[i] != want {
				t.Errorf("seed %d, element %d: %v, want %v", c.seed, i, double.Data[i], want)
			}
		}
	}
	x := New[float64](1000)
	FillUniform(x, 42, 1, 0)
	if lo, hi := slices.Min(x.Data), slices.Max(x.Data); lo < -1 || hi >= 1 || lo > -0.9 || hi < 0.9 {
		t.Errorf("1000 values lie in [%v, %v], want most of [-1, 1)", lo, hi)
	}
}
