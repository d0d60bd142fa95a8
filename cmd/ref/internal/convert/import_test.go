package convert

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sdref/cmd/ref/internal/cli"
	"sdref/cmd/ref/internal/cli/clitest"
	"sdref/sdnet/training"
	"sdref/tensor/safetensors"
	"sdref/tensor/torchfile"
)

// trained returns the folder of a short run and of the images that it was made on.
func trained(t *testing.T, more ...string) (run, data string) {
	t.Helper()
	data, run = clitest.CIFAR10(t), t.TempDir()
	ref.Works(t, clitest.Short(data, run, more...))
	return run, data
}

// state returns the tensors of a checkpoint that are the network's.
func state(t *testing.T, path string) map[string]safetensors.Tensor {
	t.Helper()
	f, err := safetensors.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	tensors := map[string]safetensors.Tensor{}
	for _, tensor := range f.Tensors {
		if !strings.HasPrefix(tensor.Name, "velocity/") {
			tensors[tensor.Name] = tensor
		}
	}
	return tensors
}

// A run that goes out and comes back is the same network, whatever the format and the type; only power iteration goes on.
func TestExportThenImport(t *testing.T) {
	for _, c := range []struct{ net, typ, ending string }{
		{"sdnet8_narrow", "float32", ".pth"}, {"resnet8_narrow", "float64", ".pth.tar"}, {"sdnet8_all_narrow", "float64", ".safetensors"},
	} {
		if testing.Short() && c.net != "sdnet8_narrow" {
			continue
		}
		run, data := trained(t, "-net", c.net, "-type", c.typ)
		out, back := filepath.Join(t.TempDir(), "weights"+c.ending), filepath.Join(t.TempDir(), "back.safetensors")
		ref.Works(t, []string{"export", "-checkpoint", cli.CheckpointIn(run), "-out", out}, c.net, c.typ, out)
		r := ref.Works(t, []string{"import", "-from", out, "-out", back}, c.net+" for cifar10", "left aside: ", "checkpoint: "+back)
		if got := strings.Count(r.Out, "computed: "); (got > 0) != strings.HasPrefix(c.net, "sdnet") {
			t.Errorf("%s: %d layers computed:\n%s", c.net, got, r.Out)
		}
		want := state(t, cli.CheckpointIn(run))
		for name, tensor := range state(t, back) {
			got, err1 := tensor.Float64s()
			given, err2 := want[name].Float64s()
			if err1 != nil || err2 != nil || tensor.DType() != want[name].DType() || !strings.HasSuffix(name, ".v0") && !slices.Equal(got, given) {
				t.Errorf("%s: %s has come back changed: %v, %v", c.net, name, err1, err2)
			}
			delete(want, name)
		}
		if len(want) > 0 {
			t.Errorf("%s: not back: %v", c.net, want)
		}
		before, after := ref.Works(t, []string{"eval", "-checkpoint", cli.CheckpointIn(run), "-data", data}), ref.Works(t, []string{"eval", "-checkpoint", back, "-data", data})
		if got, want := after.Line(t, "CIFAR-10 test"), before.Line(t, "CIFAR-10 test"); got != want {
			t.Errorf("%s: before %safter %s", c.net, want, got)
		}
		ref.Call(t, "import", "-from", back, "-out", back+"2").Refused(t, "-from", "a checkpoint of this program already")
		ref.Call(t, "train", "-resume", filepath.Dir(back)).Refused(t)
	}
}

// The checkpoint says where it comes from, which settings it has, and how many steps were made.
func TestImportSettings(t *testing.T) {
	run, _ := trained(t)
	folder := t.TempDir()
	out, back := filepath.Join(folder, "weights.pth"), filepath.Join(folder, "back.safetensors")
	ref.Works(t, []string{"export", "-checkpoint", cli.CheckpointIn(run), "-out", out})
	ref.Works(t, []string{"import", "-from", out, "-out", back, "-net", "sdnet8_narrow", "-data", "shapes", "-lambda", "0.3", "-mu", "0.5", "-iterations", "4", "-variant", "paper", "-type", "float64"},
		"sdnet8_narrow for shapes", "float64", "lambda 0.3, 4 iterations")
	f, err := safetensors.Read(back)
	if err != nil {
		t.Fatal(err)
	}
	k, steps, err := training.ReadConfig(f)
	if err != nil || k.Data != "shapes" || k.Lambda != 0.3 || k.Mu != 0.5 || k.Iterations != 4 || k.Variant != "paper" || k.Type != "float64" || steps != 6 {
		t.Errorf("%+v after %d steps, %v", k, steps, err)
	}
	if source := training.Source(f); !regexp.MustCompile("^imported from weights.pth, SHA-256 [0-9a-f]{64}$").MatchString(source) {
		t.Errorf("source %q", source)
	}
	if f, err = safetensors.Read(cli.CheckpointIn(run)); err != nil || training.Source(f) != "" {
		t.Errorf("a run's own source is %q, %v", training.Source(f), err)
	}
	ref.Works(t, []string{"import", "-from", out, "-list"}, out+": PyTorch, ", "layer0.0.dn.weight", "16 x 3 x 3 x 3", "num_batches_tracked", "scalar")
}

