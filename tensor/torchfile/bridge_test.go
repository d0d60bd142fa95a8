package torchfile_test

import (
	"bytes"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"testing/iotest"

	"sdref/tensor/safetensors"
	"sdref/tensor/torchfile"
)

func TestFromReadersAndFileSystems(t *testing.T) {
	var b bytes.Buffer
	if err := torchfile.Encode(&b, []safetensors.Tensor{safetensors.New("w", []int{2}, []float32{1, 2})}); err != nil {
		t.Fatal(err)
	}
	fsys := fstest.MapFS{"w.pth": {Data: b.Bytes()}, "broken.pth": {Data: b.Bytes()[:b.Len()/2]}}
	if f, err := torchfile.ReadFS(fsys, "w.pth"); err != nil || f.Path != "w.pth" || f.Tensors[0].Name != "w" {
		t.Errorf("%+v, %v", f, err)
	}
	if _, err := torchfile.ReadFS(fsys, "broken.pth"); err == nil || !strings.HasPrefix(err.Error(), "broken.pth: ") {
		t.Errorf("%v", err)
	}
	if _, err := torchfile.ReadFS(fsys, "none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	if f, err := torchfile.ReadFrom(&b); err != nil || len(f.Tensors) != 1 {
		t.Errorf("%+v, %v", f, err)
	}
	if _, err := torchfile.ReadFrom(iotest.ErrReader(fs.ErrClosed)); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("%v", err)
	}
}
