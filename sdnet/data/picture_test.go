package data

import (
	"bytes"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"testing"
)

// An image of a set, written as a file and read again, is the same bytes: by hand and as Files reads it.
func TestPictureThereAndBack(t *testing.T) {
	set := Shapes(0, 3, 5).Test
	dir := t.TempDir()
	for i := range set.Len() {
		m := Picture(set.Image(i), Side, Side)
		if !bytes.Equal(Pixels(m, rgb(Side), false), set.Image(i)) {
			t.Errorf("image %d is another one", i)
		}
		var file bytes.Buffer
		if err := png.Encode(&file, m); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, string(rune('a'+i))+".png"), file.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	files, _, err := OpenPictures(dir, rgb(24)) // smaller, with a margin
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*Files{files, files.WithoutMargin()} {
		for i := range set.Len() {
			want := make([]byte, 3*24*24)
			if err := s.Plain(want, i); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(Pixels(Picture(set.Image(i), Side, Side), rgb(24), s.margin), want) {
				t.Errorf("image %d, margin %t: another one than Files reads", i, s.margin)
			}
		}
	}
}

func TestPicturePanics(t *testing.T) {
	one := image.NewGray(image.Rect(0, 0, 1, 1))
	for name, f := range map[string]func(){
		"length":        func() { Picture(make([]byte, 11), 2, 2) },
		"extent":        func() { Pixels(one, [3]int{3, 0, 1}, false) },
		"channels":      func() { Pixels(one, [3]int{2, 8, 8}, false) },
		"empty":         func() { Pixels(image.NewGray(image.Rectangle{}), rgb(8), false) },
		"negative":      func() { Picture(nil, -1, 0) },
		"both negative": func() { Picture(make([]byte, 12), -2, -2) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}
