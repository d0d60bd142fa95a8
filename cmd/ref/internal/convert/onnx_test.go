package convert

import (
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sdref/cmd/ref/internal/cli"
	"sdref/cmd/ref/internal/cli/clitest"
	"sdref/csc"
	"sdref/sdnet"
	"sdref/sdnet/training"
	"sdref/tensor"
	"sdref/tensor/npy"
)

// logitsError is the most that ONNX Runtime's logits may be off, as a share of the largest logit: four times
// the worst of all networks that TestNetworksONNX has measured, which is float32's own rounding in networks
// of up to 34 layers.
const logitsError = 4e-6

// network returns a network with weights that make every part of it count, in float32 and the same numbers in
// float64.
func network(t *testing.T, s sdnet.Spec) (*sdnet.Network[float32], *sdnet.Network[float64]) {
	t.Helper()
	single, err1 := sdnet.New[float32](s)
	double, err2 := sdnet.New[float64](s)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	roles := s.Graph(sdnet.Options{Images: 1}).State
	for i, p := range single.State() {
		scale, offset := 0.25, 0.0
		switch roles[i].Role {
		case "weight":
			scale = math.Sqrt(3 / float64(p.Len()/p.Shape[0])) // which keeps signals at their size
		case "gamma", "running_var":
			scale, offset = 0.25, 0.75
		case "lambda":
			scale, offset = 0, 0.125
		case "step":
			scale, offset = 0, 1.5
		case "step_size": // the eigenvalues for ImageNet would take a minute
			scale, offset = 0, 0.0625
		}
		tensor.FillUniform(p.Tensor, uint64(i+1), scale, offset)
	}
	single.NormalizeAtoms()
	for i, p := range single.State() {
		copy(double.State()[i].Data, tensor.Convert[float64](p.Tensor).Data)
	}
	return single, double
}

type wide = tensor.Tensor[float64]

// runONNX has ONNX Runtime compute a model's output for one input, as it computes a case for the judge.
func runONNX(t *testing.T, model []byte, input, output string, x *wide) *wide {
	t.Helper()
	command, dir := clitest.ONNXRuntime(t), t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "model"), 0o777); err != nil {
		t.Fatal(err)
	}
	clitest.Put(t, filepath.Join(dir, "model", "model.onnx"), model)
	given := npy.Array{Shape: x.Shape, DType: "float64", Data: x.Data}
	if err := npy.Write(filepath.Join(dir, "x.npy"), given); err != nil {
		t.Fatal(err)
	}
	type file struct {
		Name string `json:"name"`
		File string `json:"file"`
	}
	manifest, err := json.Marshal(map[string]any{"cases": []any{map[string]any{
		"id": "model", "kind": "model", "inputs": []file{{input, "x.npy"}}, "outputs": []file{{output, "y.npy"}}}}})
	if err != nil {
		t.Fatal(err)
	}
	clitest.Put(t, filepath.Join(dir, "manifest.json"), manifest)
	if said, err := exec.Command(command[0], append(command[1:], dir, dir)...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	y, err := npy.Read(filepath.Join(dir, "y.npy"))
	if err != nil {
		t.Fatal(err)
	}
	return tensor.From(y.Data, y.Shape...)
}

// share is the largest difference of two tensors as a share of the largest element of the second.
func share(t *testing.T, got, want *wide) float64 {
	t.Helper()
	tensor.MustMatch("share", got.Shape, want.Shape)
	difference, largest := 0.0, 0.0
	for i, v := range want.Data {
		if !(math.Abs(got.Data[i]-v) <= difference) { // NaN too
			difference = math.Abs(got.Data[i] - v)
		}
		largest = max(largest, math.Abs(v))
	}
	if largest == 0 {
		t.Error("everything is 0")
	}
	return difference / largest
}

