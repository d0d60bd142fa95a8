package kernel

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"math/rand/v2"
	"testing"
)

// TestUnfusedElementwise: what fuses in the other rows is what Set says with two roundings, and near theirs; the rest has their bits.
func TestUnfusedElementwise(t *testing.T) {
	t.Run("float32", testUnfusedElementwise[float32])
	t.Run("float64", testUnfusedElementwise[float64])
}

func testUnfusedElementwise[T Float](t *testing.T) {
	r := rand.New(rand.NewPCG(31, 1))
	generic, row := Rows[T]()[0], Unfused[T]()
	definitions := unfusedDefinitions(linkOf(row))
	for _, f := range functions[T]() {
		if f.field == "GELU" || f.field == "GELUGrad" {
			continue // TestGELUAccuracy, TestGELUEnds
		}
		want := definitions[f.field]
		if want == nil { // one that fuses nowhere
			for _, n := range lengths() {
				f.compare(t, r, generic, row, n, -1)
			}
			continue
		}
		differences := 0
		for _, tame := range []bool{true, false} {
			x, p := make([][]T, f.slices), make([]T, 4)
			for i := range x {
				x[i] = make([]T, 1000)
				fill(r, x[i], tame)
			}
			fill(r, p, true)
			expected, exact := clone(x), clone(x)
			for i := range x[0] {
				want(expected, i, p)
			}
			f.run(generic, exact, p)
			f.run(row, x, p)
			for i := range f.outputs {
				sameBits(t, f.field, x[i], expected[i])
				if tame {
					differences += near(t, f.field, x[i], exact[i], 100)
				}
			}
		}
		if differences == 0 {
			t.Errorf("%s: the rows do not differ", f.field)
		}
	}
}

// unfusedDefinitions is element i of the functions by Set's text, but for GELU; the first slices are written.
func unfusedDefinitions[T Float](link func(a, b, c T) T) map[string]func(x [][]T, i int, p []T) {
	return map[string]func(x [][]T, i int, p []T){
		"AddScaled": func(x [][]T, i int, p []T) { x[0][i] = link(p[0], x[2][i], x[1][i]) },
		"Normalize": func(x [][]T, i int, p []T) { x[0][i] = link(x[1][i]-p[0], p[1], p[2]) },
		"NormalizeGrad": func(x [][]T, i int, p []T) {
			x[0][i] = link(x[2][i], p[1], link(x[1][i]-p[0], p[2], p[3]))
		},
		"Momentum": func(x [][]T, i int, p []T) {
			d := link(p[2], x[0][i], x[2][i])
			x[1][i] = link(p[1], x[1][i], d)
			x[0][i] = link(-p[0], link(p[1], x[1][i], d), x[0][i])
		},
	}
}

func clone[T Float](x [][]T) (y [][]T) {
	for _, s := range x {
		y = append(y, append([]T(nil), s...))
	}
	return y
}

// near fails where got is farther from want than some units in the last place of the greatest number there, and returns in how many
// elements they differ.
func near[T Float](t *testing.T, what string, got, want []T, units float64) (differences int) {
	t.Helper()
	greatest := 0.0
	for _, v := range want {
		greatest = max(greatest, math.Abs(float64(v)))
	}
	for i := range got {
		if got[i] != want[i] {
			differences++
		}
		if d := math.Abs(float64(got[i]) - float64(want[i])); !(d <= units*epsilon[T]()*greatest) {
			t.Fatalf("%s: element %d is %v, with fused multiply-adds %v", what, i, got[i], want[i])
		}
	}
	return differences
}

// epsilon is the relative error of one rounding.
func epsilon[T Float]() float64 {
	if _, single := any(T(0)).(float32); single {
		return 0x1p-24
	}
	return 0x1p-53
}

// TestUnfusedTile holds sums against those of fused multiply-adds: k products and k sums are rounded, so both are within
// 2k roundings of the sum of magnitudes.
func TestUnfusedTile(t *testing.T) {
	t.Run("float32", testUnfusedTile[float32])
	t.Run("float64", testUnfusedTile[float64])
}

func testUnfusedTile[T Float](t *testing.T) {
	r := rand.New(rand.NewPCG(31, 2))
	row := Unfused[T]()
	differences := 0
	for _, k := range []int{1, 27, 576} {
		p := packed(row.Tiles[0], row.Lanes, Vectors, k)
		fill(r, p.a, true)
		fill(r, p.b, true)
		exact, magnitudes := make([]T, len(p.c)), make([]T, len(p.c))
		p.reference(row.Tiles[0], row.Lanes, FMA[T], exact)
		p.reference(row.Tiles[0], row.Lanes, func(a, b, c T) T { return T(math.Abs(float64(a*b))) + c }, magnitudes)
		p.mul(row.Tiles[0], p.c)
		for i, v := range p.c {
			if v != exact[i] {
				differences++
			}
			if d := math.Abs(float64(v) - float64(exact[i])); !(d <= 2*float64(k)*epsilon[T]()*float64(magnitudes[i])) {
				t.Fatalf("%d links: element %d is %v, with fused multiply-adds %v", k, i, v, exact[i])
			}
		}
	}
	if differences == 0 {
		t.Error("the rows do not differ")
	}
}

