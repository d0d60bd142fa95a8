package convert

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sdref/cmd/ref/internal/cli"
	"sdref/cmd/ref/internal/cli/clitest"
	"sdref/sdnet"
	"sdref/sdnet/data"
	"sdref/sdnet/statedict"
	"sdref/sdnet/training"
	"sdref/tensor"
	"sdref/tensor/safetensors"
	"sdref/tensor/torchfile"
)

// weights are the tensors of an initialised network, to be changed by tests.
func weights(t *testing.T, network string) []safetensors.Tensor {
	t.Helper()
	spec, err := sdnet.Lookup(network, "cifar10")
	if err != nil {
		t.Fatal(err)
	}
	net, err := sdnet.New[float32](spec)
	if err != nil {
		t.Fatal(err)
	}
	net.Initialize(1)
	return statedict.Export(net, 5)
}

// at is the place of a tensor.
func at(t *testing.T, list []safetensors.Tensor, name string) int {
	t.Helper()
	i := slices.IndexFunc(list, func(t safetensors.Tensor) bool { return t.Name == name })
	if i < 0 {
		t.Fatalf("no tensor %s", name)
	}
	return i
}

func put(t *testing.T, path string, list []safetensors.Tensor) string {
	t.Helper()
	write := torchfile.Write
	if strings.HasSuffix(path, ".safetensors") {
		write = func(path string, list []safetensors.Tensor) error {
			return safetensors.Write(path, &safetensors.File{Tensors: list})
		}
	}
	if err := write(path, list); err != nil {
		t.Fatal(err)
	}
	return path
}

// Tensors that a network has no use for are left aside by name or by pattern, and names are given for others, with and without a
// prefix; what is imported is the same.
func TestIgnoreAndRename(t *testing.T) {
	folder := t.TempDir()
	out, plain := filepath.Join(folder, "out.safetensors"), filepath.Join(folder, "plain.safetensors")
	ref.Works(t, []string{"import", "-from", put(t, filepath.Join(folder, "plain.pth"), weights(t, "sdnet8_narrow")), "-out", plain})
	for _, prefix := range []string{"", "state_dict."} {
		list := weights(t, "sdnet8_narrow")
		list[at(t, list, "linear.weight")].Name, list[at(t, list, "linear.bias")].Name = "head.weight", "head.bias"
		for i := range list {
			list[i].Name = strings.Replace(list[i].Name, "layer2.", "stage.2.", 1)
		}
		list = append(list, safetensors.New("mask", []int{2}, []int64{0, 1}), safetensors.New("ema.a", []int{1}, []float32{1}), safetensors.New("ema.b.c", []int{1}, []float32{1}))
		for i := range list {
			list[i].Name = prefix + list[i].Name
		}
		from := put(t, filepath.Join(folder, "changed.pth"), list)
		rename := []string{"-rename", prefix + "head.*=" + prefix + "linear.*", "-rename", prefix + "stage.2.*=" + prefix + "layer2.*"}
		base := append([]string{"import", "-from", from, "-out", out, "-overwrite"}, rename...)
		ref.Call(t, base...).Refused(t, "3 extra", "-ignore mask leaves")
		ref.Works(t, append(base, "-ignore", prefix+"mask", "-ignore", prefix+"ema.*"), "3 that -ignore names")
		if !bytes.Equal(content(t, plain), content(t, out)) && len(state(t, plain)) != len(state(t, out)) {
			t.Error("another network")
		}
		for name, tensor := range state(t, plain) {
			want, err1 := tensor.Float64s()
			got, err2 := state(t, out)[name].Float64s()
			if err1 != nil || err2 != nil || !slices.Equal(got, want) {
				t.Errorf("%q: %s: %v, %v", prefix, name, err1, err2)
			}
		}
	}
	from := filepath.Join(folder, "plain.pth")
	for _, c := range []struct{ args, says []string }{
		{[]string{"-rename", "nothing=x"}, []string{`no tensor "nothing" to rename`}}, {[]string{"-rename", "linear.bias"}, []string{"-rename", "OLD=NEW"}},
		{[]string{"-rename", "a=*"}, []string{"asterisks"}}, {[]string{"-rename", "linear.bias=linear.weight"}, []string{`two tensors "linear.weight"`}},
		{[]string{"-ignore", "linear.bias"}, []string{"1 missing"}}, {[]string{"-size", "0"}, []string{"-size"}}, {[]string{"-size", "99999"}, []string{"size: 99999"}},
	} {
		ref.Call(t, append([]string{"import", "-from", from, "-out", out, "-overwrite"}, c.args...)...).Refused(t, c.says...)
	}
}

