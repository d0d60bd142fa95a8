package data_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"sdref/internal/random"
	"sdref/sdnet/data"
)

var (
	mean = [3]float64{0.4914, 0.4822, 0.4465}
	std  = [3]float64{0.2023, 0.1994, 0.2010}
)

// at is the offset of a place in a 3 x 32 x 32 image.
func at(c, row, column int) int { return (c*32+row)*32 + column }

// numbered returns an image in which no two pixels of a channel within 8 rows and columns are equal.
func numbered() []byte {
	image := make([]byte, data.ImageBytes)
	for c := range 3 {
		for row := range 32 {
			for column := range 32 {
				image[at(c, row, column)] = byte(1 + (16*row+column+80*c)%255)
			}
		}
	}
	return image
}

// TestNormaliser: the formula in either precision, for each byte.
func TestNormaliser(t *testing.T) {
	wide, narrow := data.NewNormaliser[float64](mean, std), data.NewNormaliser[float32](mean, std)
	for c := range 3 {
		for x := range 256 {
			if want := (float64(x)/255 - mean[c]) / std[c]; wide[c][x] != want {
				t.Errorf("float64, channel %d, byte %d: %v, want %v", c, x, wide[c][x], want)
			}
			if want := (float32(x)/255 - float32(mean[c])) / float32(std[c]); narrow[c][x] != want {
				t.Errorf("float32, channel %d, byte %d: %v, want %v", c, x, narrow[c][x], want)
			}
		}
	}
	// Three values by hand: black, white and the middle, to four decimals.
	for _, v := range []struct{ got, want float64 }{
		{wide[0][0], -2.4291}, {wide[1][255], 2.5968}, {wide[2][128], 0.2759},
	} {
		if math.Abs(v.got-v.want) > 5e-5 {
			t.Errorf("got %v, want %v", v.got, v.want)
		}
	}
}

// TestCropsByHand: chosen places of chosen crops.
func TestCropsByHand(t *testing.T) {
	n, image := data.NewNormaliser[float64](mean, std), numbered()
	const padded = -1
	for _, c := range []struct {
		crop        data.Crop
		row, column int // of the output
		from, of    int // row and column of the input, or padded
	}{
		{data.Centre, 0, 0, 0, 0},
		{data.Centre, 31, 31, 31, 31},
		{data.Crop{Row: 4, Column: 4, Flip: true}, 7, 0, 7, 31},
		{data.Crop{Row: 4, Column: 4, Flip: true}, 7, 30, 7, 1},
		{data.Crop{Row: 0, Column: 0}, 3, 10, padded, padded},
		{data.Crop{Row: 0, Column: 0}, 10, 3, padded, padded},
		{data.Crop{Row: 0, Column: 0}, 4, 4, 0, 0},
		{data.Crop{Row: 0, Column: 0}, 31, 31, 27, 27},
		{data.Crop{Row: 8, Column: 8}, 0, 0, 4, 4},
		{data.Crop{Row: 8, Column: 8}, 27, 27, 31, 31},
		{data.Crop{Row: 8, Column: 8}, 28, 0, padded, padded},
		{data.Crop{Row: 8, Column: 8}, 0, 28, padded, padded},
		// the crop's column 0, the image's 3
		{data.Crop{Row: 2, Column: 7, Flip: true}, 5, 31, 3, 3},
		{data.Crop{Row: 2, Column: 7, Flip: true}, 5, 3, 3, 31},             // column 28, 31
		{data.Crop{Row: 2, Column: 7, Flip: true}, 5, 2, padded, padded},    // column 29, 32
		{data.Crop{Row: 2, Column: 1, Flip: true}, 1, 20, padded, padded},   // row -1
		{data.Crop{Row: 2, Column: 1, Flip: true}, 20, 29, padded, padded},  // column 2, -1
		{data.Crop{Row: 2, Column: 1, Flip: true}, 20, 28, 18, 0},           // column 3, 0
		{data.Crop{Row: 5, Column: 4, Flip: false}, 31, 16, padded, padded}, // row 32
	} {
		dst := make([]float64, data.ImageBytes)
		n.Write(dst, image, c.crop)
		for channel := range 3 {
			x := byte(0)
			if c.from != padded {
				x = image[at(channel, c.from, c.of)]
			}
			want := (float64(x)/255 - mean[channel]) / std[channel]
			if got := dst[at(channel, c.row, c.column)]; got != want {
				t.Errorf("%+v, channel %d, place %d, %d: %v, want %v", c.crop, channel, c.row, c.column, got,
					want)
			}
		}
	}
}

