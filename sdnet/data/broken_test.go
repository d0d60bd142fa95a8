package data

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sdref/internal/random"
)

// brokenFolder is classFolder with images that end in their middle.
func brokenFolder(t testing.TB, names ...string) string {
	t.Helper()
	dir := classFolder(t)
	for _, name := range names {
		path := filepath.Join(dir, name)
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		put(t, path, content[:len(content)/2])
	}
	return dir
}

// A broken image is refused by its name, or training takes the next one of its class, and evaluation leaves it
// out.
func TestBroken(t *testing.T) {
	dir := brokenFolder(t, "train/cat/2.JPEG", "train/ape/x.png", "val/dog/v.jpg")
	d := openFolder(t, dir) // train: ape/x.png, cat/1.jpg, cat/2.JPEG, dog/a.jpeg, dog/b.PNG
	got, want := make([]byte, 3*32*32), make([]byte, 3*32*32)
	for _, read := range []func(s *Files, i int) error{
		func(s *Files, i int) error { return s.Plain(got, i) },
		func(s *Files, i int) error { return s.Augment(got, i, random.New(1), 0, 3) },
	} {
		if err := read(d.Train, 2); !errors.Is(err, ErrBroken) || errors.Is(err, ErrSkipped) || !strings.Contains(err.Error(), d.Train.File(2)) {
			t.Errorf("refused: %v", err)
		}
	}
	if d.Train.Failures() != nil {
		t.Error("what is refused is counted")
	}
	d.Train.Tolerate(Skip)
	d.Test.Tolerate(Skip)
	if err := errors.Join(d.Train.Plain(got, 2), d.Train.Plain(want, 1)); err != nil || !slices.Equal(got, want) {
		t.Errorf("not the next of the class: %v", err)
	}
	if err := errors.Join(d.Train.Augment(got, 2, random.New(1), 0, 3), d.Train.Augment(want, 1, random.New(1), 0, 3)); err != nil || !slices.Equal(got, want) {
		t.Errorf("augmented, not the next of the class: %v", err)
	}
	if err := d.Train.Plain(got, 0); err == nil || !strings.Contains(err.Error(), "no image of class ape can be read") {
		t.Errorf("none of the class: %v", err)
	}
	if err := ForEvaluation(d.Train).Plain(got, 2); !errors.Is(err, ErrSkipped) {
		t.Errorf("evaluated: %v", err)
	}
	if list := d.Train.Failures(); len(list) != 2 || !strings.Contains(list[0].Error(), "x.png") || !strings.Contains(list[1].Error(), "2.JPEG") {
		t.Errorf("failures %v", list)
	}
	broken, err := d.Train.Check(context.Background(), true, func(int) {})
	if err != nil || len(broken) != 2 || !strings.Contains(broken[1].Error(), d.Train.File(2)) {
		t.Errorf("Check: %v, %v", broken, err)
	}
	if broken, err := d.Train.Check(context.Background(), false, func(int) {}); err != nil || len(broken) > 0 {
		t.Errorf("Check of beginnings: %v, %v", broken, err)
	}
	var b Broken
	if err := b.UnmarshalText([]byte("skip")); err != nil || b != Skip {
		t.Error(err)
	}
	if err := b.UnmarshalText([]byte("ignore")); err == nil || !strings.Contains(err.Error(), `"ignore" is neither refuse nor skip`) {
		t.Error(err)
	}
}

// However many goroutines decode, the images in memory are no more than the limit allows.
func TestDecodingMemory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.png")
	put(t, path, encodePNG(t, image.NewGray(image.Rect(0, 0, 8, 8))))
	side := 1 << 12 // four of these fill the memory
	put(t, path, claim(t, side, side))
	var now, most atomic.Int64
	var wait sync.WaitGroup
	for range 12 {
		wait.Go(func() {
			err := disk.decodeFile(path, func(image.Image) {
				most.Store(max(most.Load(), now.Add(1)))
				time.Sleep(20 * time.Millisecond)
				now.Add(-1)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if n := most.Load(); n < 1 || n > maxDecoded/int64(side*side*pixelBytes) {
		t.Errorf("%d images at a time", n)
	}
}

// claim is a PNG of one bit a pixel.
func claim(t testing.TB, width, height int) []byte {
	t.Helper()
	return encodePNG(t, image.NewPaletted(image.Rect(0, 0, width, height), color.Palette{color.Black, color.White}))
}

// FuzzReadImage: no bytes make the reader panic, and what it shows is within its limits.
func FuzzReadImage(f *testing.F) {
	small := asImage(randomPixels(1, 9, 7), 9, 7)
	png, jpeg := encodePNG(f, small), encodeJPEG(f, small)
	for _, seed := range [][]byte{nil, png, jpeg, png[:len(png)/2], jpeg[:len(jpeg)/2], []byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;")} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		_ = ReadImage(strings.NewReader(string(content)), int64(len(content)), func(m image.Image) {
			if size := m.Bounds().Size(); size.X < 1 || size.Y < 1 || size.X > maxPixels/size.Y {
				t.Errorf("%v", size)
			} else if got := pixels(m, m.Bounds(), Channels); len(got) != 3*size.X*size.Y {
				t.Errorf("%d bytes of %v", len(got), size)
			}
		})
	})
}

// Pictures need no labels; one of another size than the network's is scaled, one of its size stays as it is.
func TestOpenPictures(t *testing.T) {
	dir := t.TempDir()
	same, other := randomPixels(1, 32, 32), randomPixels(2, 64, 48)
	put(t, filepath.Join(dir, "b/same.png"), encodePNG(t, asImage(same, 32, 32)))
	put(t, filepath.Join(dir, "a.png"), encodePNG(t, asImage(other, 64, 48)))
	put(t, filepath.Join(dir, "notes.txt"), nil)
	s, ignored, err := OpenPictures(dir, rgb(32))
	if err != nil || ignored != 1 || s.Len() != 2 || s.File(0) != filepath.Join(dir, "a.png") || s.File(1) != filepath.Join(dir, "b/same.png") {
		t.Fatalf("%+v, %d, %v", s, ignored, err)
	}
	got, want := make([]byte, 3*32*32), make([]byte, 3*32*32)
	if err := s.WithoutMargin().Plain(got, 1); err != nil || !slices.Equal(got, same) {
		t.Errorf("an image of the network's size is changed: %v", err)
	}
	scale(want, rgb(32), other, 64, 48, 42, 32, middle(42, 32), 0)
	if err := s.WithoutMargin().Plain(got, 0); err != nil || !slices.Equal(got, want) {
		t.Errorf("without the margin: %v", err)
	}
	scale(want, rgb(32), same, 32, 32, 36, 36, 2, 2)
	if err := s.Plain(got, 1); err != nil || !slices.Equal(got, want) {
		t.Errorf("with the margin: %v", err)
	}
	one, _, err := OpenPictures(filepath.Join(dir, "a.png"), rgb(32))
	if err != nil || one.Len() != 1 || one.File(0) != filepath.Join(dir, "a.png") {
		t.Errorf("one picture: %+v, %v", one, err)
	}
	for _, path := range []string{filepath.Join(dir, "none.png"), t.TempDir()} {
		if _, _, err := OpenPictures(path, rgb(32)); err == nil || !strings.Contains(err.Error(), path) {
			t.Error(fmt.Sprint(path, err))
		}
	}
}