// mustMatchONNX compares logits, or a layer's code, by ONNX Runtime with this program's in float64, and
// reports the difference, beside that of this program's own float32.
func mustMatchONNX(t *testing.T, s sdnet.Spec, layer string, images int) {
	t.Helper()
	single, double := network(t, s)
	e, err := modelOf(single, layer)
	if err != nil {
		t.Fatal(err)
	}
	m, err := e.Model()
	if err != nil {
		t.Fatal(err)
	}
	x := tensor.New[float64](append([]int{images}, m.Inputs[0].Shape[1:]...)...)
	tensor.FillUniform(x, 99, 2, 0)
	var want, own *wide
	if layer == "" {
		want = sdnet.NewPredictor(double).Logits(x)
		own = tensor.Convert[float64](sdnet.NewPredictor(single).Logits(tensor.Convert[float32](x)))
	} else {
		for i, l := range double.Layers {
			if l.Name == layer {
				want = csc.Solve(x, l.Weight, l.Step(), l.Current())
				l := single.Layers[i]
				own = tensor.Convert[float64](csc.Solve(tensor.Convert[float32](x), l.Weight, l.Step(), l.Current()))
			}
		}
	}
	got := share(t, runONNX(t, m.Encode(), m.Inputs[0].Name, m.Outputs[0].Name, x), want)
	t.Logf("%s for %s, %d images %s: ONNX Runtime is off by %.2g of the largest, this program's float32 by %.2g",
		s.Name, s.Data.Name, images, layer, got, share(t, own, want))
	if !(got <= logitsError) {
		t.Errorf("more than %g", logitsError)
	}
}

// Every network of ref describe, for small images and for large ones, with another number of images than it
// was written down for. Two networks get images of ImageNet's size; in the others it would show nothing but take a minute.
func TestNetworksONNX(t *testing.T) {
	for _, d := range []struct {
		data   string
		images int
	}{{"cifar10", 3}, {"imagenet", 1}} {
		for _, n := range sdnet.Networks {
			t.Run(d.data+"/"+n.Name, func(t *testing.T) {
				if testing.Short() && (d.data == "imagenet" || !strings.HasSuffix(n.Name, "narrow")) {
					t.Skip("takes a few seconds")
				}
				s, err := sdnet.Lookup(n.Name, d.data)
				if err != nil {
					t.Fatal(err)
				}
				if d.data == "imagenet" && n.Name != "resnet18" && n.Name != "sdnet18_all" {
					s.Data.Image = 96
				}
				mustMatchONNX(t, s, "", d.images)
			})
		}
	}
}

// Networks whose CSC layers have other settings than the published ones.
func TestSettingsONNX(t *testing.T) {
	for name, change := range map[string]func(s *csc.Settings){
		"1 iteration":           func(s *csc.Settings) { s.Iterations = 1 },
		"5 iterations":          func(s *csc.Settings) { s.Iterations = 5 },
		"the paper's variant":   func(s *csc.Settings) { s.Iterations, s.Variant = 5, csc.Paper },
		"signed":                func(s *csc.Settings) { s.Iterations, s.Nonnegative = 3, false },
		"elastic net":           func(s *csc.Settings) { s.Iterations, s.Mu = 3, 0.25 },
		"signed elastic net":    func(s *csc.Settings) { s.Iterations, s.Mu, s.Nonnegative = 4, 0.25, false },
		"learned lambda, step":  func(s *csc.Settings) { s.LearnLambda, s.LearnStep = true, true },
		"the implicit gradient": func(s *csc.Settings) { s.Gradient = csc.Implicit },
	} {
		t.Run(name, func(t *testing.T) {
			s, err := sdnet.Lookup("sdnet8_all_narrow", "shapes")
			if err != nil {
				t.Fatal(err)
			}
			change(&s.CSC)
			mustMatchONNX(t, s, "", 2)
			mustMatchONNX(t, s, "layer2.layers.0.conv1.dn", 3)
		})
	}
}