// With -evaluable atoms have norm 1 and the step size is the one evaluation uses.
func TestExportEvaluable(t *testing.T) {
	run, _ := trained(t)
	out := filepath.Join(t.TempDir(), "weights.safetensors")
	ref.Works(t, []string{"export", "-checkpoint", cli.CheckpointIn(run), "-out", out, "-evaluable"})
	f, err := safetensors.Read(cli.CheckpointIn(run))
	if err != nil {
		t.Fatal(err)
	}
	net, _, err := training.LoadNetwork[float32](f)
	if err != nil {
		t.Fatal(err)
	}
	got := state(t, out)
	for _, s := range net.Evaluable().State() {
		if strings.HasSuffix(s.Name, ".v0") {
			if _, ok := got[s.Name]; ok {
				t.Errorf("%s is written", s.Name)
			}
			continue
		}
		if v, err := safetensors.Values[float32](got[s.Name]); err != nil || !slices.Equal(v, s.Data) {
			t.Errorf("%s: %v", s.Name, err)
		}
	}
}

// A file that does not fit is compared name by name, and nothing is written.
func TestImportDifferences(t *testing.T) {
	run, _ := trained(t, "-stop", "1")
	folder := t.TempDir()
	path, out := filepath.Join(folder, "weights.pth"), filepath.Join(folder, "out.safetensors")
	ref.Works(t, []string{"export", "-checkpoint", cli.CheckpointIn(run), "-out", path})
	f, err := torchfile.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	var tensors []safetensors.Tensor
	for _, tensor := range f.Tensors {
		switch tensor.Name {
		case "layer0.1.bias":
			continue
		case "linear.bias":
			tensor.Shape = []int{5, 2}
		case "layer1.0.bn1.bias":
			tensors = append(tensors, safetensors.New("layer1.0.bn9\nbias", []int{1}, []float32{1}))
		}
		values, err := safetensors.Values[float32](f.Tensors[0].Values())
		if err != nil {
			t.Fatal(err)
		}
		n, _ := safetensors.Elements(tensor.Shape)
		tensors = append(tensors, safetensors.New(tensor.Name, tensor.Shape, slices.Repeat(values[:1], n)))
	}
	if err := torchfile.Write(path, tensors); err != nil {
		t.Fatal(err)
	}
	r := ref.Call(t, "import", "-from", path, "-out", out)
	r.Refused(t, path, "does not fit sdnet8_narrow for cifar10", "1 missing, 1 extra, 1 of another shape")
	r.Says(t, "layer0.1.bias", "missing  16", `"layer1.0.bn9\nbias"`, "extra    -", "linear.bias", "shape    10", "5 x 2")
	ref.Call(t, "import", "-from", path, "-out", out, "-net", "sdnet18", "-data", "imagenet").Refused(t, "does not fit sdnet18 for imagenet")
	if _, err := os.Stat(out); err == nil {
		t.Error("a checkpoint was written")
	}
}

// What is no file of weights, and what is more.
func TestImportRefuses(t *testing.T) {
	folder := t.TempDir()
	in := func(name string) string { return filepath.Join(folder, name) }
	fixture := func(name string) string {
		return filepath.Join("..", "..", "..", "..", "tensor", "torchfile", "testdata", name)
	}
	var plain bytes.Buffer
	if err := torchfile.Encode(&plain, []safetensors.Tensor{safetensors.New("x", []int{2}, []float32{1, 2})}); err != nil {
		t.Fatal(err)
	}
	clitest.Put(t, in("good.pth"), plain.Bytes())
	clitest.Put(t, in("cut.pth"), plain.Bytes()[:plain.Len()/2])
	clitest.Put(t, in("empty.pth"), nil)
	clitest.Put(t, in("text.pth"), []byte("epoch,images\n1,2\n"))
	for _, c := range []struct {
		from string
		says []string
	}{
		{in("missing.pth"), []string{"missing.pth", "no such file"}}, {folder, []string{folder, "not a regular file"}},
		{in("cut.pth"), []string{"cut.pth", "zip"}}, {in("empty.pth"), []string{"empty.pth", "neither"}}, {in("text.pth"), []string{"text.pth", "neither"}},
		{in("good.pth"), []string{"good.pth", `no tensor "linear.weight"`}}, {fixture("attack.pth"), []string{"attack.pth", `"posix.system"`, "not allowed"}},
		{fixture("module.pth"), []string{"module.pth", "torch.nn.modules.linear.Linear"}}, {fixture("checkpoint.pth"), []string{`no tensor "linear.weight"`, "among its 10"}},
	} {
		ref.Call(t, "import", "-from", c.from, "-out", in("out")).Refused(t, c.says...)
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) != 4 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// An interrupted import leaves nothing behind.
func TestImportInterrupted(t *testing.T) {
	run, _ := trained(t, "-stop", "1")
	folder := t.TempDir()
	path, out := filepath.Join(folder, "weights.pth"), filepath.Join(folder, "out.safetensors")
	ref.Works(t, []string{"export", "-checkpoint", cli.CheckpointIn(run), "-out", path})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if r := ref.CallWith(t, ctx, nil, "import", "-from", path, "-out", out); r.Status != cli.ExitInterrupted {
		t.Errorf("status %d, %s", r.Status, r.Err)
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
