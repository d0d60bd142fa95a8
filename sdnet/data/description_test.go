package data

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// describe describes the images of a folder.
func describe(t testing.TB, dir string) Description {
	t.Helper()
	d, err := openFolder(t, dir).Dataset().Describe()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func rename(t testing.TB, from, to string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o777), os.Rename(from, to)); err != nil {
		t.Fatal(err)
	}
}

// What a user does to a folder is said by what it is.
func TestDifferences(t *testing.T) {
	for name, c := range map[string]struct {
		change func(t *testing.T, in func(string) string)
		train  []string
		test   []string
	}{
		"nothing": {func(t *testing.T, in func(string) string) {}, nil, nil},
		"ignored": {func(t *testing.T, in func(string) string) {
			put(t, in("train/cat/._1.jpg"), []byte("mine"))
			put(t, in("train/cat/more.txt"), []byte("mine"))
		}, nil, nil},
		"renamed": {func(t *testing.T, in func(string) string) {
			rename(t, in("train/ape"), in("train/zebra"))
		}, []string{"class ape renamed to zebra"}, nil},
		"renamed to a line feed": {func(t *testing.T, in func(string) string) {
			rename(t, in("train/ape"), in("train/zeb\nra"))
		}, []string{`class ape renamed to "zeb\nra"`}, nil},
		"added": {func(t *testing.T, in func(string) string) {
			put(t, in("train/dog/c.png"), encodePNG(t, asImage(randomPixels(9, 5, 5), 5, 5)))
			put(t, in("train/dog/d.png"), encodePNG(t, asImage(randomPixels(8, 5, 5), 5, 5)))
		}, []string{"2 images more in train/dog"}, nil},
		"taken away": {func(t *testing.T, in func(string) string) {
			removeAll(t, in("train/cat/1.jpg"))
		}, []string{"1 image fewer in train/cat"}, nil},
		"moved": {func(t *testing.T, in func(string) string) {
			rename(t, in("train/cat/1.jpg"), in("train/dog/1.jpg"))
		}, []string{"labels moved: the same images under other labels, 1 image fewer in train/cat, 1 image more in train/dog"}, nil},
		"exchanged": {func(t *testing.T, in func(string) string) {
			rename(t, in("train/cat/1.jpg"), in("x"))
			rename(t, in("train/dog/a.jpeg"), in("train/cat/1.jpg"))
			rename(t, in("x"), in("train/dog/a.jpeg"))
		}, []string{"labels moved: the same images under other labels, other images in train/cat, as many, other images in train/dog, as many"}, nil},
		"other contents": {func(t *testing.T, in func(string) string) {
			put(t, in("train/cat/1.jpg"), encodeJPEG(t, asImage(randomPixels(9, 5, 5), 5, 5)))
		}, []string{"other images in train/cat, as many"}, nil},
		"other name": {func(t *testing.T, in func(string) string) {
			rename(t, in("train/cat/1.jpg"), in("train/cat/9.jpg"))
		}, []string{"the same images in train, under other names or in another order"}, nil},
		"class added": {func(t *testing.T, in func(string) string) {
			put(t, in("train/emu/c.png"), encodePNG(t, asImage(randomPixels(9, 5, 5), 5, 5)))
		}, []string{"a new class emu"}, nil},
		"class taken away": {func(t *testing.T, in func(string) string) {
			removeAll(t, in("train/ape"))
		}, []string{"no class ape"}, nil},
		"test image added": {func(t *testing.T, in func(string) string) {
			put(t, in("val/cat/c.png"), encodePNG(t, asImage(randomPixels(9, 5, 5), 5, 5)))
		}, nil, []string{"1 image more in test/cat"}},
	} {
		dir := classFolder(t)
		was := describe(t, dir)
		c.change(t, func(name string) string { return filepath.Join(dir, name) })
		now := describe(t, dir)
		if got := was.Differences(now); !slices.Equal(got, c.train) {
			t.Errorf("%s: %q, want %q", name, got, c.train)
		}
		if got := was.TestDifferences(now); !slices.Equal(got, c.test) {
			t.Errorf("%s: test: %q, want %q", name, got, c.test)
		}
	}
}