func content(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// torchvision's names of a ResNet, and a step size of shape (1).
func TestOtherNames(t *testing.T) {
	folder := t.TempDir()
	list := weights(t, "resnet8_narrow")
	for i := range list {
		for _, r := range []struct{ ours, theirs string }{{"layer0.0.", "conv1."}, {"layer0.1.", "bn1."}, {".shortcut.", ".downsample."}, {"linear.", "fc."}} {
			if strings.HasPrefix(r.ours, ".") || strings.HasPrefix(list[i].Name, r.ours) {
				list[i].Name = strings.Replace(list[i].Name, r.ours, r.theirs, 1)
			}
		}
	}
	if !slices.ContainsFunc(list, func(t safetensors.Tensor) bool { return t.Name == "layer2.0.downsample.1.running_var" }) {
		t.Fatal("not torchvision's names")
	}
	ref.Works(t, []string{"import", "-from", put(t, filepath.Join(folder, "torchvision.pth"), list), "-out", filepath.Join(folder, "out")}, "resnet8_narrow for cifar10")
	list = weights(t, "sdnet8_narrow")
	i := at(t, list, "layer0.0.dn.step_size")
	v, err := safetensors.Values[float32](list[i])
	if err != nil {
		t.Fatal(err)
	}
	list[i] = safetensors.New(list[i].Name, []int{1}, v)
	ref.Works(t, []string{"import", "-from", put(t, filepath.Join(folder, "one.pth"), list), "-out", filepath.Join(folder, "out"), "-overwrite"}, "sdnet8_narrow for cifar10")
}

// The size of the images, the number of classes and the settings of the CSC layers come back from an export, in either format, and
// flags say otherwise.
func TestSettingsComeBack(t *testing.T) {
	folder := t.TempDir()
	own := training.Published()
	own.Network, own.Data, own.Classes, own.Extent, own.Images = "sdnet8_narrow", "imagenet", 7, 40, 1
	own.Lambda, own.Mu, own.Iterations, own.Variant = 0.25, 0.5, 3, "paper"
	spec, err := own.Spec()
	if err != nil {
		t.Fatal(err)
	}
	net, err := sdnet.New[float32](spec)
	if err != nil {
		t.Fatal(err)
	}
	net.Initialize(1)
	f, err := training.Weights(net, own, 3, "a test", nil)
	if err != nil {
		t.Fatal(err)
	}
	checkpoint := filepath.Join(folder, "own.safetensors")
	if err := safetensors.Write(checkpoint, f); err != nil {
		t.Fatal(err)
	}
	config := func(path string) training.Config {
		f, err := safetensors.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		k, _, err := training.ReadConfig(f)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	for _, ending := range []string{".pth", ".safetensors"} {
		out, back := filepath.Join(folder, "out"+ending), filepath.Join(folder, "back")
		ref.Works(t, []string{"export", "-checkpoint", checkpoint, "-out", out, "-classes", "7"})
		ref.Works(t, []string{"import", "-from", out, "-out", back, "-overwrite"}, "for images of 40 x 40, and 7 classes", "as ref export wrote it down")
		if k := config(back); k.Extent != 40 || k.Classes != 7 || k.Data != "imagenet" || k.Lambda != 0.25 || k.Mu != 0.5 || k.Iterations != 3 || k.Variant != "paper" {
			t.Errorf("%s: %+v", ending, k)
		}
		ref.Works(t, []string{"import", "-from", out, "-out", back, "-overwrite", "-size", "64", "-lambda", "0.1"}, "for images of 64 x 64")
		if k := config(back); k.Extent != 64 || k.Classes != 7 || k.Lambda != 0.1 || k.Iterations != 3 {
			t.Errorf("%s with flags: %+v", ending, k)
		}
		ref.Works(t, []string{"export", "-checkpoint", checkpoint, "-out", out, "-overwrite", "-size", "48"})
		ref.Works(t, []string{"import", "-from", out, "-list"}, `\"size\":48`)
	}
	ref.Call(t, "export", "-checkpoint", checkpoint, "-out", filepath.Join(folder, "x.pth"), "-classes", "8").Refused(t, "-classes", "7, not 8")
	ref.Call(t, "export", "-checkpoint", checkpoint, "-out", filepath.Join(folder, "x.pth"), "-size", "0").Refused(t, "-size")
	// A file of another program says nothing of it.
	plain := put(t, filepath.Join(folder, "plain.pth"), statedict.Export(net, 1))
	back := filepath.Join(folder, "back")
	ref.Works(t, []string{"import", "-from", plain, "-out", back, "-overwrite", "-classes", "7", "-data", "imagenet", "-size", "40"}, "the size by -size")
	ref.Works(t, []string{"import", "-from", plain, "-out", back, "-overwrite", "-classes", "7", "-data", "imagenet"}, "224 x 224, and 7 classes: the size is that of imagenet, -size says another")
	ref.Call(t, "import", "-from", plain, "-out", back, "-overwrite").Refused(t, "[7 64]", "7 classes? -classes")
}

// The names of the classes, the normalisation and the digests of the images come back too; other programs' files can be given names.
func TestImagesComeBack(t *testing.T) {
	folder := t.TempDir()
	data := clitest.Pictures(t, 3, map[string]int{"train": 2, "val": 1})
	run := filepath.Join(folder, "run")
	ref.Works(t, clitest.Short(data, run, "-size", "32", "-test=false"))
	images := func(path string) string {
		f, err := safetensors.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		return f.Metadata["images"]
	}
	want, back := images(cli.CheckpointIn(run)), filepath.Join(folder, "back.safetensors")
	for _, ending := range []string{".pth", ".safetensors"} {
		out := filepath.Join(folder, "out"+ending)
		ref.Works(t, []string{"export", "-checkpoint", cli.CheckpointIn(run), "-out", out})
		ref.Works(t, []string{"import", "-from", out, "-out", back, "-overwrite"})
		if got := images(back); got != want || !strings.Contains(got, `"classes":["disc","ring","square"],"size":32`) {
			t.Errorf("%s: %s, want %s", ending, got, want)
		}
		ref.Works(t, []string{"import", "-from", out, "-out", back, "-overwrite", "-size", "48"})
		if got := images(back); !strings.Contains(got, `"size":48`) {
			t.Errorf("%s: %s", ending, got)
		}
	}
	names, foreign := filepath.Join(folder, "names.txt"), put(t, filepath.Join(folder, "foreign.pth"), weights(t, "sdnet8_narrow"))
	clitest.Put(t, names, []byte("a b\n\nc\r\n"+strings.Join(strings.Split("defghijk", ""), "\n")))
	ref.Works(t, []string{"import", "-from", foreign, "-out", back, "-overwrite", "-names", names})
	if got := images(back); !strings.Contains(got, `"classes":["a b","c","d","e","f","g","h","i","j","k"],"size":32,"mean":[0.4914`) {
		t.Error(got)
	}
	clitest.Put(t, names, []byte("a\nb\n"))
	ref.Call(t, "import", "-from", foreign, "-out", back, "-overwrite", "-names", names).Refused(t, "-names", "2 names, the network 10 classes")
	clitest.Put(t, names, []byte(strings.Repeat("a\n", 10)))
	ref.Call(t, "import", "-from", foreign, "-out", back, "-overwrite", "-names", names).Refused(t, "-names", "class a comes twice")
	ref.Call(t, "import", "-from", foreign, "-out", back, "-overwrite", "-names", folder).Refused(t, "-names", "a folder")
}

// A file that is something else is named for what it is, with what helps, wherever weights are read.
func TestOtherFiles(t *testing.T) {
	folder := t.TempDir()
	in := func(name string) string { return filepath.Join(folder, name) }
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte("weights")); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"page.pth": "<!DOCTYPE html><html>404</html>", "pointer.safetensors": "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
		"model.safetensors.index.json": `{"metadata": {"total_size": 1}, "weight_map": {"a": "model-00001-of-00002.safetensors"}}`, "w x.pth.gz": packed.String(), "empty.pth": "",
	} {
		clitest.Put(t, in(name), []byte(text))
	}
	for name, says := range map[string]string{
		"page.pth": "a web page", "pointer.safetensors": "a Git LFS pointer", "model.safetensors.index.json": "an index of shards", "empty.pth": "an empty file",
		"w x.pth.gz": "a gzip file", "": "a folder", "none": "no such file",
	} {
		ref.Call(t, "import", "-from", in(name), "-out", in("out")).Refused(t, name, says)
		ref.Call(t, "eval", "-checkpoint", in(name)).Refused(t, name, says)
		ref.Call(t, "train", "-start", in(name), "-out", in("run")).Refused(t, name, says)
	}
	ref.Call(t, "import", "-from", in("w x.pth.gz"), "-out", in("out")).Refused(t, "gunzip -c '", "w x.pth' unpacks it")
	ref.Call(t, "import", "-from", in("pointer.safetensors"), "-out", in("out")).Refused(t, "git lfs pull --include pointer.safetensors")
	torch := put(t, in("it's.pth"), weights(t, "sdnet8_narrow"))
	ref.Call(t, "eval", "-checkpoint", torch).Refused(t, "weights of PyTorch", "ref import -from '", `it'\''s.pth' -out '`, "-checkpoint.safetensors' makes one")
	plain := put(t, in("plain.safetensors"), weights(t, "sdnet8_narrow"))
	ref.Call(t, "eval", "-checkpoint", plain).Refused(t, "not a checkpoint of this program", "ref import -from ", "plain-checkpoint.safetensors makes one")
	pipe := in("pipe")
	if err := exec.Command("mkfifo", pipe).Run(); err == nil {
		ref.Call(t, "import", "-from", pipe, "-out", in("out")).Refused(t, "a named pipe")
		ref.Call(t, "eval", "-checkpoint", pipe).Refused(t, "a named pipe")
	}
	ref.Call(t, "import", "-from", os.DevNull, "-out", in("out")).Refused(t, "a device")
}

