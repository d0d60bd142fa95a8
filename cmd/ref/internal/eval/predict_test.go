package eval

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"sdref/cmd/ref/internal/cli/clitest"
	"sdref/sdnet/data"
	"sdref/sdnet/training"
	"sdref/tensor/safetensors"
)

// Each format gives the probabilities that the network itself gives for the image.
func TestPredict(t *testing.T) {
	folder, checkpoint := onPictures(t)
	picture := filepath.Join(folder, "val", "ring", "003.png")
	var list []prediction
	out := ref.Works(t, []string{"predict", "-checkpoint", checkpoint, "-images", picture, "-format", "json", "-top", "9"}).Out
	if err := json.Unmarshal([]byte(out), &list); err != nil || len(list) != 1 || list[0].File != picture || len(list[0].Classes) != 4 {
		t.Fatalf("%s, %v", out, err)
	}
	want := byHand(t, checkpoint, filepath.Join(folder, "val"), "ring")
	sum := 0.0
	for i, g := range list[0].Classes {
		if g.Class != []string{"disc", "frame", "ring", "square"}[g.Label] || math.Abs(g.Probability-want[g.Label]) > 1e-6 ||
			i > 0 && g.Probability > list[0].Classes[i-1].Probability {
			t.Errorf("%+v, want %v", g, want)
		}
		sum += g.Probability
	}
	if math.Abs(sum-1) > 1e-12 {
		t.Errorf("probabilities add up to %v", sum)
	}
	all := ref.Works(t, []string{"predict", "-checkpoint", checkpoint, "-images", filepath.Join(folder, "val"), "-format", "csv", "-top", "2", "-batch", "3"}).Out
	rows, err := csv.NewReader(strings.NewReader(all)).ReadAll()
	if err != nil || len(rows) != 1+8*2 || strings.Join(rows[0], ",") != "file,rank,label,class,probability" {
		t.Fatalf("%q, %v", all, err)
	}
	file := filepath.Join(t.TempDir(), "out.txt")
	ref.Works(t, []string{"predict", "-checkpoint", checkpoint, "-images", picture, "-top", "1", "-out", file})
	first := list[0].Classes[0]
	if got := clitest.Content(t, file); !strings.HasPrefix(got, picture+"  "+first.Class+" ") || !strings.HasSuffix(got, " %\n") {
		t.Errorf("text %q", got)
	}
	// The embedded network knows its classes too, and takes a picture of any size.
	ref.Works(t, []string{"predict", "-checkpoint", "pretrained:sdnet8_slim", "-images", picture, "-augment", "flips", "-top", "10"}, "airplane ", "truck ")
	for _, c := range []struct {
		args []string
		says []string
	}{
		{nil, []string{"-images is missing"}}, {[]string{"-images", picture, "-top", "0"}, []string{"-top 0"}},
		{[]string{"-images", picture, "-format", "xml"}, []string{"-format", `"xml"`}}, {[]string{"-images", "nowhere"}, []string{"nowhere"}},
		{[]string{"-images", picture, "-out", picture}, []string{"-out", "is the file that is read"}},
		{[]string{"-images", t.TempDir()}, []string{"holds no image"}}, {[]string{"-images", picture, "-type", "int"}, []string{"-type"}},
	} {
		ref.Call(t, append([]string{"predict"}, c.args...)...).Refused(t, c.says...)
	}
}

