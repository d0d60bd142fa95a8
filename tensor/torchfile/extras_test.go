package torchfile

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sdref/tensor/safetensors"
)

// extras are the files that testdata/extras.py wrote, and what must be in them.
func extras(t testing.TB) map[string]map[string]wanted {
	t.Helper()
	text, err := os.ReadFile("testdata/extras/wanted.json")
	if err != nil {
		t.Fatal(err)
	}
	var files map[string]map[string]wanted
	if err := json.Unmarshal(text, &files); err != nil || len(files) < 30 {
		t.Fatal(len(files), err)
	}
	return files
}

// Files of every protocol: archives, old files, pickles alone, networks saved whole, arrays of NumPy's, and
// weights beside everything that is found beside weights.
func TestExtras(t *testing.T) {
	for name, want := range extras(t) {
		f := mustRead(t, filepath.Join("testdata", "extras", name))
		if strings.HasPrefix(name, "beside") {
			f.Tensors = slices.DeleteFunc(f.Tensors, func(t Tensor) bool { return !strings.HasPrefix(t.Name, "state_dict.") })
		}
		same(t, f, want)
		if f.Legacy != strings.HasPrefix(name, "legacy") || f.Pickle != strings.HasPrefix(name, "raw") {
			t.Errorf("%s: legacy %t, pickle %t", name, f.Legacy, f.Pickle)
		}
	}
}

// What lies beside the weights is listed by name, with its class, or with its value where it is a number or a
// string.
func TestWhatIsBeside(t *testing.T) {
	for _, name := range []string{"beside0.pth", "beside2.pth", "beside4.pth"} {
		f := mustRead(t, filepath.Join("testdata", "extras", name))
		list := fmt.Sprint(f.Scalars, f.Objects)
		for _, want := range []string{
			"{best 93.5}", "{seen 7}", "{good true}", "{args.lr 0.1}", "{device cuda:0}", "{counts.a.0 3}", "{names.0 a}", "{frozen.0 2}",
			"{large 1208925819614629174706176}", "{points.x 2}", "{tuple.0 1}", "{tuple.1.0 2}", "{0.5 6}", "{optimizer.param_groups.0.lr 0.1}",
			"{args argparse.Namespace}", "{args.out pathlib.PurePosixPath}", "{dtype torch.float32}", "{when datetime.datetime}",
			"{generator.1 625 numbers or strings}", "{optimizer torch.optim.sgd.SGD}", "{sparse torch._utils._rebuild_sparse_tensor}",
			".complex}", "{bytes 2 bytes}", "{bytearray 2 bytes}", ".len}", "{objects an array of NumPy's of type O8}",
			"{structure an array of NumPy's of type structure}", "{numpy_dtype numpy.dtype i4}", "{text an array of NumPy's of type U4}",
			"{surrogate caf",
		} {
			if !strings.Contains(list, want) {
				t.Errorf("%s: no %q in %s", name, want, list)
			}
		}
		for _, tensor := range f.Tensors {
			if strings.HasPrefix(tensor.Name, "sparse") {
				t.Errorf("%s: tensor %s", name, tensor.Name)
			}
		}
	}
	whole := mustRead(t, filepath.Join("testdata", "extras", "whole2.pth"))
	list := fmt.Sprint(whole.Objects)
	for _, want := range []string{"{ models.Net}", "{state_dict torch.nn.modules.linear.Linear}", "{state_dict.parent what holds itself", "{hook __builtin__.len}"} {
		if !strings.Contains(list, want) {
			t.Errorf("no %q in %s", want, list)
		}
	}
}

// PyTorch's own: a module saved whole gives its parameters, and a sparse tensor is listed.
func TestPyTorchsObjects(t *testing.T) {
	f := mustRead(t, fixture("module.pth"))
	if len(f.Tensors) != 2 || f.Tensors[0].Name != "weight" || f.Tensors[1].Name != "bias" || f.Objects[0].What != "torch.nn.modules.linear.Linear" {
		t.Errorf("module: %+v", f)
	}
	f = mustRead(t, fixture("sparse.pth"))
	if len(f.Tensors) != 0 || fmt.Sprint(f.Objects) != "[{ torch._utils._rebuild_sparse_tensor}]" {
		t.Errorf("sparse: %+v", f)
	}
}