// Images in memory are compared by their pixels; the order of their classes counts, and so does normalisation.
func TestDifferencesInMemory(t *testing.T) {
	describe := func(change func(*Sets)) Description {
		s := Shapes(30, 10, 1)
		change(s)
		d, err := s.Dataset().Describe()
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	was := describe(func(*Sets) {})
	for want, change := range map[string]func(*Sets){
		"": func(*Sets) {},
		"labels moved: the same images under other labels, 1 image fewer in train/disc, 1 image more in train/ring": func(s *Sets) { s.Train.Labels[0] = 1 },
		"other images in train/disc, as many": func(s *Sets) { s.Train.Images[5] ^= 1 },
		"normalised by mean [0.6 0.5 0.5] and deviation [0.3 0.3 0.3], not [0.5 0.5 0.5] and [0.3 0.3 0.3]": func(s *Sets) { s.Mean[0] = 0.6 },
		"1 image fewer in train/crescent": func(s *Sets) { s.Train = s.Train.Slice(0, 29) },
	} {
		if got := strings.Join(was.Differences(describe(change)), "; "); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	turned := was
	turned.Classes = slices.Clone(was.Classes)
	slices.Reverse(turned.Classes)
	if got := was.ClassDifferences(turned); len(got) != 1 || !strings.HasPrefix(got[0], "the classes in another order, crescent, ") {
		t.Errorf("%q", got)
	}
	if got := (Description{}).Differences(Description{Classes: []string{"a"}, Train: &Digest{}}); got != nil {
		t.Errorf("what is not known is compared: %q", got)
	}
}

func TestDescriptionCheck(t *testing.T) {
	good := Description{Classes: []string{"a", "b"}, Std: [3]float64{1, 1, 1}, Train: &Digest{Classes: make([]ClassDigest, 2)}}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for says, change := range map[string]func(*Description){
		"class b comes twice":   func(d *Description) { d.Classes = []string{"b", "b"} },
		"deviation":             func(d *Description) { d.Std[1] = 0 },
		"sums of 3 classes, of": func(d *Description) { d.Train = &Digest{Classes: make([]ClassDigest, 3)} },
	} {
		bad := good
		change(&bad)
		if err := bad.Check(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
}

// Of a large file the beginning, the end and the size count.
func TestSumOfLargeFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	sumOf := func(content []byte) sum {
		put(t, path, content)
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		s, err := sumFile(file, int64(len(content)))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for _, size := range []int{100, maxSummed, maxSummed + 1, 3 * maxSummed} {
		content := make([]byte, size)
		whole := sumOf(content)
		for _, at := range []int{0, size / 2, size - 1} {
			content[at] ^= 1
			if same := sumOf(content) == whole; same != (size > maxSummed && at == size/2) {
				t.Errorf("%d bytes, another one at %d: the same sum: %t", size, at, same)
			}
			content[at] ^= 1
		}
		if sumOf(append(content, 0)) == whole {
			t.Errorf("%d bytes and one more have the same sum", size)
		}
	}
}

// By name, images come under a network's labels.
func TestByName(t *testing.T) {
	dir := classFolder(t) // ape, cat, dog
	d := openFolder(t, dir).Dataset()
	for _, c := range []struct {
		classes []string
		want    string
	}{
		{[]string{"dog", "cat", "ape"}, "x.png 2, 1.jpg 1, 2.JPEG 1, a.jpeg 0, b.PNG 0, w.png 1, v.jpg 0"},
		{[]string{"emu", "cat", "dog"}, "1.jpg 1, 2.JPEG 1, a.jpeg 2, b.PNG 2, w.png 1, v.jpg 2"},
	} {
		m := d.ByName(c.classes)
		var got []string
		for _, s := range []Images{m.Train, ForEvaluation(m.Test)} {
			for i := range s.Len() {
				got = append(got, fmt.Sprintf("%s %d", filepath.Base(NameOf(s, i)), s.Label(i)))
			}
		}
		if strings.Join(got, ", ") != c.want || m.Classes != len(c.classes) {
			t.Errorf("%q: %q", c.classes, got)
		}
	}
	m := d.ByName([]string{"dog"})
	a, b := make([]byte, 3*32*32), make([]byte, 3*32*32)
	if err := errors.Join(m.Train.Plain(a, 1), d.Train.Plain(b, 4)); err != nil || !slices.Equal(a, b) {
		t.Errorf("another image, %v", err)
	}
}

func TestViews(t *testing.T) {
	image := make([]byte, 3*9)
	for i := range image {
		image[i] = byte(i + 1)
	}
	got := make([]byte, 3*9)
	for _, c := range []struct {
		view View
		want []byte // the second channel
	}{
		{View{}, []byte{10, 11, 12, 13, 14, 15, 16, 17, 18}},
		{View{Flip: true}, []byte{12, 11, 10, 15, 14, 13, 18, 17, 16}},
		{View{Down: 1}, []byte{0, 0, 0, 10, 11, 12, 13, 14, 15}},
		{View{Down: -2}, []byte{16, 17, 18, 0, 0, 0, 0, 0, 0}},
		{View{Right: 2}, []byte{0, 0, 10, 0, 0, 13, 0, 0, 16}},
		{View{Right: -1, Flip: true}, []byte{0, 12, 11, 0, 15, 14, 0, 18, 17}},
		{View{Right: 5, Down: 7}, make([]byte, 9)},
	} {
		c.view.Write(got, image, rgb(3))
		if !slices.Equal(got[9:18], c.want) {
			t.Errorf("%+v: %d", c.view, got[9:18])
		}
	}
}
