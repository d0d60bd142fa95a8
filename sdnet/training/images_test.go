package training

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"sdref/internal/random"
	"sdref/sdnet/data"
)

// counted is n samples of one byte, which is their index.
func counted(n int) func(k int) []sample {
	return func(k int) (list []sample) {
		for i := 4 * k; i < min(4*k+4, n); i++ {
			list = append(list, sample{10 * i, func(dst []byte) error { dst[0] = byte(i); return nil }})
		}
		return list
	}
}

// Batches are complete, in whatever order they are asked for, and a batch does not change before the next is
// asked for.
func TestReader(t *testing.T) {
	for _, order := range [][]int{{0, 1, 2}, {2, 0, 1}, {1, 1, 0, 2, 0}} {
		r := &reader{plan: counted(10), bytes: 1}
		for _, k := range order {
			b := r.get(k)
			for range 3 {
				runtime.Gosched() // to the goroutine that reads the next one
			}
			want, labels := []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}[4*k:min(4*k+4, 10)],
				[]int{0, 10, 20, 30, 40, 50, 60, 70, 80, 90}[4*k:min(4*k+4, 10)]
			if !bytes.Equal(b.pixels, want) || !slices.Equal(b.labels, labels) || b.err != nil {
				t.Errorf("order %v, batch %d: %d, %d, %v", order, k, b.pixels, b.labels, b.err)
			}
		}
	}
}

// Of several images that cannot be read the first one's error is reported, and the next batch is not
// affected.
func TestReaderErrors(t *testing.T) {
	plan := func(k int) (list []sample) {
		for i := range 8 {
			list = append(list, sample{0, func([]byte) error {
				if k == 1 && i > 2 {
					return fmt.Errorf("image %d", i)
				}
				return nil
			}})
		}
		return list
	}
	r := &reader{plan: plan, bytes: 1}
	for k, want := range []string{"<nil>", "image 3", "<nil>", "<nil>"} {
		if b := r.get(k); fmt.Sprint(b.err) != want {
			t.Errorf("batch %d: %v, want %s", k, b.err, want)
		}
	}
}

// broken is images of which one cannot be read.
type broken struct{ data.Augmented }

var errBroken = errors.New("the file broke")

func (b broken) Plain(dst []byte, i int) error {
	if i == 4 {
		return errBroken
	}
	return b.Augmented.Plain(dst, i)
}

func (b broken) Augment(dst []byte, i int, _ random.Stream, _, _ uint64) error {
	return b.Plain(dst, i)
}

// An image that cannot be read ends a step and an evaluation with its error.
func TestUnreadableImage(t *testing.T) {
	d := drawn().Dataset()
	d.Train, d.Test = broken{d.Train}, broken{data.Cropped{Set: drawn().Test}}
	r, err := New[float32](short(), d)
	for err == nil {
		_, err = r.Step()
	}
	if !errors.Is(err, errBroken) || r.Iteration > 2 {
		t.Errorf("after step %d: %v", r.Iteration, err)
	}
	e := Evaluate(r.Net().Evaluable(), d.Test, d.Mean, d.Std, 3, nil)
	if !errors.Is(e.Err, errBroken) || e.Images != 3 {
		t.Errorf("%+v", e)
	}
}

// classes writes n classes of two small images each, and as many for val.
func classes(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	s := random.New(7)
	for i := range 4 * n {
		m := image.NewNRGBA(image.Rect(0, 0, 30+i, 40))
		for p := range m.Pix {
			m.Pix[p] = byte(s.At(uint64(i*len(m.Pix) + p)))
		}
		for p := range m.Pix[:len(m.Pix)/2] {
			m.Pix[p] = byte(40 * (i % n)) // so that there is something to learn
		}
		m.Set(0, 0, color.White)
		path := filepath.Join(dir, []string{"train", "val"}[i/(2*n)], fmt.Sprintf("class%d", i%n),
			fmt.Sprintf("%d.png", i))
		var b bytes.Buffer
		if err := errors.Join(png.Encode(&b, m), os.MkdirAll(filepath.Dir(path), 0o777),
			os.WriteFile(path, b.Bytes(), 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// A run on a folder of classes, continued at each step and with any number of goroutines, is the same run.
func TestFolder(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	d, err := data.OpenFolder(classes(t, 5), [3]int{3, 64, 64})
	if err != nil {
		t.Fatal(err)
	}
	images := d.Dataset()
	c := ImageNet()
	c.Network, c.Epochs, c.Batch, c.Images, c.Classes, c.Extent, c.Holdout = "sdnet8_narrow", 2, 4, 7, 5, 64,
		3
	whole, err := New[float32](c, images)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	path := func(k int) string { return filepath.Join(folder, fmt.Sprint(k)) }
	for k := 0; ; k++ {
		if whole.HoldoutDue() {
			set, err := whole.HoldoutImages(images)
			if err != nil {
				t.Fatal(err)
			}
			whole.SetHoldout(Evaluate(whole.Net().Evaluable(), set, images.Mean, images.Std, 2, nil))
		}
		if err := whole.Save(path(k)); err != nil {
			t.Fatal(err)
		}
		if whole.Done() {
			break
		}
		step(t, whole)
	}
	for k := range whole.TotalSteps() {
		runtime.GOMAXPROCS(1 + k%3)
		r, err := Resume[float32](reread(t, path(k)), images)
		if err != nil {
			t.Fatal(err)
		}
		r.Trainer.Workers = k % 4
		for !r.Done() {
			step(t, r)
			if r.HoldoutDue() {
				set, _ := r.HoldoutImages(images)
				r.SetHoldout(Evaluate(r.Net().Evaluable(), set, images.Mean, images.Std, 2, nil))
			}
		}
		last := filepath.Join(folder, "last")
		if err := r.Save(last); err != nil {
			t.Fatal(err)
		}
		sameFile(t, fmt.Sprintf("resumed at step %d", k), last, path(whole.TotalSteps()))
	}
	net, _, err := LoadNetwork[float32](reread(t, path(2)))
	if err != nil || net.Data.Classes != 5 || net.Data.Image != 64 || net.Data.Stem.Kernel != 7 {
		t.Errorf("the network of the checkpoint: %+v, %v", net.Data, err)
	}
	c.Classes = 0
	_, err = New[float32](c, images)
	says(t, err, "1000 classes", "have 5")
	c.Classes, c.Extent = 5, 0
	_, err = New[float32](c, images)
	says(t, err, "224 x 224 pixels", "have 64 x 64 pixels")
}
