package lab

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"sdref"
)

// programPackage is the WebAssembly program.
const programPackage = "./cmd/ref/internal/lab/program"

// builder makes the page's copy of the program.
type builder struct{ goCommand, root, source string }

// newBuilder looks for Go and for the program's source.
func newBuilder(source string) (*builder, error) {
	goCommand, err := exec.LookPath("go")
	if err != nil {
		return nil, errors.New("the page's copy of this program is built by Go, and there is no go command here (https://go.dev/dl)")
	}
	b := &builder{goCommand: goCommand}
	if b.source, err = findSource(source); err != nil {
		return nil, err
	}
	out, err := exec.Command(goCommand, "env", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("go env GOROOT: %w", err)
	}
	b.root = strings.TrimSpace(string(out))
	return b, b.same()
}

// findSource is the folder of the module: the given one, or the current one or one above it.
func findSource(given string) (string, error) {
	folder := given
	if given == "" {
		var err error
		if folder, err = os.Getwd(); err != nil {
			return "", err
		}
	}
	for {
		text, err := os.ReadFile(filepath.Join(folder, "go.mod"))
		if err == nil && strings.HasPrefix(string(text), "module sdref\n") {
			return folder, nil
		}
		above := filepath.Dir(folder)
		switch {
		case given != "":
			return "", fmt.Errorf("-source: %s is not the folder of this program's source, in which go.mod says module sdref", given)
		case above == folder:
			return "", errors.New("the page's copy of this program is built from its source, and that is neither in this folder nor above it; say -source FOLDER")
		}
		folder = above
	}
}

// same compares the source with what this program was built from, as far as it knows: otherwise page and copy could be two programs.
func (b *builder) same() error {
	return fs.WalkDir(sdref.Source, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		ours, err := sdref.Source.ReadFile(path)
		if err != nil {
			return err
		}
		theirs, err := os.ReadFile(filepath.Join(b.source, path))
		if err != nil {
			return err
		}
		if !bytes.Equal(ours, theirs) {
			return fmt.Errorf("%s has changed since this program was built: build it again", filepath.Join(b.source, path))
		}
		return nil
	})
}

// program builds the WebAssembly program and returns it compressed, and the script of Go that starts it.
func (b *builder) program(ctx context.Context) (compressed, starter []byte, err error) {
	folder, err := os.MkdirTemp("", "ref-lab-")
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(folder)
	file := filepath.Join(folder, "program.wasm")
	build := exec.CommandContext(ctx, b.goCommand, "build", "-trimpath", "-ldflags=-s -w", "-o", file, programPackage)
	build.Dir = b.source
	build.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		return nil, nil, fmt.Errorf("go build for js/wasm in %s: %w: %s", b.source, err, bytes.TrimSpace(out))
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, err
	}
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return nil, nil, err
	}
	if _, err := w.Write(text); err != nil {
		return nil, nil, err
	}
	if err := w.Close(); err != nil {
		return nil, nil, err
	}
	for _, place := range []string{"lib/wasm", "misc/wasm"} { // since Go 1.24, and before
		if starter, err = os.ReadFile(filepath.Join(b.root, place, "wasm_exec.js")); err == nil {
			break
		}
	}
	return packed.Bytes(), starter, err
}
