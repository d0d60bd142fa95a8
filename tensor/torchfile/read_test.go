package torchfile

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sdref/tensor/safetensors"
)

// wanted is a tensor as PyTorch reads it.
type wanted struct {
	Type   string
	Shape  []int
	Values []string
}

// written are the files that PyTorch wrote, by testdata/make.py, and what is in them.
func written(t testing.TB) map[string]map[string]wanted {
	t.Helper()
	text, err := os.ReadFile("testdata/wanted.json")
	if err != nil {
		t.Fatal(err)
	}
	var files map[string]map[string]wanted
	if err := json.Unmarshal(text, &files); err != nil {
		t.Fatal(err)
	}
	return files
}

func fixture(name string) string { return filepath.Join("testdata", name) }

func mustRead(t testing.TB, path string) *File {
	t.Helper()
	f, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// truth writes Python's booleans as numbers.
var truth = strings.NewReplacer("True", "1", "False", "0")

// same fails unless the tensors are those wanted, to the bit.
func same(t *testing.T, f *File, want map[string]wanted) {
	t.Helper()
	if len(f.Tensors) != len(want) {
		t.Errorf("%s: %d tensors, want %d", f.Path, len(f.Tensors), len(want))
	}
	for _, tensor := range f.Tensors {
		w, ok := want[tensor.Name]
		if !ok || tensor.Type != w.Type || !slices.Equal(tensor.Shape, w.Shape) {
			t.Errorf("%s: tensor %s is %s %v, want %s %v", f.Path, tensor.Name, tensor.Type, tensor.Shape, w.Type, w.Shape)
			continue
		}
		got, err := tensor.Values().Float64s()
		if err != nil && tensor.Name != "large" {
			t.Error(err)
		}
		for i, v := range got {
			if number, err := strconv.ParseFloat(truth.Replace(w.Values[i]), 64); err != nil || v != number {
				t.Errorf("%s: %s[%d] is %v, want %s (%v)", f.Path, tensor.Name, i, v, w.Values[i], err)
			}
		}
	}
}

func TestReadWhatPyTorchWrote(t *testing.T) {
	for name, want := range written(t) {
		f := mustRead(t, fixture(name+".pth"))
		same(t, f, want)
		if f.Legacy != (name == "legacy") {
			t.Errorf("%s: legacy %t", name, f.Legacy)
		}
	}
}

// Integers beyond float64 keep their bits.
func TestLargeIntegers(t *testing.T) {
	f := mustRead(t, fixture("types.pth"))
	at := slices.IndexFunc(f.Tensors, func(t Tensor) bool { return t.Name == "int64" })
	if v, err := safetensors.Values[int64](f.Tensors[at].Values()); err != nil || !slices.Equal(v, []int64{0, 1, -128, 127}) {
		t.Errorf("int64: %v, %v", v, err)
	}
	at = slices.IndexFunc(f.Tensors, func(t Tensor) bool { return t.Name == "large" })
	if v, err := safetensors.Values[int64](f.Tensors[at].Values()); err != nil || !slices.Equal(v, []int64{1<<62 + 1, -1 << 63}) {
		t.Errorf("large: %v, %v", v, err)
	}
}

func TestScalars(t *testing.T) {
	for _, name := range []string{"nested.pth", "protocol4.pth"} {
		got := fmt.Sprint(mustRead(t, fixture(name)).Scalars)
		if want := "[{shape.0 2} {shape.1 1} {history.0 0.5} {history.1 0.25} {note né} {pair.0 1} {7 true}]"; got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	got := fmt.Sprint(mustRead(t, fixture("checkpoint.pth")).Scalars)
	for _, want := range []string{"{epoch 3}", "{lr_scheduler.milestones.60 1}", "{optimizer.param_groups.0.weight_decay 0.0001}"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
}

// entry is a record of a zip archive.
type entry struct {
	name, content string
	method        uint16
}

// unzip returns the records of a file that PyTorch wrote.
func unzip(t testing.TB, name string) []entry {
	t.Helper()
	r, err := zip.OpenReader(fixture(name))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var entries []entry
	for _, f := range r.File {
		opened, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		var content bytes.Buffer
		if _, err := content.ReadFrom(opened); err != nil {
			t.Fatal(err)
		}
		entries = append(entries, entry{f.Name, content.String(), zip.Store})
	}
	return entries
}

// zipped is the opposite of unzip.
func zipped(t testing.TB, entries []entry) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, e := range entries {
		w, err := z.CreateHeader(&zip.FileHeader{Name: e.name, Method: e.method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(e.content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A file of a big-endian machine has the same values.
func TestBigEndian(t *testing.T) {
	sizes := map[string]int{"float64": 8, "large": 8, "int64": 8, "float32": 4, "int32": 4, "float16": 2, "bfloat16": 2, "int16": 2, "int8": 1, "uint8": 1, "bool": 1}
	entries := unzip(t, "types.pth")
	for i, tensor := range mustRead(t, fixture("types.pth")).Tensors { // storage i belongs to tensor i
		at := slices.IndexFunc(entries, func(e entry) bool { return e.name == fmt.Sprintf("types/data/%d", i) })
		content := []byte(entries[at].content)
		for number := range slices.Chunk(content, sizes[tensor.Name]) {
			slices.Reverse(number)
		}
		entries[at].content = string(content)
	}
	for _, c := range []struct{ says, err string }{{"big", ""}, {"middle", `byteorder says "middle"`}} {
		f, err := Decode(zipped(t, append(slices.Clone(entries), entry{"types/byteorder", c.says, zip.Store})))
		if c.err != "" {
			says(t, err, c.err)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		same(t, f, written(t)["types"])
	}
}

func says(t *testing.T, err error, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("error %v, want one that says %q", err, text)
		}
	}
}

// Every error names the file.
func TestReadErrorsNameTheFile(t *testing.T) {
	folder := t.TempDir()
	_, err := Read(folder)
	says(t, err, folder, "not a regular file")
	_, err = Read(filepath.Join(folder, "missing.pth"))
	says(t, err, "missing.pth")
	path := filepath.Join(folder, "text.pth")
	if err := os.WriteFile(path, []byte("epoch,loss\n1,2.5\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	_, err = Read(path)
	says(t, err, path, "not a file of torch.save")
}
