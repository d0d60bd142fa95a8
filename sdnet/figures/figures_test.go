package figures

import (
	"image/color"
	"math"
	"slices"
	"testing"

	"sdref/sdnet/data"
	"sdref/tensor"
)

// Bytes that were normalised come back as the same bytes.
func TestValuesAndPicture(t *testing.T) {
	set := data.Shapes(3, 0, 1).Train
	p := Pixels{Mean: [3]float64{0.4, 0.5, 0.6}, Std: [3]float64{0.2, 0.25, 0.3}}
	x := tensor.New[float64](3, 3, data.Side, data.Side)
	data.NewNormaliser[float64](p.Mean, p.Std).Plain(x.Data, set, []int{0, 1, 2})
	for i := range 3 {
		m := Picture(Values(p, x, i), data.Side, data.Side)
		for at := range data.Side * data.Side {
			plane := data.Side * data.Side
			want := color.NRGBA{set.Image(i)[at], set.Image(i)[plane+at], set.Image(i)[2*plane+at], 0xFF}
			if got := m.NRGBAAt(at%data.Side, at/data.Side); got != want {
				t.Fatalf("image %d, pixel %d: %v, want %v", i, at, got, want)
			}
		}
	}
	far := tensor.From([]float64{9, -9, 0}, 1, 3, 1, 1)
	if got := Values(p, far, 0); !near(got, []float64{1, 0, 0.6}, 1e-12) {
		t.Errorf("values beyond the pixels' range become %v", got)
	}
}

func TestPatches(t *testing.T) {
	w := tensor.New[float64](2, 3, 2, 2)
	for i := range 12 {
		w.Data[i] = float64(i)/11*3 - 1 // from -1 to 2: scaled over all channels together
		w.Data[12+i] = 7                // one value: grey
	}
	list := Patches(w)
	if len(list) != 2 || list[0].Rect.Dx() != 2 || list[0].Rect.Dy() != 2 {
		t.Fatalf("%d patches of %v", len(list), list[0].Rect)
	}
	level := func(i int) uint8 { return uint8(math.Round(float64(i) * 255 / 11)) }
	for at := range 4 {
		if got, want := list[0].NRGBAAt(at%2, at/2),
			(color.NRGBA{level(at), level(4 + at), level(8 + at), 0xFF}); got != want {
			t.Errorf("pixel %d: %v, want %v", at, got, want)
		}
		if got := list[1].NRGBAAt(at%2, at/2); got != (color.NRGBA{128, 128, 128, 0xFF}) {
			t.Errorf("constant atom: %v", got)
		}
	}
}

func TestStretch(t *testing.T) {
	got := Stretch([]float64{1, 2, 3, 5, 5, 5, -1, 0, -2}, 3)
	if want := []float64{0, 0.5, 1, 0.5, 0.5, 0.5, 0.5, 1, 0}; !near(got, want, 0) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestPSNR(t *testing.T) {
	a, b := []float64{0.5, 0.25, 1, 0}, []float64{0.6, 0.15, 0.9, 0.1}
	if got := PSNR(a, b); math.Abs(got-20) > 1e-9 { // each differs by 0.1: -10 log10(0.01)
		t.Errorf("%v dB, want 20", got)
	}
	if got := PSNR(a, a); !math.IsInf(got, 1) {
		t.Errorf("equal images: %v dB", got)
	}
}

// What images have in common is gone, and nothing else.
func TestContrast(t *testing.T) {
	x := noise(1, 4, 3, 5, 5)
	common := noise(2, 3, 5, 5)
	shifted := tensor.New[float64](x.Shape...)
	for i := range 4 {
		tensor.AddScaled(shifted.Row(i), x.Row(i), common, 9)
	}
	got, want := Contrast(shifted), Contrast(x)
	if !near(got.Data, want.Data, 1e-13) {
		t.Error("a common image changes the contrast")
	}
	for at := range common.Len() {
		sum := 0.0
		for i := range 4 {
			sum += got.Row(i).Data[at]
		}
		if math.Abs(sum) > 1e-12 {
			t.Fatalf("pixel %d: the contrasts add up to %g", at, sum)
		}
	}
	if d := want.Row(0).Data[7] - want.Row(1).Data[7] -
		(x.Row(0).Data[7] - x.Row(1).Data[7]); math.Abs(d) > 1e-13 {
		t.Errorf("a difference of images changes by %g", d)
	}
}

func TestCorrelation(t *testing.T) {
	a, b := tensor.From([]float64{3, 4}, 2), tensor.From([]float64{4, 3}, 2)
	for _, c := range []struct {
		scale, want float64
	}{{1, 0.96}, {-1e-9, -0.96}, {0, 0}} {
		scaled := tensor.New[float64](2)
		tensor.Scale(scaled, b, c.scale)
		if got := Correlation(a, scaled); math.Abs(got-c.want) > 1e-14 {
			t.Errorf("scaled by %g: %v, want %v", c.scale, got, c.want)
		}
	}
}

// A grey image is its one channel three times, and is stretched by itself.
func TestGrey(t *testing.T) {
	p := Pixels{Mean: [3]float64{0.5, 9, 9}, Std: [3]float64{0.25, 9, 9}}
	values := Values(p, tensor.From([]float64{0, 1, -1, 2, -3, 0.4}, 1, 1, 2, 3), 0)
	if want := []float64{0.5, 0.75, 0.25, 1, 0, 0.6}; !slices.EqualFunc(values, want, func(a, b float64) bool { return math.Abs(a-b) < 1e-15 }) {
		t.Errorf("%v, want %v", values, want)
	}
	m := Picture(values, 2, 3)
	for i, v := range values {
		if c := m.NRGBAAt(i%3, i/3); c.R != c.G || c.G != c.B || c.R != uint8(math.Floor(255*v+0.5)) {
			t.Errorf("pixel %d is %v of %g", i, c, v)
		}
	}
	if got := Stretch([]float64{2, 4, 3}, 1); !slices.Equal(got, []float64{0, 1, 0.5}) {
		t.Error(got)
	}
	if got := Patches(tensor.From([]float32{1, 3, 2, 1}, 1, 1, 2, 2)); got[0].NRGBAAt(1, 0).G != 255 || got[0].NRGBAAt(0, 0).B != 0 {
		t.Errorf("%v", got[0].Pix)
	}
	for _, f := range []func(){func() { Picture(make([]float64, 12), 2, 3) }, func() { Values(p, tensor.New[float64](1, 2, 2, 3), 0) }} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("two channels are a picture")
				}
			}()
			f()
		}()
	}
}
