package filekind

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestDescribe(t *testing.T) {
	for beginning, want := range map[string]string{
		"":                           Empty,
		"\x1f\x8b\x08\x00":           Gzip,
		"PK\x03\x04":                 Zip,
		"\x93NUMPY\x02\x00":          NumPy,
		"\x80\x04\x95":               Pickle,
		"\n <!DOCTYPE html>":         WebPage,
		"\xef\xbb\xbf<HTML lang=en>": WebPage,
		"<?xml version=\"1.0\"?>":    "an XML text",
		"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n": Pointer,
		`{"metadata": {}, "weight_map": {"a": "b"}}`:                          Shards,
		`{"a": 1}`:                               "a JSON text",
		"epoch,loss\n":                           "a text",
		"n\xc3":                                  "a text", // cut inside a character
		"\x00\x01\x02":                           "",
		"ab\x00":                                 "",
		"ab\xff":                                 "",
		"\x40\x00\x00\x00\x00\x00\x00\x00{\"a\"": Safetensors,
		strings.Repeat("\x00", 257) + "ustar\x00": "a tar archive",
	} {
		if got := Describe([]byte(beginning)); got != want {
			t.Errorf("%.20q is %q, want %q", beginning, got, want)
		}
	}
}

// What is no regular file is refused by its kind, and a named pipe is not waited for.
func TestOpen(t *testing.T) {
	folder := t.TempDir()
	path, pipe := filepath.Join(folder, "file"), filepath.Join(folder, "pipe")
	if err := os.WriteFile(path, []byte(strings.Repeat("x", 600)), 0o666); err != nil {
		t.Fatal(err)
	}
	f, size, err := Open(path)
	if err != nil || size != 600 {
		t.Fatal(size, err)
	}
	f.Close()
	if b, err := Peek(path); err != nil || len(b) != Beginning {
		t.Errorf("%d bytes, %v", len(b), err)
	}
	cases := map[string]string{folder: "a folder, not a regular file", os.DevNull: "a device, not", filepath.Join(folder, "none"): "no such file"}
	if err := exec.Command("mkfifo", pipe).Run(); err == nil {
		cases[pipe] = "a named pipe, not a regular file"
	}
	for path, says := range cases {
		for _, err := range []error{second(Peek(path)), third(Open(path))} {
			if err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), path) {
				t.Errorf("%s: %v, want %q", path, err, says)
			}
		}
	}
}

func second[A any](_ A, err error) error        { return err }
func third[A, B any](_ A, _ B, err error) error { return err }

func TestUntil(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	r := Until(ctx, strings.NewReader("text"))
	if n, err := r.ReadAt(make([]byte, 2), 1); n != 2 || err != nil {
		t.Error(n, err)
	}
	cancel()
	if _, err := r.ReadAt(make([]byte, 2), 1); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