// Weights without meaning are refused by the tensor's name, in a file and in a checkpoint; with -force they are taken, results that
// are not finite end with status 1, and JSON says null.
func TestWeightsWithoutMeaning(t *testing.T) {
	folder, data := t.TempDir(), clitest.CIFAR10(t)
	in := func(name string) string { return filepath.Join(folder, name) }
	for name, c := range map[string]struct {
		spoil func([]float32)
		says  string
		nan   bool // the results
	}{
		"linear.weight":            {func(v []float32) { v[1] = float32(math.NaN()) }, "element 1 is NaN", true},
		"linear.bias":              {func(v []float32) { v[0] = float32(math.Inf(1)) }, "element 0 is +Inf", true},
		"layer1.0.bn1.running_var": {func(v []float32) { v[2] = -5 }, "element 2 is -5: a variance", true},
		"layer0.0.dn.weight":       {func(v []float32) { clear(v[27:54]) }, "atom 1 is 0", false},
	} {
		list := weights(t, "sdnet8_narrow")
		v, err := safetensors.Values[float32](list[at(t, list, name)])
		if err != nil {
			t.Fatal(err)
		}
		c.spoil(v)
		from, out := put(t, in("spoiled.pth"), list), in("spoiled.safetensors")
		ref.Call(t, "import", "-from", from, "-out", out, "-overwrite").Refused(t, name, c.says, "-force")
		r := ref.Call(t, "import", "-from", from, "-out", out, "-overwrite", "-force")
		if r.Status != 0 {
			t.Fatalf("%s: %s", name, r.Err)
		}
		ref.Call(t, "eval", "-checkpoint", out, "-data", data).Refused(t, name, c.says, "-force")
		ref.Call(t, "export", "-checkpoint", out, "-out", in("x.pth")).Refused(t, name, c.says)
		ref.Call(t, "train", "-start", out, "-data", data, "-out", in("run")).Refused(t, name, c.says)
		report := in("report.json")
		r = ref.Call(t, "eval", "-checkpoint", out, "-data", data, "-force", "-json", report, "-overwrite")
		if c.nan != (r.Status == cli.ExitFailed && strings.Contains(r.Err, "not finite")) {
			t.Errorf("%s: status %d, %s", name, r.Status, r.Err)
		}
		var got map[string]any
		if err := json.Unmarshal(content(t, report), &got); err != nil || c.nan != (got["loss"] == nil) || got["images"] != 4.0 {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// No command writes over what it reads, nor over a run of hours.
func TestInputsAreSpared(t *testing.T) {
	run, data := trained(t, "-stop", "1")
	folder, checkpoint := t.TempDir(), cli.CheckpointIn(run)
	in := func(name string) string { return filepath.Join(folder, name) }
	from := put(t, in("w.safetensors"), weights(t, "sdnet8_narrow"))
	before := content(t, checkpoint)
	links := []string{from, filepath.Join(folder, ".", "w.safetensors")}
	if os.Symlink(from, in("soft")) == nil {
		links = append(links, in("soft"))
	}
	if os.Link(from, in("hard.safetensors")) == nil {
		links = append(links, in("hard.safetensors"))
	}
	for _, out := range links {
		ref.Call(t, "import", "-from", from, "-out", out).Refused(t, "-out", "the file that is read")
	}
	ref.Call(t, "export", "-checkpoint", checkpoint, "-out", checkpoint).Refused(t, "-out", "the file that is read")
	ref.Call(t, "eval", "-checkpoint", checkpoint, "-data", data, "-json", checkpoint, "-overwrite").Refused(t, "-json", checkpoint, "the file that is read")
	ref.Call(t, "import", "-from", from, "-out", checkpoint).Refused(t, "a run of ref train", "-overwrite")
	if !bytes.Equal(content(t, checkpoint), before) {
		t.Error("the run was written over")
	}
	out := in("out.safetensors")
	ref.Works(t, []string{"import", "-from", from, "-out", out})
	first := content(t, out)
	ref.Call(t, "import", "-from", from, "-out", out).Refused(t, "-out", out, "exists", "-overwrite")
	ref.Call(t, "export", "-checkpoint", checkpoint, "-out", out).Refused(t, "-out", out, "exists", "-overwrite")
	if !bytes.Equal(content(t, out), first) {
		t.Error("weights were written over")
	}
	ref.Works(t, []string{"export", "-checkpoint", checkpoint, "-out", out, "-overwrite"})
	ref.Works(t, []string{"import", "-from", from, "-out", checkpoint, "-overwrite"})
}

// A user who stops the program is not kept waiting by a long pickle.
func TestImportOfAPickleIsStopped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "long.pkl")
	clitest.Put(t, path, []byte("\x80\x02("+strings.Repeat("]", 1<<20)+"t."))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	start := time.Now()
	if r := ref.CallWith(t, ctx, nil, "import", "-from", path, "-list"); r.Status != cli.ExitInterrupted || time.Since(start) > 5*time.Second {
		t.Errorf("status %d after %v, %s", r.Status, time.Since(start), r.Err)
	}
}

// A network of one's own, of grey images that are not square, goes to PyTorch's file and comes back; as an ONNX model it says its own
// normalisation.
func TestOwnNetworkThereAndBack(t *testing.T) {
	spec := sdnet.Spec{Name: "mine", Blocks: []int{1, 1}, Widths: []int{4, 6}, CSCStem: true, CSC: sdnet.PublishedCSC,
		Data: sdnet.Data{Name: "things", Classes: 2, Image: 12, Width: 20, Channels: 1, Stem: sdnet.CIFARStem}}
	net, err := sdnet.New[float32](spec)
	if err != nil {
		t.Fatal(err)
	}
	net.Initialize(4)
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	about := data.Description{Classes: []string{"hat", "boot"}, Mean: [3]float64{0.25, 0.25, 0.25}, Std: [3]float64{0.5, 0.5, 0.5}}.Of(spec.Data.Shape())
	if err := training.SaveNetwork(in("net.safetensors"), net, &about); err != nil {
		t.Fatal(err)
	}
	ref.Works(t, []string{"export", "-checkpoint", in("net.safetensors"), "-out", in("net.onnx")}, "images (N, 1, 12, 20) -> logits (N, 2)", "mean 0.25, std 0.5")
	for _, kind := range []string{"pth", "safetensors"} {
		out, back := in("out."+kind), in(kind+"-back.safetensors")
		ref.Works(t, []string{"export", "-checkpoint", in("net.safetensors"), "-out", out})
		ref.Works(t, []string{"import", "-from", out, "-out", back, "-lambda", "0.2"}, "mine for things", "for images of 12 x 20, and 2 classes")
		again, is, err := training.OpenNetwork[float32](back)
		if err != nil {
			t.Fatal(err)
		}
		if is.Shape() != about.Shape() || is.Mean != about.Mean || strings.Join(is.Classes, " ") != "hat boot" || again.CSC.Lambda != 0.2 || again.Data != spec.Data {
			t.Errorf("%+v, %v", is, again.Spec)
		}
		for i, p := range net.Parameters() {
			if !tensor.SameBits(p.Tensor, again.Parameters()[i].Tensor) {
				t.Errorf("%s is another", p.Name)
			}
		}
		ref.Call(t, "import", "-from", out, "-out", in("x"), "-size", "20").Refused(t, "-size", "mine")
		ref.Call(t, "import", "-from", out, "-out", in("x"), "-net", "resnet18", "-data", "cifar10").Refused(t, "resnet18")
	}
}
