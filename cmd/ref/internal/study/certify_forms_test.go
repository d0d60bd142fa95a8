package study

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"sdref/cmd/ref/internal/cli"
	"sdref/cmd/ref/internal/cli/clitest"
	"sdref/tensor/npy"
	"sdref/tensor/safetensors"
)

// The same code in each form of a file is the same problem: of the values 1, 2, -3 and 4 as atoms of two vectors.
func TestCertifyForms(t *testing.T) {
	dir := t.TempDir()
	put := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		clitest.Put(t, path, content)
		return path
	}
	array := func(dtype string, shape []int, values ...float64) []byte {
		return npy.Encode(npy.Array{Shape: shape, DType: dtype, Data: values})
	}
	x := put("x.npy", array("float64", []int{1, 2}, 1, 2))
	z := put("z.npy", array("float64", []int{1, 2}, 0.5, 0.25))
	plain := array("float64", []int{2, 2}, 1, 2, -3, 4)
	header := func(descr, order string) string {
		return fmt.Sprintf("{'descr': '%s', 'fortran_order': %s, 'shape': (2, 2), }", descr, order)
	}
	npyFile := func(version byte, header string, values []byte) []byte {
		length := binary.LittleEndian.AppendUint32(nil, uint32(len(header)))
		if version == 1 {
			length = length[:2]
		}
		return append([]byte("\x93NUMPY"+string([]byte{version, 0})+string(length)+header), values...)
	}
	big := []byte{}
	for _, v := range []float64{1, 2, -3, 4} {
		big = binary.BigEndian.AppendUint64(big, math.Float64bits(v))
	}
	var archive bytes.Buffer
	a := zip.NewWriter(&archive)
	for name, content := range map[string][]byte{"w.npy": plain, "other.npy": array("float32", []int{1}, 0)} {
		w, err := a.Create(name)
		if err == nil {
			_, err = w.Write(content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	tensors := func(dtype, values string) []byte {
		header := fmt.Sprintf(`{"w":{"dtype":%q,"shape":[2,2],"data_offsets":[0,%d]}}`, dtype, len(values))
		return append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header+values...)
	}
	for name, content := range map[string][]byte{
		"plain.npy": plain, "int8.npy": array("int8", []int{2, 2}, 1, 2, -3, 4), "int32.npy": array("int32", []int{2, 2}, 1, 2, -3, 4),
		"half.npy": array("float16", []int{2, 2}, 1, 2, -3, 4), "big.npy": npyFile(1, header(">f8", "False"), big), "version2.npy": npyFile(2, header(">f8", "False"), big),
		"version3.npy": npyFile(3, header(">f8", "False"), big), "fortran.npy": npyFile(1, header("|i1", "True"), []byte{1, 253, 2, 4}),
		"w.npz": archive.Bytes(), "noending": plain,
		"f16.safetensors": tensors("F16", "\x00\x3c\x00\x40\x00\xc2\x00\x44"), "bf16.safetensors": tensors("BF16", "\x80\x3f\x00\x40\x40\xc0\x80\x40"),
		"i8.st": tensors("I8", "\x01\x02\xfd\x04"), "i32.safetensors": tensors("I32", "\x01\x00\x00\x00\x02\x00\x00\x00\xfd\xff\xff\xff\x04\x00\x00\x00"),
	} {
		ref.Works(t, []string{"certify", "-x", x, "-z", z, "-w", put(name, content), "-lambda", "0.1"}, "objective F(z)     0.85625\n")
	}
	for name, c := range map[string]struct {
		content []byte
		says    string
	}{
		"large.npy": {npyFile(1, header("<u8", "False"), bytes.Repeat([]byte{255}, 32)), "beyond 2^53"}, "large.safetensors": {tensors("U64", strings.Repeat("\xff", 32)), "float64 cannot hold"},
		"complex.npy": {npyFile(1, header("<c16", "False"), nil), "complex numbers"}, "page.npy": {[]byte("<html></html>"), "a web page"}, "empty.npy": {nil, "an empty file"},
		"text.safetensors": {[]byte("a text"), "a text"}, "other.npz": {bytes.ReplaceAll(archive.Bytes(), []byte("w.npy"), []byte("v.npy")), `no array "w" among "other", "v"`},
	} {
		ref.Call(t, "certify", "-x", x, "-z", z, "-w", put(name, c.content), "-lambda", "0.1").Refused(t, "-w", name, c.says)
	}
	ref.Call(t, "certify", "-x", x, "-z", z, "-w", dir, "-lambda", "0.1").Refused(t, "-w", "a folder")
	ref.Call(t, "certify", "-x", x, "-z", z, "-w", put("w.npy", plain), "-lambda", "0.1", "-json", x).Refused(t, "-json", x, "the file that is read")
}

// A code that solves the normal equations is proven to, and one that does not is not.
func TestCertifyLeastSquares(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, shape []int, values ...float64) string {
		path := filepath.Join(dir, name)
		if err := safetensors.Write(path, &safetensors.File{Tensors: []safetensors.Tensor{safetensors.New(name, shape, values)}}); err != nil {
			t.Fatal(err)
		}
		return path
	}
	args := []string{"certify", "-x", file("x", []int{1, 3}, 2, 2, 3), "-w", file("w", []int{2, 3}, 1, 1, 0, 0, 1, 1), "-lambda", "0", "-tolerance", "1e-12", "-z"}
	ref.Works(t, append(args, file("z", []int{1, 2}, 1, 2)), "objective F(z)     1.5\n", "gap                0\n")
	if r := ref.Call(t, append(args, file("z", []int{1, 2}, 1, 2.001))...); r.Status != cli.ExitFailed || !strings.Contains(r.Out, "gap                1e-06\n") {
		t.Errorf("a code beside it: status %d, %s", r.Status, r.Out)
	}
}
