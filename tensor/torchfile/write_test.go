package torchfile

import (
	"bytes"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sdref/tensor/safetensors"
)

const python = "/usr/bin/python3" // Debian's, to which python3-torch belongs

// sample are tensors of all types and of unusual shapes.
func sample() []safetensors.Tensor {
	return []safetensors.Tensor{
		safetensors.New("layer0.0.dn.weight", []int{2, 1, 3}, []float32{1, -2, 0.5, float32(math.Inf(1)), 1e-45, -0.1}),
		safetensors.New("layer0.0.dn.step_size", nil, []float32{0.25}),
		safetensors.New("double", []int{2}, []float64{math.Pi, -1e300}),
		safetensors.New("num_batches_tracked", nil, []int64{1 << 40}),
		safetensors.New("empty", []int{0, 3}, []float32{}),
		safetensors.New("né", []int{1}, []int64{-1}),
	}
}

// What is written is read as it was, and the same bytes come out each time.
func TestWriteThenRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.pth")
	if err := Write(path, sample()); err != nil {
		t.Fatal(err)
	}
	f := mustRead(t, path)
	if len(f.Tensors) != len(sample()) {
		t.Fatalf("%d tensors", len(f.Tensors))
	}
	var want, got bytes.Buffer
	if err := safetensors.Encode(&want, &safetensors.File{Tensors: sample()}); err != nil {
		t.Fatal(err)
	}
	var back []safetensors.Tensor
	for _, tensor := range f.Tensors {
		back = append(back, tensor.Values())
	}
	if err := safetensors.Encode(&got, &safetensors.File{Tensors: back}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want.Bytes()) {
		t.Errorf("read %v, wrote %v", back, sample())
	}
	var again bytes.Buffer
	if err := Encode(&again, sample()); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(path); err != nil || !bytes.Equal(text, again.Bytes()) {
		t.Errorf("other bytes the second time, %v", err)
	}
}

// PyTorch reads what is written, weights only, and writes what is read: in its formats, and as numbers of
// other types.
func TestPyTorchReadsIt(t *testing.T) {
	if testing.Short() {
		t.Skip("loads PyTorch twice")
	}
	if out, err := exec.Command(python, "-c", "import torch").CombinedOutput(); err != nil {
		t.Skipf("no PyTorch: %v %s", err, out)
	}
	folder := t.TempDir()
	if err := Write(filepath.Join(folder, "ours.pth"), sample()); err != nil {
		t.Fatal(err)
	}
	const script = `
import collections, torch
state = torch.load('ours.pth', weights_only=True)
assert type(state) is collections.OrderedDict, type(state)
for name, t in state.items():
    print(name, str(t.dtype)[6:], list(t.shape), t.reshape(-1).tolist(), t.is_contiguous(), t.requires_grad)
torch.save(state, 'theirs.pth')
torch.save(state, 'legacy.pth', _use_new_zipfile_serialization=False)
`
	command := exec.Command(python, "-c", script)
	command.Dir = folder
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	want := []string{
		"layer0.0.dn.weight float32 [2, 1, 3] [1.0, -2.0, 0.5, inf, 1.401298464324817e-45, -0.10000000149011612] True False",
		"layer0.0.dn.step_size float32 [] [0.25] True False",
		"double float64 [2] [3.141592653589793, -1e+300] True False",
		"num_batches_tracked int64 [] [1099511627776] True False",
		"empty float32 [0, 3] [] True False",
		"né int64 [1] [-1] True False",
	}
	if got := strings.Split(strings.TrimSpace(string(out)), "\n"); !slices.Equal(got, want) {
		t.Errorf("PyTorch read\n%s", out)
	}
	for _, name := range []string{"theirs.pth", "legacy.pth"} {
		var rewritten bytes.Buffer
		var back []safetensors.Tensor
		for _, tensor := range mustRead(t, filepath.Join(folder, name)).Tensors {
			back = append(back, tensor.Values())
		}
		if err := Encode(&rewritten, back); err != nil {
			t.Fatal(err)
		}
		if ours, err := os.ReadFile(filepath.Join(folder, "ours.pth")); err != nil || !bytes.Equal(ours, rewritten.Bytes()) {
			t.Errorf("%s holds something else than what PyTorch was given, %v", name, err)
		}
	}
}

func TestEncodePanics(t *testing.T) {
	defer func() {
		if r, ok := recover().(*MisuseError); !ok || !strings.Contains(r.Message, `two tensors "double"`) {
			t.Errorf("panic %v", r)
		}
	}()
	var b bytes.Buffer
	_ = Encode(&b, append(sample(), safetensors.New("double", []int{1}, []float32{1})))
}
