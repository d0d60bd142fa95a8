package statedict

import (
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"sdref/internal/random"
	"sdref/sdnet"
	"sdref/tensor"
	"sdref/tensor/safetensors"
	"sdref/tensor/torchfile"
)

const python = "/usr/bin/python3" // Debian's, to which python3-torch belongs

// small is the specification of a narrow network of each kind made narrower still, with distinct widths.
func small(t testing.TB, network string) sdnet.Spec {
	t.Helper()
	s, err := sdnet.Lookup(network, "cifar10")
	if err != nil {
		t.Fatal(err)
	}
	s.Blocks, s.Widths = []int{1, 2, 1}, []int{4, 6, 10}
	s.Data.Image, s.Data.Classes = 12, 5
	return s
}

// stirred is a network whose weights and buffers are all away from what Initialize leaves.
func stirred[T tensor.Float](t testing.TB, s sdnet.Spec) *sdnet.Network[T] {
	t.Helper()
	net, err := sdnet.New[T](s)
	if err != nil {
		t.Fatal(err)
	}
	net.Initialize(1)
	streams := random.New(2)
	for _, state := range net.State() {
		stream := streams.Sub(state.Name)
		for i := range state.Data {
			state.Data[i] = T(float64(state.Data[i])*(1+stream.Unit(uint64(2*i))/4) + stream.Unit(uint64(2*i+1))/32)
		}
	}
	return net
}

// job is a line of testdata/network.py.
type job struct {
	Shape      map[string]any `json:"shape"`
	Images     string         `json:"images"`
	Logits     string         `json:"logits"`
	State      string         `json:"state,omitempty"`
	Checkpoint string         `json:"checkpoint,omitempty"`
	Legacy     bool           `json:"legacy"`
}

var kinds = []string{"resnet8_narrow", "sdnet8_narrow", "sdnet8_all_narrow", "sdnet8_all_narrow_noshortcut"}

// TestPyTorchAgrees gives networks of each kind to PyTorch and takes others from it; the logits are the same.
func TestPyTorchAgrees(t *testing.T) {
	if testing.Short() {
		t.Skip("starts Python")
	}
	if out, err := exec.Command(python, "-c", "import torch").CombinedOutput(); err != nil {
		t.Skipf("no PyTorch: %v %s", err, out)
	}
	folder := t.TempDir()
	in := func(name string) string { return filepath.Join(folder, name) }
	images := tensor.New[float64](3, 3, 12, 12)
	tensor.FillUniform(images, 3, 2, 0)
	if err := torchfile.Write(in("images.pth"), []safetensors.Tensor{safetensors.New("images", images.Shape, images.Data)}); err != nil {
		t.Fatal(err)
	}
	var jobs []job
	for i, kind := range kinds {
		s := small(t, kind)
		shape := map[string]any{"blocks": s.Blocks, "widths": s.Widths, "classes": s.Data.Classes, "csc_stem": s.CSCStem, "csc_blocks": s.CSCBlocks, "plain": s.Plain}
		given := stirred[float32](t, s).Evaluable()
		if err := torchfile.Write(in(kind+"-given.pth"), Export(given, 7)); err != nil {
			t.Fatal(err)
		}
		jobs = append(jobs,
			job{Shape: shape, Images: in("images.pth"), Logits: in(kind + "-given-logits.pth"), State: in(kind + "-given.pth")},
			job{Shape: shape, Images: in("images.pth"), Logits: in(kind + "-taken-logits.pth"), Checkpoint: in(kind + "-taken.pth.tar"), Legacy: i%2 == 0})
	}
	text, err := json.Marshal(jobs)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(in("jobs.json"), text, 0o666); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(python, filepath.Join("testdata", "network.py"), in("jobs.json")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, kind := range kinds {
		agrees(t, kind+" given, float32", stirred[float32](t, small(t, kind)).Evaluable(), images, in(kind+"-given-logits.pth"), 1e-5)
		taken(t, kind, in(kind+"-taken.pth.tar"), images, in(kind+"-taken-logits.pth"))
	}
}

// taken reads the checkpoint that PyTorch wrote.
func taken(t *testing.T, kind, path string, images *tensor.Tensor[float64], logits string) {
	d, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	m, err := d.Compare(small(t, kind), "state_dict.")
	if err != nil || !m.Fits() {
		t.Fatalf("%s: %v, %v", kind, m.Differences, err)
	}
	if m.Type() != "float32" || m.Batches() != 2 || m.Elsewhere == 0 {
		t.Errorf("%s: type %s, %d batches, %d tensors elsewhere", kind, m.Type(), m.Batches(), m.Elsewhere)
	}
	wide, err := Fill[float64](m)
	if err != nil {
		t.Fatal(err)
	}
	agrees(t, kind+" taken, float64", wide, images, logits, 1e-11)
	narrow, err := Fill[float32](m)
	if err != nil {
		t.Fatal(err)
	}
	agrees(t, kind+" taken, float32", narrow, images, logits, 1e-5)
	// PyTorch found the step sizes by 300 rounds of power iteration from another vector.
	for _, c := range Complete(wide, m, nil) {
		if math.Abs(c.Step-c.FileStep) > 0.02*c.Step {
			t.Errorf("%s %s: %+v", kind, c.Layer, c)
		}
	}
	agrees(t, kind+" completed", wide, images, logits, 1e-11) // the file's step sizes are kept
	agrees(t, kind+" evaluable", wide.Evaluable(), images, logits, 1e-5)
}

// agrees compares a network's logits with PyTorch's, as a share of the largest.
func agrees[T tensor.Float](t *testing.T, name string, net *sdnet.Network[T], images *tensor.Tensor[float64], logits string, bound float64) {
	t.Helper()
	f, err := torchfile.Read(logits)
	if err != nil {
		t.Fatal(err)
	}
	want, err := f.Tensors[0].Values().Float64s()
	if err != nil {
		t.Fatal(err)
	}
	got := sdnet.NewPredictor(net).Logits(tensor.Convert[T](images))
	worst, largest := 0.0, 0.0
	for i, w := range want {
		worst, largest = max(worst, math.Abs(float64(got.Data[i])-w)), max(largest, math.Abs(w))
	}
	if len(want) != got.Len() || !(worst <= bound*largest) {
		t.Errorf("%s: logits differ by %.3g of %.3g", name, worst, largest)
	}
}
