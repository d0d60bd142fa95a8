package training

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sdref/sdnet/data"
	"sdref/tensor"
	"sdref/tensor/safetensors"
)

// short is a run of 2 epochs of 3 steps on 10 images: batches of 4, 4 and the 2 that are left.
func short() Config {
	c := Published()
	c.Network, c.Data, c.Epochs, c.Batch, c.Images, c.Warmup = "sdnet8_narrow", "shapes", 2, 4, 10, 0.5
	return c
}

// drawn is data for short: more images than it asks for.
func drawn() *data.Sets { return data.Shapes(12, 7, 1) }

func start[T tensor.Float](t testing.TB, c Config, d *data.Sets) *Run[T] {
	t.Helper()
	r, err := New[T](c, d.Dataset())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func step[T tensor.Float](t testing.TB, r *Run[T]) Step {
	t.Helper()
	s, err := r.Step()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func saved[T tensor.Float](t testing.TB, r *Run[T]) *safetensors.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "run.safetensors")
	if err := r.Save(path); err != nil {
		t.Fatal(err)
	}
	return reread(t, path)
}

func reread(t testing.TB, path string) *safetensors.File {
	t.Helper()
	f, err := safetensors.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func content(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// says fails unless err has every one of the given texts, and is one line.
func says(t *testing.T, err error, texts ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want one that says %q", texts)
		return
	}
	for _, text := range append(texts, "") {
		if !strings.Contains(err.Error(), text) || strings.Contains(err.Error(), "\n") {
			t.Errorf("error %q, want one line that says %q", err, text)
		}
	}
}

// panics fails unless f panics with a text that contains part.
func panics(t *testing.T, part string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		text := ""
		if err, ok := recover().(error); ok {
			text = err.Error()
		}
		if text == "" || !strings.Contains(text, part) {
			t.Errorf("panic %q, want one that says %q", text, part)
		}
	}()
	f()
}

// sameRun compares all that two runs are made of, to the bit.
func sameRun[T tensor.Float](t *testing.T, what string, got, want *Run[T]) {
	t.Helper()
	if got.Iteration != want.Iteration || got.Config.Seed != want.Config.Seed ||
		!slices.Equal(got.History, want.History) || got.current != want.current {
		t.Errorf("%s: step %d, history %v, %v, want step %d, %v, %v", what, got.Iteration, got.History,
			got.current, want.Iteration, want.History, want.current)
	}
	for i, s := range want.Net().State() {
		if at := tensor.FirstDifference(got.Net().State()[i].Tensor, s.Tensor); at >= 0 {
			t.Errorf("%s: %s differs at element %d", what, s.Name, at)
		}
	}
	for i, v := range want.velocities() {
		if at := tensor.FirstDifference(got.velocities()[i].Tensor, v.Tensor); at >= 0 {
			t.Errorf("%s: %s differs at element %d", what, v.Name, at)
		}
	}
}

// sameFile compares two files byte by byte.
func sameFile(t *testing.T, what, got, want string) {
	t.Helper()
	if !bytes.Equal(content(t, got), content(t, want)) {
		t.Errorf("%s: %s and %s differ", what, got, want)
	}
}