// A part of a storage, as old files refer to one, and tensors of untyped bytes, as new ones have them.
func TestParts(t *testing.T) {
	old, err := os.ReadFile(filepath.Join("testdata", "extras", "legacy2.pth"))
	if err != nil {
		t.Fatal(err)
	}
	file := strings.Replace(string(old), "K\x04tq\bQ", "K\x04(X\x01\x00\x00\x00pK\x01K\x03ttq\bQ", 1)
	if file == string(old) {
		t.Fatalf("nothing replaced in %q", old)
	}
	if _, err := Decode([]byte(file)); err == nil || !strings.Contains(err.Error(), "beyond its storage of 3 elements") {
		t.Errorf("four elements of a part of three: %v", err)
	}
	file = strings.Replace(file, "K\x02K\x02\x86q\tK\x02K\x01\x86q\n", "K\x03\x85q\tK\x01\x85q\n", 1)
	f, err := Decode([]byte(file))
	if err != nil {
		t.Fatal(err)
	}
	if v, err := f.Tensors[0].Values().Float64s(); err != nil || !slices.Equal(v, []float64{-2, 0.25, 8}) {
		t.Errorf("%v, %v", v, err)
	}
	typed := func(dtype string, elements string) string {
		return "\x80\x02ctorch._utils\n_rebuild_tensor_v3\n((X\x07\x00\x00\x00storagectorch.storage\nUntypedStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x08tQ" +
			"K\x00K" + elements + "\x85K\x01\x85\x89}ctorch\n" + dtype + "\ntR."
	}
	for dtype, c := range map[string]struct {
		elements string
		want     []float64
	}{
		"uint16": {"\x02", []float64{0x3c00, 0x4000}}, "uint64": {"\x01", []float64{0x400000003c00}}, "float16": {"\x02", []float64{1, 2}},
		"float8_e5m2": {"\x02", []float64{0, 1}}, "float8_e4m3fn": {"\x02", []float64{0, 1.5}}, "uint32": {"\x02", []float64{0x40003c00, 0x4000}},
	} {
		data := "\x00\x3c\x00\x40\x00\x00\x00\x00"
		if dtype == "uint64" {
			data = "\x00\x3c\x00\x00\x00\x40\x00\x00"
		}
		if dtype == "uint32" {
			data = "\x00\x3c\x00\x40\x00\x40\x00\x00"
		}
		f, err := Decode(zipped(t, []entry{{"a/data.pkl", typed(dtype, c.elements), 0}, {"a/data/0", data, 0}}))
		if err != nil {
			t.Errorf("%s: %v", dtype, err)
			continue
		}
		if v, err := f.Tensors[0].Values().Float64s(); err != nil || !slices.Equal(v, c.want) || f.Tensors[0].Type != dtype {
			t.Errorf("%s: %v, %v", dtype, v, err)
		}
	}
	if _, err := Decode(zipped(t, []entry{{"a/data.pkl", typed("uint64", "\x02"), 0}, {"a/data/0", "12345678", 0}})); err == nil {
		t.Error("two numbers of eight bytes in eight")
	}
	f, err = Decode(zipped(t, []entry{{"a/data.pkl", typed("float3", "\x02"), 0}, {"a/data/0", "12345678", 0}}))
	if err != nil || len(f.Tensors) != 0 || f.Objects[0].What != "a tensor of torch.float3" {
		t.Errorf("an unknown type: %+v, %v", f, err)
	}
}

// A bit that is flipped anywhere in a record that is read is noticed.
func TestFlippedBits(t *testing.T) {
	whole, err := os.ReadFile(filepath.Join("testdata", "extras", "zip2.pth"))
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(whole, []byte("\x80\x02")) // the pickle
	end := at + bytes.Index(whole[at:], []byte("PK"))
	for i := at; i < end; i++ {
		flipped := slices.Clone(whole)
		flipped[i] ^= 4
		_, err := Decode(flipped)
		says(t, err, "data.pkl", "checksum")
	}
}

// A user who stops the program is not kept waiting.
func TestReadUntilStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, name := range []string{"zip2.pth", "legacy2.pth", "raw2.pkl"} {
		if _, err := ReadContext(ctx, filepath.Join("testdata", "extras", name)); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// stopping is a file whose reader is stopped after it has been asked so many times whether it goes on.
type stopping struct {
	*bytes.Reader
	left *int
}

func (s stopping) ReadAt(p []byte, at int64) (int, error) {
	if len(p) == 0 {
		*s.left--
	}
	if *s.left < 0 {
		return 0, context.Canceled
	}
	return s.Reader.ReadAt(p, at)
}

// A pickle that has been read whole for its checksum is not run to its end either.
func TestDecodingIsStopped(t *testing.T) {
	file := zipped(t, []entry{{"a/data.pkl", "(" + strings.Repeat("N0", 1<<19) + "t.", 0}})
	for _, stopped := range []bool{false, true} {
		left := 1 << 30
		if stopped {
			left = 20
		}
		_, err := decode(stopping{bytes.NewReader(file), &left}, int64(len(file)))
		if errors.Is(err, context.Canceled) != stopped {
			t.Errorf("to be stopped: %t; %v", stopped, err)
		}
	}
}

// A safetensors file whose header's length begins like a pickle is none.
func TestIs(t *testing.T) {
	for beginning, want := range map[string]bool{
		"\x80\x02}q\x00.": true, "\x80\x02\x00\x00\x00\x00\x00\x00{\"a\"": false, "(dp0\n.": true, "PK\x03\x04": true, "<html>": false, "": false,
	} {
		if got := Is([]byte(beginning)); got != want {
			t.Errorf("%q: %t", beginning, got)
		}
	}
	if _, err := safetensors.Decode([]byte("\x02\x00\x00\x00\x00\x00\x00\x00{}")); err != nil {
		t.Error(err)
	}
}

// What only an attack has use for is refused by its name, whatever the instruction.
func TestAttacksAreNamed(t *testing.T) {
	for program, name := range map[string]string{
		"cos\nsystem\n(S'ls'\ntR.": "os.system", "(ios\nsystem\n.": "os.system", "(cos\nsystem\nN)o.": "os.system", "\x8c\x05posix\x8c\x06system\x93.": "posix.system",
		"c__builtin__\neval\n.": "__builtin__.eval", "cbuiltins\nexec\n.": "builtins.exec", "csubprocess\nPopen\n.": "subprocess.Popen", "cos\nexecv.x\n.": "os.execv.x",
	} {
		_, err := Decode(zipped(t, []entry{{"a/data.pkl", program, 0}}))
		says(t, err, fmt.Sprintf("%q, which is not allowed", name))
	}
	for _, program := range []string{"cbuiltins\ngetattr\n(NX\x01\x00\x00\x00atR.", "cos\nstat_result\n(NtR.", "cbuiltins\nevaluate\n."} {
		if _, err := Decode(zipped(t, []entry{{"a/data.pkl", program, 0}})); err != nil {
			t.Errorf("%q: %v", program, err)
		}
	}
}
