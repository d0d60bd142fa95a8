package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sdref/internal/kernel"
	"sdref/internal/tfevents"
	"sdref/sdnet/data"
)

// result is what a call of the program gave.
type result struct {
	args     []string
	status   int
	out, err string
}

// ref calls the program in this process.
func ref(t testing.TB, args ...string) result {
	t.Helper()
	return refWith(t, context.Background(), nil, args...)
}

// refWith calls the program with a context, and shows what it writes to standard output to watch.
func refWith(t testing.TB, ctx context.Context, watch io.Writer, args ...string) result {
	t.Helper()
	row := kernel.ActiveName()
	var out, err bytes.Buffer
	stdout := io.Writer(&out)
	if watch != nil {
		stdout = io.MultiWriter(&out, watch)
	}
	status := run(ctx, args, stdout, &err)
	if use := kernel.Use(row); use != nil {
		t.Fatal(use)
	}
	return result{args, status, out.String(), err.String()}
}

// works calls the program and fails unless it ends well and writes each of the texts.
func works(t testing.TB, args []string, says ...string) result {
	t.Helper()
	r := ref(t, args...)
	if r.status != 0 || strings.Contains(r.err, "ref ") {
		t.Fatalf("ref %q: status %d, %s", args, r.status, r.err)
	}
	r.says(t, says...)
	return r
}

// says fails unless standard output has each of the texts.
func (r result) says(t testing.TB, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(r.out, text) {
			t.Errorf("ref %q does not say %q:\n%s", r.args, text, r.out)
		}
	}
}

// line returns the first line of standard output with a prefix.
func (r result) line(t testing.TB, prefix string) string {
	t.Helper()
	for line := range strings.Lines(r.out) {
		if strings.HasPrefix(line, prefix) {
			return line
		}
	}
	t.Errorf("ref %q says nothing that begins with %q:\n%s", r.args, prefix, r.out)
	return ""
}

// refused fails unless the call ended with status 2 and one line on standard error that has each of the texts.
func (r result) refused(t testing.TB, says ...string) {
	t.Helper()
	if r.status != exitError {
		t.Errorf("ref %q: status %d, want %d", r.args, r.status, exitError)
	}
	if strings.Count(r.err, "\n") != 1 || !strings.HasSuffix(r.err, "\n") || !strings.HasPrefix(r.err, "ref") {
		t.Errorf("ref %q: want one line on standard error, got %q", r.args, r.err)
	}
	for _, text := range append(says, "") {
		if !strings.Contains(r.err, text) || strings.Contains(r.err, "internal error") {
			t.Errorf("ref %q: error %q, want one that says %q", r.args, r.err, text)
		}
	}
}

// cifar10 writes CIFAR-10 files with 10 training and 4 test images, and returns their folder.
func cifar10(t testing.TB) string {
	t.Helper()
	dir, d := t.TempDir(), data.Shapes(10, 4, 1)
	for i, file := range []string{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"} {
		put(t, filepath.Join(dir, file), records(t, d.Train.Slice(2*i, 2*i+2)))
	}
	put(t, filepath.Join(dir, "test_batch.bin"), records(t, d.Test))
	return dir
}

// cifar100 is cifar10 for CIFAR-100.
func cifar100(t testing.TB) string {
	t.Helper()
	dir, d := t.TempDir(), data.Shapes(10, 4, 1)
	for file, set := range map[string]*data.Set{"train.bin": d.Train, "test.bin": d.Test} {
		set.Coarse = make([]uint8, set.Len())
		put(t, filepath.Join(dir, file), records(t, set))
	}
	return dir
}

func records(t testing.TB, s *data.Set) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := s.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func put(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o666); err != nil {
		t.Fatal(err)
	}
}

func content(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// short are the arguments of a run of 2 epochs of 3 steps on the images of cifar10.
func short(data, out string, more ...string) []string {
	return append([]string{"train", "-net", "sdnet8_narrow", "-epochs", "2", "-batch", "4", "-data", data, "-out", out}, more...)
}

// sameRun fails unless two folders hold the same run, to the byte.
func sameRun(t testing.TB, got, want string) {
	t.Helper()
	for _, path := range []func(string) string{checkpointIn, logIn, stepsIn} {
		if content(t, path(got)) != content(t, path(want)) {
			t.Errorf("%s and %s differ", path(got), path(want))
		}
	}
	if a, b := scalars(t, got), scalars(t, want); !slices.Equal(a, b) {
		t.Errorf("%s and %s differ", eventsIn(got), eventsIn(want))
	}
}

// scalars are the lines of a run's file for TensorBoard, without the times.
func scalars(t testing.TB, folder string) (lines []string) {
	t.Helper()
	events, err := tfevents.Read(eventsIn(folder))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		for _, s := range e.Scalars {
			lines = append(lines, fmt.Sprint(e.Step, s.Tag, s.Value))
		}
	}
	return lines
}
