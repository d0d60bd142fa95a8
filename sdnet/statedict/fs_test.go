package statedict

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"sdref/tensor/safetensors"
	"sdref/tensor/torchfile"
)

// listing is all that a dictionary says but its path.
func listing(t *testing.T, d *Dict) string {
	t.Helper()
	text := fmt.Sprint(d.Format, d.Scalars, d.Objects, d.Settings)
	for _, e := range d.Entries {
		values, err := e.Values().Float64s()
		if err != nil {
			t.Fatal(err)
		}
		text += fmt.Sprint("\n", e.Name, e.Type, e.Shape, values)
	}
	return text
}

// Files of both formats are the same from a path, a file system and a stream, and errors name where they come from.
func TestFromAnywhere(t *testing.T) {
	folder := t.TempDir()
	net := initialised(t, "sdnet8_narrow", "cifar10")
	settings := SettingsOf(net.Spec, nil).String()
	err := torchfile.WriteNoted(filepath.Join(folder, "net.pth"), Export(net, 3), settings)
	if err != nil {
		t.Fatal(err)
	}
	f := &safetensors.File{Metadata: map[string]string{SettingsKey: settings, "by": "nobody"}, Tensors: Export(net, 3)}
	if err := safetensors.Write(filepath.Join(folder, "net.safetensors"), f); err != nil {
		t.Fatal(err)
	}
	fsys := os.DirFS(folder)
	for _, name := range []string{"net.pth", "net.safetensors"} {
		path := filepath.Join(folder, name)
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		d, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		same, err := OpenFS(fsys, name)
		if err != nil || same.Path != name || listing(t, same) != listing(t, d) {
			t.Errorf("%s from a file system: %v", name, err)
		}
		same, err = ReadFrom(iotest.HalfReader(bytes.NewReader(content)))
		if err != nil || same.Path != "the stream" || listing(t, same) != listing(t, d) {
			t.Errorf("%s from a stream: %v", name, err)
		}
		if m, err := same.Find(Query{}); err != nil || !m.Fits() || m.Spec.Name != "sdnet8_narrow" {
			t.Errorf("%s from a stream is %s, %v", name, m.Spec.Name, err)
		}
		if err := os.WriteFile(path, content[:len(content)-100], 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenFS(fsys, name); err == nil || !strings.Contains(err.Error(), name+": ") {
			t.Errorf("%s, cut: %v", name, err)
		}
		if _, err := ReadFrom(bytes.NewReader(content[:len(content)-100])); err == nil || !strings.Contains(err.Error(), "the stream: ") {
			t.Errorf("%s, a cut stream: %v", name, err)
		}
	}
	if _, err := OpenFS(fsys, "none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("none: %v", err)
	}
	if _, err := OpenFS(fsys, "."); err == nil || !strings.Contains(err.Error(), "a folder") {
		t.Errorf("a folder: %v", err)
	}
	if _, err := ReadFrom(strings.NewReader("<html>")); err == nil || err.Error() != "the stream: a web page, neither a file of torch.save nor of safetensors" {
		t.Errorf("a web page: %v", err)
	}
	if _, err := ReadFrom(iotest.ErrReader(io.ErrClosedPipe)); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("a broken stream: %v", err)
	}
}
