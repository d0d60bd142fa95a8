package data

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"sdref/internal/random"
)

func put(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777),
		os.WriteFile(path, content, 0o666)); err != nil {
		t.Fatal(err)
	}
}

func encodeJPEG(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// classFolder writes three classes, of which val lacks one.
func classFolder(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for i, path := range []string{"train/cat/2.JPEG", "train/cat/1.jpg", "train/ape/x.png",
		"train/dog/a.jpeg", "train/dog/b.PNG", "val/dog/v.jpg", "val/cat/w.png"} {
		m := asImage(randomPixels(uint64(i), 40+i, 30+2*i), 40+i, 30+2*i)
		if content := encodePNG(t, m); strings.EqualFold(filepath.Ext(path), ".png") {
			put(t, filepath.Join(dir, path), content)
		} else {
			put(t, filepath.Join(dir, path), encodeJPEG(t, m))
		}
	}
	put(t, filepath.Join(dir, "train/cat/notes.txt"), []byte("mine"))
	put(t, filepath.Join(dir, "train/.hidden/x.png"), []byte("mine"))
	put(t, filepath.Join(dir, "train/list.txt"), []byte("mine"))
	return dir
}

func openFolder(t testing.TB, dir string) *Folder {
	t.Helper()
	d, err := OpenFolder(dir, rgb(32))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestOpenFolder(t *testing.T) {
	dir := classFolder(t)
	d := openFolder(t, dir)
	var files []string
	for _, s := range []*Files{d.Train, d.Test} {
		for i := range s.Len() {
			relative, _ := filepath.Rel(dir, s.File(i))
			files = append(files, fmt.Sprintf("%s %d", filepath.ToSlash(relative), s.Label(i)))
		}
	}
	want := []string{"train/ape/x.png 0", "train/cat/1.jpg 1", "train/cat/2.JPEG 1", "train/dog/a.jpeg 2",
		"train/dog/b.PNG 2", "val/cat/w.png 1", "val/dog/v.jpg 2"}
	if !slices.Equal(files, want) || !slices.Equal(d.Test.Classes, []string{"ape", "cat", "dog"}) ||
		d.Ignored != 1 {
		t.Errorf("%q, classes %q, %d ignored", files, d.Test.Classes, d.Ignored)
	}
	if d.Train.Shape() != rgb(32) || d.Test.String() != "val of "+dir || !IsFolder(dir) ||
		!IsFolder(filepath.Join(dir, "train")) || IsFolder(filepath.Join(dir, "train/cat")) {
		t.Errorf("%s, %d", d.Test, d.Train.Shape())
	}
}

func TestOpenFolderRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(t *testing.T, dir string)
		says   string
	}{
		"empty val": {func(t *testing.T, dir string) {
			removeAll(t, filepath.Join(dir, "val/dog"), filepath.Join(dir, "val/cat"))
		}, "val holds no folder"},
		"foreign class": {func(t *testing.T, dir string) {
			put(t, filepath.Join(dir, "val/emu/a.png"), nil)
		}, "emu is no class"},
		"empty class": {func(t *testing.T, dir string) {
			removeAll(t, filepath.Join(dir, "train/ape/x.png"))
		}, "ape holds no image"},
		"empty last": {func(t *testing.T, dir string) {
			removeAll(t, filepath.Join(dir, "train/dog/a.jpeg"), filepath.Join(dir, "train/dog/b.PNG"))
		}, "dog holds no image"},
	} {
		dir := classFolder(t)
		c.change(t, dir)
		if _, err := OpenFolder(dir, rgb(32)); err == nil || !strings.Contains(err.Error(), c.says) ||
			!strings.Contains(err.Error(), dir) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := OpenFolder(t.TempDir(), rgb(32)); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func removeAll(t *testing.T, paths ...string) {
	t.Helper()
	for _, path := range paths {
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
	}
}

// The middle of the scaled image, and with another draw another part.
func TestFilesPlainAndAugment(t *testing.T) {
	dir := t.TempDir()
	src := randomPixels(3, 45, 60)
	put(t, filepath.Join(dir, "train/a/x.png"), encodePNG(t, asImage(src, 45, 60)))
	put(t, filepath.Join(dir, "val/a/x.png"), encodePNG(t, asImage(src, 45, 60)))
	d := openFolder(t, dir)
	got, want := make([]byte, 3*32*32), make([]byte, 3*32*32)
	if err := d.Test.Plain(got, 0); err != nil {
		t.Fatal(err)
	}
	scale(want, rgb(32), src, 45, 60, 36, 48, 2, 8) // 32 * 8/7 is 36.57
	if !slices.Equal(got, want) {
		t.Error("Plain is not the middle")
	}
	draws, flips := random.New(5), 0
	for position := range uint64(12) {
		if err := d.Train.Augment(got, 0, draws, 1, position); err != nil {
			t.Fatal(err)
		}
		crop := drawResizedCrop(draws, 1, position, 45, 60)
		box := pixels(asImage(src, 45, 60), crop.Box, Channels)
		scale(want, rgb(32), box, crop.Box.Dx(), crop.Box.Dy(), 32, 32, 0, 0)
		if crop.Flip {
			flips++
			mirror(want, 32)
		}
		if !slices.Equal(got, want) {
			t.Errorf("position %d: not %v", position, crop)
		}
	}
	if flips == 0 || flips == 12 {
		t.Errorf("%d flips", flips)
	}
}

// Many goroutines read the same bytes.
func TestFilesConcurrently(t *testing.T) {
	d := openFolder(t, classFolder(t))
	var wait sync.WaitGroup
	for i := range d.Train.Len() {
		want := make([]byte, 3*32*32)
		if err := d.Train.Augment(want, i, random.New(1), 0, uint64(i)); err != nil {
			t.Fatal(err)
		}
		for range 4 {
			wait.Go(func() {
				got := make([]byte, 3*32*32)
				if err := d.Train.Augment(got, i, random.New(1), 0, uint64(i)); err != nil ||
					!slices.Equal(got, want) {
					t.Errorf("image %d differs, %v", i, err)
				}
			})
		}
	}
	wait.Wait()
}

func TestFilesCheck(t *testing.T) {
	d := openFolder(t, classFolder(t))
	var seen []int
	if broken, err := d.Train.Check(context.Background(), true, func(done int) {
		seen = append(seen, done)
	}); err != nil || broken != nil || !slices.Equal(seen, []int{5}) {
		t.Errorf("%v, %v, %v", seen, broken, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := d.Train.Check(ctx, false, func(int) {}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestFilesPanics(t *testing.T) {
	d := openFolder(t, classFolder(t))
	for want, call := range map[string]func(){
		"Plain: dst has 3 bytes, want 3 x 32 x 32": func() { d.Test.Plain(make([]byte, 3), 0) },
		"Augment: dst has 3 bytes": func() {
			d.Train.Augment(make([]byte, 3), 0, random.New(1), 0, 0)
		},
		"OpenFolder: images of 3 channels, 0 x 0": func() { OpenFolder("", rgb(0)) },
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, want) {
					t.Errorf("panic %q, want %q", got, want)
				}
			}()
			call()
		}()
	}
}

// A folder with a folder for each class; a file is opened when its image is wanted.
func ExampleOpenFolder() {
	dir, err := os.MkdirTemp("", "classes")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	for _, part := range []string{"train", "val"} {
		for _, class := range []string{"n01440764", "n01443537"} {
			if err := os.MkdirAll(filepath.Join(dir, part, class), 0o777); err != nil {
				panic(err)
			}
			file, err := os.Create(filepath.Join(dir, part, class, "1.JPEG"))
			if err != nil {
				panic(err)
			}
			if err := jpeg.Encode(file, image.NewGray(image.Rect(0, 0, 500, 375)), nil); err != nil {
				panic(err)
			}
			file.Close()
		}
	}

	d, err := OpenFolder(dir, rgb(ImageNetExtent))
	if err != nil {
		panic(err)
	}
	image := make([]byte, 3*ImageNetExtent*ImageNetExtent)
	fmt.Println(d.Train.Len(), d.Train.Classes[d.Train.Label(1)],
		d.Train.Augment(image, 1, random.New(1), 0, 0))
	// Output: 2 n01443537 <nil>
}