// TestAllCrops compares every crop with the recipe taken literally: pad, cut, flip, normalise.
func TestAllCrops(t *testing.T) {
	n, image := data.NewNormaliser[float32](mean, std), numbered()
	var padded [3][40][40]byte
	for c := range 3 {
		for row := range 32 {
			copy(padded[c][4+row][4:], image[at(c, row, 0):at(c, row, 0)+32])
		}
	}
	dst := make([]float32, data.ImageBytes)
	for k := range 9 * 9 * 2 {
		crop := data.Crop{Row: k / 18, Column: k / 2 % 9, Flip: k%2 == 1}
		n.Write(dst, image, crop)
		for c := range 3 {
			for row := range 32 {
				cut := slices.Clone(padded[c][crop.Row+row][crop.Column : crop.Column+32])
				if crop.Flip {
					slices.Reverse(cut)
				}
				for column, x := range cut {
					if got := dst[at(c, row, column)]; got != n[c][x] {
						t.Fatalf("%+v, channel %d, place %d, %d: %v, want %v", crop, c, row, column, got,
							n[c][x])
					}
				}
			}
		}
	}
}

// TestNormaliserPlain: the images asked for, in the order asked for.
func TestNormaliserPlain(t *testing.T) {
	set := data.Shapes(5, 0, 3).Train
	n := data.NewNormaliser[float64](mean, std)
	indices := []int{4, 0, 4, 2}
	dst := make([]float64, len(indices)*data.ImageBytes)
	n.Plain(dst, set, indices)
	for j, i := range indices {
		for p, x := range set.Image(i) {
			if got := dst[j*data.ImageBytes+p]; got != n[p/1024][x] {
				t.Fatalf("output %d, value %d: %v, want %v", j, p, got, n[p/1024][x])
			}
		}
	}
}

// TestDrawCropDistribution: each of the 162 crops about equally often, over positions and over epochs.
func TestDrawCropDistribution(t *testing.T) {
	draws := random.New(1)
	for name, draw := range map[string]func(i uint64) data.Crop{
		"positions": func(i uint64) data.Crop { return data.DrawCrop(draws, 0, i) },
		"epochs":    func(i uint64) data.Crop { return data.DrawCrop(draws, i, 0) },
	} {
		counts := map[data.Crop]int{}
		const each = 200
		for i := range uint64(162 * each) {
			counts[draw(i)]++
		}
		x := 0.0
		for _, c := range counts {
			x += float64((c-each)*(c-each)) / each
		}
		// Chi-square has mean 161 and standard deviation sqrt(322).
		if len(counts) != 162 || x > 161+5*math.Sqrt(322) {
			t.Errorf("over %s: %d crops, chi-square %v", name, len(counts), x)
		}
	}
}

// TestCropFlipPure: a batch cut in pieces, by several goroutines and in any order, is the batch; another
// epoch, stream or position is not.
func TestCropFlipPure(t *testing.T) {
	set := data.Shapes(40, 0, 3).Train
	n := data.NewNormaliser[float32](mean, std)
	draws := random.New(9).Sub("augment")
	indices := random.New(9).Permutation(set.Len())
	whole := func(s random.Stream, epoch, first uint64) []float32 {
		dst := make([]float32, set.Len()*data.ImageBytes)
		n.CropFlip(dst, set, indices, s, epoch, first)
		return dst
	}
	want := whole(draws, 2, 1000)
	pieces := make([]float32, len(want))
	var wait sync.WaitGroup
	for _, cut := range [][2]int{{33, 40}, {0, 1}, {1, 17}, {17, 33}} {
		wait.Go(func() {
			from, to := cut[0], cut[1]
			n.CropFlip(pieces[from*data.ImageBytes:to*data.ImageBytes], set, indices[from:to], draws, 2,
				1000+uint64(from))
		})
	}
	wait.Wait()
	if !slices.Equal(pieces, want) {
		t.Error("pieces differ from the whole")
	}
	for name, other := range map[string][]float32{
		"epoch": whole(draws, 3, 1000), "position": whole(draws, 2, 1001),
		"stream": whole(random.New(9), 2, 1000),
	} {
		if slices.Equal(other, want) {
			t.Errorf("another %s changes nothing", name)
		}
	}
}