// The verb: a file that python3-onnx accepts and that gives the logits of ref eval; one layer; and what is
// refused.
func TestExportONNX(t *testing.T) {
	folder := t.TempDir()
	in := func(name string) string { return filepath.Join(folder, name) }
	const slim = "pretrained:sdnet8_slim"
	ref.Works(t, []string{"export", "-checkpoint", slim, "-out", in("slim.onnx")},
		"sdnet8_slim from "+slim+": 41 nodes of ONNX operator set 17, float32, in "+in("slim.onnx"),
		"\nimages (N, 3, 32, 32) -> logits (N, 10)\n")
	ref.Works(t, []string{"export", "-checkpoint", slim, "-out", in("stem.onnx"), "-layer", "layer0.0.dn"},
		"layer0.0.dn of sdnet8_slim", "signal (N, 3, 32, 32) -> code (N, 64, 32, 32)")
	run, _ := trained(t, "-type", "float64", "-stop", "1")
	args := []string{"export", "-checkpoint", cli.CheckpointIn(run), "-out", in("model"), "-format", "onnx"}
	ref.Works(t, args, "images (N, 3, 32, 32)")
	ref.Call(t, args...).Refused(t, "-out", in("model"), "exists", "-overwrite")
	ref.Works(t, append(args, "-overwrite"))
	ref.Works(t, []string{"export", "-checkpoint", slim, "-out", in("weights"), "-format", "safetensors"}, "tensors of float32")
	t.Run("checker", func(t *testing.T) {
		if got := clitest.CheckONNX(t, folder); got != "2 models, 0 tensors" {
			t.Error(got)
		}
	})
	for _, c := range []struct{ args, says []string }{
		{[]string{"-out", in("x.onnx"), "-format", "tflite"}, []string{"-format", `"tflite"`}},
		{[]string{"-out", in("x.onnx"), "-layer", "layer1.0.conv1"}, []string{"-layer", "layer1.0.conv1", `"layer0.0.dn"`}},
		{[]string{"-out", in("x.pth"), "-layer", "layer0.0.dn"}, []string{"-layer", "-format onnx", "pth"}},
		{[]string{"-out", in("x.txt")}, []string{"-out", "x.txt", ".onnx"}},
		{[]string{"-out", filepath.Join(folder, "none", "x.onnx")}, []string{"no such file"}},
	} {
		ref.Call(t, append([]string{"export", "-checkpoint", slim}, c.args...)...).Refused(t, c.says...)
	}
}

// The weights that come with the program, by the verb.
func TestPretrainedONNX(t *testing.T) {
	for _, name := range []string{"sdnet8_slim", "sdnet8_all_slim_noshortcut"} {
		file := filepath.Join(t.TempDir(), "net.onnx")
		ref.Works(t, []string{"export", "-checkpoint", "pretrained:" + name, "-out", file})
		f, err := cli.OpenCheckpoint(&cli.Call{}, "pretrained:"+name)
		if err != nil {
			t.Fatal(err)
		}
		net, _, err := training.LoadNetwork[float64](f)
		if err != nil {
			t.Fatal(err)
		}
		x := tensor.New[float64](16, 3, 32, 32)
		tensor.FillUniform(x, 5, 2, 0)
		logits := runONNX(t, []byte(clitest.Content(t, file)), "images", "logits", x)
		got := share(t, logits, sdnet.NewPredictor(net.Evaluable()).Logits(x))
		t.Logf("%s: ONNX Runtime is off by %.2g of the largest logit", name, got)
		if !(got <= logitsError) {
			t.Errorf("%s: more than %g", name, logitsError)
		}
	}
}

// The script of docs/onnx.md counts the images that ref eval counts.
func TestGuideONNX(t *testing.T) {
	command := clitest.ONNXRuntime(t)
	text := clitest.Content(t, "../../../../docs/onnx.md")
	_, script, found := strings.Cut(text, "```js\n")
	script, _, closed := strings.Cut(script, "```")
	if !found || !closed {
		t.Fatal("docs/onnx.md has no script")
	}
	folder, images := t.TempDir(), clitest.CIFAR10(t)
	clitest.Put(t, filepath.Join(folder, "accuracy.js"), []byte(script))
	const slim = "pretrained:sdnet8_slim"
	r := ref.Works(t, []string{"export", "-checkpoint", slim, "-out", filepath.Join(folder, "slim.onnx")})
	for line := range strings.Lines(r.Out) {
		line = strings.TrimSpace(strings.ReplaceAll(line, filepath.Join(folder, "slim.onnx"), "sdnet8_slim.onnx"))
		if !strings.Contains(text, line) {
			t.Errorf("docs/onnx.md does not have the line %q", line)
		}
	}
	node := exec.Command(command[0], "accuracy.js", "slim.onnx", filepath.Join(images, "test_batch.bin"))
	node.Dir = folder
	node.Env = append(os.Environ(), "NODE_PATH="+filepath.Join(filepath.Dir(command[1]), "node_modules"))
	said, err := node.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	top1, _, _ := strings.Cut(string(said), " of 4 images")
	ref.Works(t, []string{"eval", "-checkpoint", slim, "-data", images}, "CIFAR-10 test: "+top1+",")
}
