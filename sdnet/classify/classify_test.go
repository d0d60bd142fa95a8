package classify_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/iotest"

	"sdref/sdnet"
	"sdref/sdnet/classify"
	"sdref/sdnet/data"
	"sdref/sdnet/pretrained"
	"sdref/sdnet/training"
	"sdref/tensor"
	"sdref/tensor/safetensors"
)

// What a network that comes with the module sees on a drawn picture, which shows none of its classes.
func ExampleClassifier_Top() {
	c, err := classify.Open("pretrained:sdnet8_slim")
	if err != nil {
		panic(err)
	}
	picture := data.Picture(data.Shapes(0, 1, 1).Test.Image(0), data.Side, data.Side)
	for _, guess := range c.Top(picture, 2) {
		fmt.Println(guess.Class, guess.Probability > 0.1)
	}
	// Output:
	// cat true
	// dog true
}

// The answers are those of the evaluator, which ref predict uses, from many goroutines at once.
func TestAgainstEvaluator(t *testing.T) {
	set := data.Shapes(0, 6, 3).Test
	net, about, err := training.OpenNetwork[float32]("pretrained:sdnet8_all_slim_noshortcut")
	if err != nil {
		t.Fatal(err)
	}
	var want [][]sdnet.Guess
	v := &training.Evaluator[float32]{Net: net.Evaluable(), Mean: about.Mean, Std: about.Std, Batch: 1}
	v.Answers = func(a training.Answer) { want = append(want, sdnet.Top(a.Probabilities, 10, about.Classes)) }
	v.Evaluate(set)
	c := classify.New(net, about)
	net.Parameters()[0].Fill(0) // the classifier has weights of its own
	var group sync.WaitGroup
	for i := range set.Len() {
		group.Go(func() {
			if got := c.Top(data.Picture(set.Image(i), 32, 32), 10); fmt.Sprint(got) != fmt.Sprint(want[i]) {
				t.Errorf("image %d: %v, want %v", i, got, want[i])
			}
		})
	}
	group.Wait()
}

// The logits of the networks that come with the module, for a drawn picture, have one digest each wherever this runs: .ci/run also runs it
// compiled to WebAssembly.
func TestPredictionEverywhere(t *testing.T) {
	for name, want := range map[string]string{
		"sdnet_air_whitened":         "e96eb93a229ec0ae216c07ab6ca4bc2fa97900b1c72371f82bfbb13c77f80e7f",
		"sdnet8_slim":                "d883387d71fd714149a999b64692c7cc4275e5e41866c5e01ed7bca756551d2a",
		"sdnet8_all_slim_noshortcut": "5a34682a86debcf2c330ef600844c1b3cf5e4033d4bc63deed438fb7099b9195",
	} {
		net, about, err := training.OpenNetwork[float32](pretrained.Prefix + name)
		if err != nil {
			t.Fatal(err)
		}
		x := tensor.New[float32](1, data.Channels, data.Side, data.Side)
		data.NewNormaliser[float32](about.Mean, about.Std).Values(x.Data, data.Shapes(0, 1, 1).Test.Image(0), data.Channels)
		var bits []byte
		for _, v := range sdnet.NewPredictor(net.Evaluable()).Logits(x).Data {
			bits = binary.LittleEndian.AppendUint32(bits, math.Float32bits(v))
		}
		if got := fmt.Sprintf("%x", sha256.Sum256(bits)); got != want {
			t.Errorf("%s/%s: logits of %s have SHA-256 %s, want %s", runtime.GOOS, runtime.GOARCH, name, got, want)
		}
	}
}

// A checkpoint is read from a file system and from a stream as from a path.
func TestOpenFS(t *testing.T) {
	net, about, err := training.OpenNetwork[float32]("pretrained:sdnet8_all_slim_noshortcut")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "net.safetensors")
	if err := training.SaveNetwork(path, net, &about); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	picture := data.Picture(data.Shapes(0, 1, 1).Test.Image(0), data.Side, data.Side)
	want := fmt.Sprint(classify.New(net, about).Top(picture, 10))
	fsys := fstest.MapFS{"nets/a.safetensors": {Data: file}, "cut": {Data: file[:1000]}}
	for what, open := range map[string]func() (*classify.Classifier, error){
		"path":        func() (*classify.Classifier, error) { return classify.Open(path) },
		"file system": func() (*classify.Classifier, error) { return classify.OpenFS(fsys, "nets/a.safetensors") },
		"reader":      func() (*classify.Classifier, error) { return classify.Read(iotest.HalfReader(bytes.NewReader(file))) },
	} {
		c, err := open()
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		if got := fmt.Sprint(c.Top(picture, 10)); got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	if _, err := classify.OpenFS(fsys, "cut"); err == nil || !strings.HasPrefix(err.Error(), "cut: ") {
		t.Errorf("cut: %v", err)
	}
	if _, err := classify.OpenFS(fsys, "none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("none: %v", err)
	}
	if _, err := classify.Read(bytes.NewReader(file[:1000])); err == nil {
		t.Error("a cut stream was read")
	}
	var other bytes.Buffer
	if err := safetensors.Encode(&other, &safetensors.File{}); err != nil {
		t.Fatal(err)
	}
	if _, err := classify.Read(&other); !errors.Is(err, training.ErrForeign) || !strings.HasPrefix(err.Error(), "the stream: ") {
		t.Errorf("a file without a network: %v", err)
	}
}

func TestMisuse(t *testing.T) {
	net, about, err := training.OpenNetwork[float32]("pretrained:sdnet8_slim")
	if err != nil {
		t.Fatal(err)
	}
	other := about
	other.Size = 24
	for _, f := range []func(){func() { classify.New(net, other) }, func() { classify.New(net, data.Description{}) }} {
		func() {
			defer func() {
				var e *classify.MisuseError
				if err, _ := recover().(error); !errors.As(err, &e) {
					t.Errorf("%v", err)
				}
			}()
			f()
		}()
	}
	if _, err := classify.Open("none.safetensors"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	c := classify.New(net, about)
	if list := c.Top(image.NewGray(image.Rect(0, 0, 100, 40)), 99); len(list) != 10 {
		t.Errorf("%v", list)
	}
}

func TestTop(t *testing.T) {
	p := sdnet.Softmax(tensor.From([]float32{1, 3, 3, -200}, 1, 4))
	if got := fmt.Sprint(sdnet.Top(p.Data, 3, []string{"a", "b"})); got != "[b 46.83 % 2 46.83 % a 6.34 %]" {
		t.Error(got)
	}
}