func TestAugmentPanics(t *testing.T) {
	set := data.Shapes(2, 0, 1).Train
	n := data.NewNormaliser[float32](mean, std)
	one := make([]float32, data.ImageBytes)
	for _, c := range []struct {
		want string
		call func()
	}{
		{"Plain: dst has 3072 values, want 2 x", func() { n.Plain(one, set, []int{0, 1}) }},
		{"Plain: indices[0] = 2", func() { n.Plain(one, set, []int{2}) }},
		{"CropFlip: indices[0] = -1", func() { n.CropFlip(one, set, []int{-1}, random.New(0), 0, 0) }},
		{"Values: dst has 1 values, the image 3072", func() { n.Write(one[:1], set.Image(0), data.Centre) }},
		{"Values: dst has 4 values, the image 4", func() { n.Values(one[:4], set.Image(0)[:4], data.Channels) }},
		{"Cut: dst has 3072 bytes, the image 3", func() { n.Write(one, set.Image(0)[:3], data.Centre) }},
		{"row and column must be 0 to 8", func() { n.Write(one, set.Image(0), data.Crop{Row: 9}) }},
		{"std[1] = 0", func() { data.NewNormaliser[float32](mean, [3]float64{1, 0, 1}) }},
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, c.want) {
					t.Errorf("panic %q does not say %q", got, c.want)
				}
			}()
			c.call()
		}()
	}
}

// TestCroppedAugment: the bytes of a position are those that CropFlip gives values to.
func TestCroppedAugment(t *testing.T) {
	set := data.Shapes(3, 0, 1).Train
	n, draws := data.NewNormaliser[float32](mean, std), random.New(4)
	want, got, pixels := make([]float32, data.ImageBytes), make([]float32, data.ImageBytes),
		make([]byte, data.ImageBytes)
	for position := range uint64(20) {
		n.CropFlip(want, set, []int{2}, draws, 5, position)
		if err := (data.Cropped{Set: set}).Augment(pixels, 2, draws, 5, position); err != nil {
			t.Fatal(err)
		}
		if n.Values(got, pixels, data.Channels); !slices.Equal(got, want) {
			t.Errorf("position %d differs", position)
		}
	}
}

func BenchmarkCropFlip(b *testing.B) {
	set := data.Shapes(128, 0, 1).Train
	n := data.NewNormaliser[float32](mean, std)
	indices, dst := random.New(1).Permutation(128), make([]float32, 128*data.ImageBytes)
	for b.Loop() {
		n.CropFlip(dst, set, indices, random.New(1), 0, 0)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/128, "ns/image")
}

// A training loop gives each batch the position of its first sample in the epoch; resuming needs no more.
func ExampleNormaliser_CropFlip() {
	d := data.Shapes(10, 0, 1)
	run := random.New(2022)
	n := data.NewNormaliser[float32](d.Mean, d.Std)
	batch := make([]float32, 5*data.ImageBytes)
	for epoch := range uint64(2) {
		order := run.Sub("shuffle", epoch).Permutation(d.Train.Len())
		for first := 0; first < len(order); first += 5 {
			n.CropFlip(batch, d.Train, order[first:first+5], run.Sub("augment"), epoch, uint64(first))
		}
	}
	fmt.Printf("%+v\n", data.DrawCrop(run.Sub("augment"), 1, 5))
	// Output:
	// {Row:2 Column:2 Flip:false}
}
