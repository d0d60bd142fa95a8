package sdnet_test

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"sdref/conv"
	"sdref/sdnet"
	"sdref/tensor"
)

// Principal components against gonum's of the same mean products.
func TestPatches(t *testing.T) {
	images, _ := drawn[float64](20)
	const k = 2
	p := sdnet.NewPatches(images, k)
	var rows []float64
	for n := range images.Shape[0] {
		for i := range 32 - k + 1 {
			for j := range 32 - k + 1 {
				for a := range 3 * k * k {
					rows = append(rows, images.At(n, a/(k*k), i+a/k%k, j+a%k))
				}
			}
		}
	}
	patches := mat.NewDense(len(rows)/12, 12, rows)
	var products mat.Dense
	products.Mul(patches.T(), patches)
	mean := mat.NewSymDense(12, nil)
	for i := range 12 {
		for j := range i + 1 {
			mean.SetSym(i, j, products.At(i, j)/float64(len(rows)/12))
		}
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(mean, true) {
		t.Fatal("gonum found no eigenvalues")
	}
	for i, want := range eigen.Values(nil) { // ascending
		if got := p.Values[11-i]; math.Abs(got-want) > 1e-12*p.Values[0] {
			t.Errorf("value %d is %g, want %g", 11-i, got, want)
		}
	}
	vectors := mat.NewDense(12, 12, p.Vectors.Data)
	var product, identity mat.Dense
	product.Mul(vectors, mean)
	product.Mul(&product, vectors.T())
	identity.Mul(vectors, vectors.T())
	for i := range 12 {
		for j := range 12 {
			want, one := 0.0, 0.0
			if i == j {
				want, one = p.Values[i], 1
			}
			if math.Abs(product.At(i, j)-want) > 1e-12*p.Values[0] || math.Abs(identity.At(i, j)-one) > 1e-12 {
				t.Fatalf("the vectors do not diagonalise the products, or are not orthonormal")
			}
		}
	}
}

// What a whitening stem gives has no correlation between channels, and mean squares of value/(value + epsilon); the second half of the channels
// are negatives.
func TestWhiten(t *testing.T) {
	images, _ := drawn[float64](20)
	spec, err := sdnet.Lookup("whitened_air", "shapes")
	if err != nil {
		t.Fatal(err)
	}
	n := build[float64](t, spec, 1)
	n.Whiten(images)
	w := state(t, n, "layer0.0.weight")
	y := convolved(images, w, conv.Geometry{})
	p := sdnet.NewPatches(images, 2)
	plane := y.Shape[2] * y.Shape[3]
	mean := func(a, b int) (sum float64) {
		for n := range y.Shape[0] {
			for i := range plane {
				sum += y.Row(n).Data[a*plane+i] * y.Row(n).Data[b*plane+i]
			}
		}
		return sum / float64(y.Shape[0]*plane)
	}
	for a := range 12 {
		for b := range 12 {
			want := 0.0
			if a == b {
				want = p.Values[a] / (p.Values[a] + 5e-4)
			}
			if got := mean(a, b); math.Abs(got-want) > 1e-9 {
				t.Errorf("channels %d, %d: %g, want %g", a, b, got, want)
			}
		}
		if got := mean(a, 12+a); math.Abs(got+mean(a, a)) > 1e-12 {
			t.Errorf("channel %d is not the negative of %d", 12+a, a)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a network without a whitening stem, and no panic")
		}
	}()
	build[float64](t, small(t, "sdnet8_narrow", 8), 1).Whiten(images)
}

// Before a CSC layer images are whitened as a whole: the result is near the image, of white patches.
func TestWhitenBeforeCSC(t *testing.T) {
	images, _ := drawn[float64](40)
	spec, err := sdnet.Lookup("sdnet_air_whitened", "shapes")
	if err != nil {
		t.Fatal(err)
	}
	n := build[float64](t, spec, 1)
	n.Whiten(images)
	white := convolved(images, state(t, n, "layer0.whiten.weight"), conv.Geometry{Padding: 1})
	before, after := sdnet.NewPatches(images, 3).Values, sdnet.NewPatches(white, 3).Values
	if spread := after[0] / after[8]; spread > 5 || before[0]/before[8] < 20*spread {
		t.Errorf("the first nine mean squares span %g, before %g", spread, before[0]/before[8])
	}
}

// Atoms from images: of norm 1, the first ones principal components and their negatives, or patches of the images less their means.
func TestStemAtoms(t *testing.T) {
	images, _ := drawn[float64](30)
	spec, err := sdnet.Lookup("sdnet_air_narrow", "shapes")
	if err != nil {
		t.Fatal(err)
	}
	p := sdnet.NewPatches(images, 3)
	for _, from := range []sdnet.StemAtoms{sdnet.ComponentAtoms, sdnet.PatchAtoms} {
		n := build[float64](t, spec, 1)
		random, step := state(t, n, "layer0.0.dn.weight").Clone(), n.Layers[0].StepSize.Data[0]
		n.SetStem(from, images, 7)
		w := state(t, n, "layer0.0.dn.weight")
		if tensor.SameBits(w, random) || n.Layers[0].StepSize.Data[0] == step {
			t.Errorf("%s: nothing has changed", from)
		}
		for i := range w.Shape[0] {
			if norm := tensor.SumSquares(w.Row(i)); math.Abs(norm-1) > 1e-12 {
				t.Errorf("%s: atom %d has norm^2 %g", from, i, norm)
			}
		}
		if from == sdnet.PatchAtoms {
			for i := range w.Shape[0] {
				sum := 0.0
				for _, v := range w.Row(i).Data {
					sum += v
				}
				if math.Abs(sum) > 1e-12 {
					t.Errorf("patch %d has the sum %g", i, sum)
				}
			}
			continue
		}
		for i := range 8 {
			if d := dot(w.Row(i), p.Vectors.Row(i)); math.Abs(d-1) > 1e-12 {
				t.Errorf("atom %d: product with the component %g", i, d)
			}
			if d := dot(w.Row(8+i), p.Vectors.Row(i)); math.Abs(d+1) > 1e-12 {
				t.Errorf("atom %d: product with the component %g", 8+i, d)
			}
		}
	}
}

// A stem that only whitens has no filters but those of Whiten, whatever stems are to begin as.
func TestStemAtomsLeaveWhitening(t *testing.T) {
	images, _ := drawn[float64](10)
	spec, err := sdnet.Lookup("whitened_air", "shapes")
	if err != nil {
		t.Fatal(err)
	}
	n := build[float64](t, spec, 1)
	n.Whiten(images)
	w := state(t, n, "layer0.0.weight")
	whitening := w.Clone()
	n.SetStem(sdnet.ComponentAtoms, images, 7)
	if !tensor.SameBits(w, whitening) {
		t.Error("the whitening filters have changed")
	}
}

// After Dirac a convolution passes its first channels on, and the stem is as it was.
func TestDirac(t *testing.T) {
	spec, err := sdnet.Lookup("sdnet_air_narrow", "shapes")
	if err != nil {
		t.Fatal(err)
	}
	n, was := build[float64](t, spec, 1), build[float64](t, spec, 1)
	n.Dirac()
	for i, s := range n.State() {
		before := was.State()[i].Tensor
		if len(s.Shape) != 4 || s.Buffer || s.Name == "layer0.0.dn.weight" {
			if !tensor.SameBits(s.Tensor, before) {
				t.Errorf("%s has changed", s.Name)
			}
			continue
		}
		x := noise[float64](1, 1, 1, s.Shape[1], 4, 5)
		y := convolved(x, s.Tensor, conv.Geometry{Padding: 1})
		same := min(s.Shape[0], s.Shape[1])
		if !tensor.SameBits(tensor.From(y.Data[:same*20], same, 20), tensor.From(x.Data[:same*20], same, 20)) {
			t.Errorf("%s does not pass its first %d channels on", s.Name, same)
		}
		if same < s.Shape[0] && !tensor.SameBits(s.Row(same), before.Row(same)) {
			t.Errorf("%s: filter %d has changed", s.Name, same)
		}
	}
}

// convolved is the convolution of x with filters w.
func convolved(x, w *tensor.Tensor[float64], g conv.Geometry) *tensor.Tensor[float64] {
	y := tensor.New[float64](g.CodeShape(x.Shape, w.Shape)...)
	conv.Forward(y, x, w, g)
	return y
}