// byHand is the network's probabilities of the first image of a class in a folder.
func byHand(t *testing.T, checkpoint, folder, class string) []float64 {
	t.Helper()
	f, err := safetensors.Read(checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	net, c, err := training.LoadNetwork[float64](f)
	if err != nil {
		t.Fatal(err)
	}
	s, _, err := data.OpenPictures(filepath.Join(folder, class), [3]int{3, c.Extent, c.Extent})
	if err != nil {
		t.Fatal(err)
	}
	v := training.Evaluator[float64]{Net: net.Evaluable(), Mean: [3]float64{0.485, 0.456, 0.406}, Std: [3]float64{0.229, 0.224, 0.225}, Batch: 1}
	var got []float64
	v.Answers = func(a training.Answer) {
		if a.Image == 0 {
			got = append(got, a.Probabilities...)
		}
	}
	v.Evaluate(s)
	return got
}

// All formats that are read give one prediction, since the pixels are the same.
func TestPredictFormats(t *testing.T) {
	checkpoint, folder := drawnNetwork(t), t.TempDir()
	m := clitest.Picture(data.Shapes(1, 0, 9).Train, 0)
	for name, encode := range map[string]func(*bytes.Buffer) error{
		"a.bmp": func(b *bytes.Buffer) error { return bmp.Encode(b, m) }, "b.tiff": func(b *bytes.Buffer) error { return tiff.Encode(b, m, nil) },
		"c.tif": func(b *bytes.Buffer) error { return tiff.Encode(b, m, &tiff.Options{Compression: tiff.Deflate}) },
		"d.PNG": func(b *bytes.Buffer) error { _, err := b.Write(clitest.PNG(t, m)); return err },
	} {
		var b bytes.Buffer
		if err := encode(&b); err != nil {
			t.Fatal(err)
		}
		clitest.Put(t, filepath.Join(folder, name), b.Bytes())
	}
	predict := func(folder string) []prediction {
		var list []prediction
		out := ref.Works(t, []string{"predict", "-checkpoint", checkpoint, "-images", folder, "-format", "json"}).Out
		if err := json.Unmarshal([]byte(out), &list); err != nil {
			t.Fatal(err)
		}
		return list
	}
	list := predict(folder)
	for _, p := range list {
		if p.Classes[0] != list[0].Classes[0] {
			t.Errorf("%s: %+v, want %+v", p.File, p.Classes[0], list[0].Classes[0])
		}
	}
	if len(list) != 4 {
		t.Errorf("%d predictions", len(list))
	}
	other := t.TempDir()
	var g, j bytes.Buffer
	if err := errors.Join(gif.Encode(&g, m, nil), jpeg.Encode(&j, m, nil)); err != nil {
		t.Fatal(err)
	}
	clitest.Put(t, filepath.Join(other, "a.gif"), g.Bytes())
	clitest.Put(t, filepath.Join(other, "b.jpg"), j.Bytes())
	clitest.Put(t, filepath.Join(other, "c.webp"), clitest.WebP(40, 24, color.NRGBA{200, 100, 50, 255}))
	if list := predict(other); len(list) != 3 {
		t.Errorf("%d predictions", len(list))
	}
}

// Broken pictures are refused by name, or passed over; names do not reach the terminal as they are.
func TestPredictBroken(t *testing.T) {
	checkpoint, folder := drawnNetwork(t), t.TempDir()
	good := clitest.PNG(t, clitest.Picture(data.Shapes(1, 0, 9).Train, 0))
	clitest.Put(t, filepath.Join(folder, "a\x1b[2J.png"), good)
	clitest.Put(t, filepath.Join(folder, "b.png"), good[:len(good)/2])
	clitest.Put(t, filepath.Join(folder, "c.png"), []byte("<html>"))
	args := []string{"predict", "-checkpoint", checkpoint, "-images", folder}
	ref.Call(t, args...).Refused(t, "1 of 3 images", "c.png: a web page, no image")
	ref.Call(t, append(args, "-verify")...).Refused(t, "2 of 3 images", "b.png", "c.png", "-broken skip")
	r := ref.Call(t, append(args, "-broken", "skip")...)
	if r.Status != 0 || strings.Count(r.Out, "\n") != 1 || strings.Contains(r.Out+r.Err, "\x1b") || !strings.Contains(r.Err, "passed over: 2 images") {
		t.Errorf("status %d, %q, %q", r.Status, r.Out, r.Err)
	}
	clitest.Remove(t, filepath.Join(folder, "c.png"))
	ref.Call(t, args...).Refused(t, "b.png", "-broken skip")
}

// Results that are not finite are null, and exit status 1.
func TestPredictNotFinite(t *testing.T) {
	checkpoint := drawnNetwork(t)
	f, err := safetensors.Read(checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	for i := range f.Tensors {
		if f.Tensors[i].Name == "linear.bias" {
			f.Tensors[i] = safetensors.New("linear.bias", []int{10}, slices.Repeat([]float32{float32(math.NaN())}, 10))
		}
	}
	path := filepath.Join(t.TempDir(), "nan.safetensors")
	if err := safetensors.Write(path, f); err != nil {
		t.Fatal(err)
	}
	picture := filepath.Join(t.TempDir(), "a.png")
	clitest.Put(t, picture, clitest.PNG(t, image.NewGray(image.Rect(0, 0, 9, 9))))
	r := ref.Call(t, "predict", "-checkpoint", path, "-force", "-images", picture, "-format", "json")
	if r.Status != 1 || !strings.Contains(r.Out, `"probability": null`) {
		t.Errorf("status %d, %s, %s", r.Status, r.Out, r.Err)
	}
}