// TestUnfusedReduce: lanes and tree are the other rows', products are rounded.
func TestUnfusedReduce(t *testing.T) {
	t.Run("float32", testUnfusedReduce[float32])
	t.Run("float64", testUnfusedReduce[float64])
}

func testUnfusedReduce[T Float](t *testing.T) {
	r := rand.New(rand.NewPCG(31, 3))
	row, link := Unfused[T](), linkOf(Unfused[float64]())
	for _, n := range lengths() {
		x, y := make([]T, n), make([]T, n)
		fill(r, x, n%2 == 0)
		fill(r, y, n%2 == 0)
		mean := r.NormFloat64()
		var squares, products [reduceLanes]float64
		for i := range x {
			d, l := float64(x[i])-mean, i%reduceLanes
			squares[l], products[l] = link(d, d, squares[l]), link(d, float64(y[i]), products[l])
		}
		sameBits(t, name("SumSquares, length %d", n), []float64{row.SumSquares(x, mean)}, []float64{tree(squares)})
		sameBits(t, name("Dot, length %d", n), []float64{row.Dot(x, y, mean)}, []float64{tree(products)})
		sameBits(t, name("Sum, length %d", n), []float64{row.Sum(x)}, []float64{Rows[T]()[0].Sum(x)})
	}
}

// TestUnfusedTransforms: of Winograd's transforms all but Signal have the other rows' bits, since a product with a power of 2 is exact.
func TestUnfusedTransforms(t *testing.T) {
	t.Run("float32", testUnfusedTransforms[float32])
	t.Run("float64", testUnfusedTransforms[float64])
}

func testUnfusedTransforms[T Float](t *testing.T) {
	r := rand.New(rand.NewPCG(31, 4))
	row := Unfused[T]()
	n := 8 * row.Lanes
	generic := transformsOf(&Rows[T]()[0].Winograd)
	for i, f := range transformsOf(&row.Winograd) {
		src, got, want := make([]T, f.in*f.in*n), make([]T, f.out*f.out*n), make([]T, f.out*f.out*n)
		fill(r, src, true)
		f.run(got, f.out*n, n, src, f.in*n, n, n)
		generic[i].run(want, f.out*n, n, src, f.in*n, n, n)
		if f.name != signalShape.name {
			sameBits(t, f.name, got, want)
		} else if near(t, f.name, got, want, 20) == 0 {
			t.Error("Signal: the rows do not differ")
		}
	}
}

// The digests of all that the row computes in testUnfusedDigest. They hold on every architecture, with and without the compiler's fused
// instructions.
const (
	unfusedDigest32 = "5c80fee19266349efb026d275d7ea73336e82103b8de0cf8a2cd292e14bc940f"
	unfusedDigest64 = "9ca4714001db8ed4f300d519ec55b614d036410af2c216b8fe5ecdd339d38761"
)

func TestUnfusedBitsEverywhere(t *testing.T) {
	t.Run("float32", func(t *testing.T) { testUnfusedDigest[float32](t, unfusedDigest32) })
	t.Run("float64", func(t *testing.T) { testUnfusedDigest[float64](t, unfusedDigest64) })
}

func testUnfusedDigest[T Float](t *testing.T, want string) {
	r := rand.New(rand.NewPCG(31, 5))
	row := Unfused[T]()
	draw := func(x []T) { // exact, unlike normal numbers, whose formula a compiler may fuse
		for i := range x {
			x[i] = T(math.Ldexp(2*r.Float64()-1, r.IntN(16)-8))
		}
	}
	sum := sha256.New()
	add := func(x ...T) {
		for _, v := range x {
			binary.Write(sum, binary.LittleEndian, bitsOf(v))
		}
	}
	for _, f := range functions[T]() {
		x, p := [][]T{make([]T, 999), make([]T, 999), make([]T, 999)}, make([]T, 4)
		for i := range x {
			draw(x[i])
		}
		draw(p)
		f.run(row, x, p)
		add(x[0]...)
		add(x[1]...)
	}
	for _, tile := range row.Tiles {
		p := packed(tile, row.Lanes, 3, 100)
		draw(p.a)
		draw(p.b)
		p.mul(tile, p.c)
		add(p.c...)
	}
	for _, f := range transformsOf(&row.Winograd) {
		n := 4 * row.Lanes
		src, dst := make([]T, f.in*f.in*n), make([]T, f.out*f.out*n)
		draw(src)
		f.run(dst, f.out*n, n, src, f.in*n, n, n)
		add(dst...)
	}
	x, y := make([]T, 999), make([]T, 999)
	draw(x)
	draw(y)
	for _, v := range []float64{row.Sum(x), row.SumSquares(x, 0.3), row.Dot(x, y, 0.3)} {
		binary.Write(sum, binary.LittleEndian, bitsOf(v))
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != want {
		t.Errorf("digest %s, want %s", got, want)
	}
}
