package statedict

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sdref/sdnet"
	"sdref/tensor/safetensors"
	"sdref/tensor/torchfile"
)

// dictOf is a dictionary of tensors in memory.
func dictOf(tensors []safetensors.Tensor, prefix string) *Dict {
	d := &Dict{Path: "given"}
	for _, t := range tensors {
		name := map[string]string{"F64": "float64", "F32": "float32", "I64": "int64"}[t.DType()]
		d.Entries = append(d.Entries, Entry{prefix + t.Name, name, t.Shape, func() safetensors.Tensor { return t }})
	}
	return d
}

// initialised is a named network for a named data set.
func initialised(t *testing.T, network, data string) *sdnet.Network[float32] {
	t.Helper()
	s, err := sdnet.Lookup(network, data)
	if err != nil {
		t.Fatal(err)
	}
	net, err := sdnet.New[float32](s)
	if err != nil {
		t.Fatal(err)
	}
	for i, state := range net.State() { // quicker than Initialize, and no two tensors alike
		for j := range state.Data {
			state.Data[j] = float32(i) + float32(j%97)/128
		}
	}
	return net
}

// What is exported is found again, whatever stands before the names, and nothing else fits.
func TestFind(t *testing.T) {
	for i, c := range []struct{ network, data string }{
		{"sdnet8_narrow", "cifar10"}, {"resnet8_narrow", "cifar100"}, {"sdnet8_all_narrow", "cifar10"}, {"sdnet8_all_narrow_noshortcut", "cifar10"},
		{"sdnet8_slim", "cifar10"}, {"sdnet18", "imagenet"}, {"sdnet18", "cifar100"}, {"sdnet18_all", "cifar10"}, {"sdnet18_all_noshortcut", "cifar10"}, {"resnet18", "imagenet"},
	} {
		prefix := []string{"", "state_dict.", "net.module."}[i%3]
		net := initialised(t, c.network, c.data)
		d := dictOf(Export(net, 9), prefix)
		if prefix != "" {
			d.Entries = append(d.Entries, Entry{Name: "optimizer.linear_weight", Shape: []int{1}})
		}
		m, err := d.Find(Query{})
		if err != nil || !m.Fits() || m.Spec.Name != c.network || m.Spec.Data.Name != c.data || m.Prefix != prefix || m.Elsewhere != min(len(prefix), 1) || m.Batches() != 9 {
			t.Errorf("%s for %s: found %s for %s behind %q, %d elsewhere, %s, %v", c.network, c.data, m.Spec.Name, m.Spec.Data.Name, m.Prefix, m.Elsewhere, m.Summary(), err)
			continue
		}
		filled, err := Fill[float32](m)
		if err != nil {
			t.Fatal(err)
		}
		for k, s := range filled.State() {
			want := net.State()[k]
			if !strings.HasSuffix(s.Name, ".v0") && (s.Name != want.Name || !slices.Equal(s.Data, want.Data)) {
				t.Errorf("%s: %s has other values", c.network, s.Name)
			}
		}
	}
}

// The drawn images have the shape of CIFAR-10, and a network for a folder of images another number of classes.
func TestFindNamed(t *testing.T) {
	d := dictOf(Export(initialised(t, "sdnet8_narrow", "shapes"), 0), "")
	for _, c := range []struct {
		q    Query
		data string
	}{{Query{}, "cifar10"}, {Query{Data: "shapes"}, "shapes"}, {Query{Network: "sdnet8_narrow", Data: "shapes"}, "shapes"}, {Query{Network: "sdnet8_narrow"}, "cifar10"}} {
		if m, err := d.Find(c.q); err != nil || !m.Fits() || m.Spec.Data.Name != c.data {
			t.Errorf("%+v: %s, %s, %v", c.q, m.Spec.Data.Name, m.Summary(), err)
		}
	}
	s := small(t, "sdnet8_narrow")
	s.Blocks, s.Widths, s.Data.Image, s.Data.Classes = []int{1, 1, 1}, []int{16, 32, 64}, 32, 37
	net, err := sdnet.New[float32](s)
	if err != nil {
		t.Fatal(err)
	}
	d = dictOf(Export(net, 0), "")
	if m, err := d.Find(Query{Data: "cifar10", Classes: 37}); err != nil || !m.Fits() || m.Spec.Data.Classes != 37 {
		t.Errorf("37 classes: %s, %v", m.Summary(), err)
	}
	_, err = d.Find(Query{})
	says(t, err, "linear.weight has shape [37 64]")
}

func says(t *testing.T, err error, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("error %v, want one that says %q", err, text)
		}
	}
}

func TestFindRefuses(t *testing.T) {
	good := Export(initialised(t, "sdnet8_narrow", "cifar10"), 0)
	d := dictOf(good, "")
	_, err := d.Find(Query{Network: "sdnet19"})
	says(t, err, "sdnet19", "sdnet8_narrow")
	_, err = d.Find(Query{Data: "mnist"})
	says(t, err, "mnist", "cifar100")
	_, err = d.Find(Query{Prefix: "net."})
	says(t, err, "given", `the prefixes [""]`)
	_, err = d.Find(Query{Classes: -1})
	says(t, err, "-1 classes")
	_, err = dictOf(good[:3], "").Find(Query{})
	says(t, err, `no tensor "linear.weight"`, "among its 3")
	both := dictOf(good, "net.")
	both.Entries = append(both.Entries, dictOf(good, "average.").Entries...)
	_, err = both.Find(Query{})
	says(t, err, `["net." "average."]`, "choose one")
	if m, err := both.Find(Query{Prefix: "average."}); err != nil || !m.Fits() || m.Elsewhere != len(good) {
		t.Errorf("%s, %d elsewhere, %v", m.Summary(), m.Elsewhere, err)
	}
}

// Each difference is named, with both shapes.
func TestDifferences(t *testing.T) {
	tensors := Export(initialised(t, "sdnet8_all_narrow", "cifar10"), 0)
	at := func(name string) int {
		return slices.IndexFunc(tensors, func(t safetensors.Tensor) bool { return t.Name == name })
	}
	tensors[at("linear.bias")] = safetensors.New("linear.bias", []int{2, 5}, make([]float32, 10))
	tensors[at("layer0.0.dn.weight")] = safetensors.New("layer0.0.weight", []int{16, 3, 3, 3}, make([]float32, 16*27))
	tensors = slices.Delete(tensors, at("layer0.0.dn.step_size"), at("layer0.0.dn.step_size")+1)
	tensors = append(tensors, safetensors.New("layer0.0.running_c_loss", nil, []float32{0}))
	m, err := dictOf(tensors, "").Find(Query{})
	if err != nil || m.Fits() || m.Spec.Name != "sdnet8_all_narrow" || m.Summary() != "1 missing, 1 extra, 1 of another shape" {
		t.Fatalf("%s: %s, %v", m.Spec.Name, m.Summary(), err)
	}
	want := "[{layer0.0.dn.weight [16 3 3 3] [] missing} {linear.bias [10] [2 5] shape} {layer0.0.weight [] [16 3 3 3] extra}]"
	var got []string
	for _, d := range m.Differences {
		got = append(got, fmt.Sprintf("{%s %v %v %s}", d.Name, d.Want, d.Have, d.Problem()))
	}
	if fmt.Sprint(got) != want {
		t.Errorf("differences %v, want %s", got, want)
	}
	if !slices.Contains(m.Computed, "layer0.0.dn.step_size") || !slices.Contains(m.Unused, "layer0.0.running_c_loss") {
		t.Errorf("computed %v, unused %v", m.Computed, m.Unused)
	}
	defer func() {
		if r, ok := recover().(*MisuseError); !ok || !strings.Contains(r.Message, "1 missing") {
			t.Errorf("panic %v", r)
		}
	}()
	_, _ = Fill[float32](m)
}

// Types decide the network's, and values must be finite, also in the network's type.
func TestFillTypes(t *testing.T) {
	tensors := Export(initialised(t, "resnet8_narrow", "cifar10"), 0)
	at := slices.IndexFunc(tensors, func(t safetensors.Tensor) bool { return t.Name == "linear.bias" })
	for _, c := range []struct {
		bias []float64
		says string
	}{{[]float64{0.1, 1e300, 2, 3, 4, 5, 6, 7, 8, 9}, "element 1 is 1e+300"}, {[]float64{0, 1, 2, math.NaN(), 4, 5, 6, 7, 8, 9}, "element 3 is NaN"}} {
		tensors[at] = safetensors.New("linear.bias", []int{10}, c.bias)
		m, err := dictOf(tensors, "x.").Find(Query{})
		if err != nil || m.Type() != "float64" || fmt.Sprint(m.Types()) != "map[float32:46 float64:1]" {
			t.Fatalf("%s, %v, %v", m.Type(), m.Types(), err)
		}
		_, err = Fill[float32](m)
		says(t, err, "x.linear.bias", c.says)
		if net, err := Fill[float64](m); c.bias[1] > 1 && (err != nil || net.State()[len(net.State())-1].Data[0] != 0.1) {
			t.Error(err)
		}
	}
}

// Complete gives a layer the step size that goes with its weights, keeps the file's, and stops when told to.
func TestComplete(t *testing.T) {
	net := stirred[float64](t, small(t, "sdnet8_all_narrow"))
	tensors := Export(net, 0)
	with, err := dictOf(tensors, "").Compare(net.Spec, "")
	if err != nil {
		t.Fatal(err)
	}
	without, err := dictOf(slices.DeleteFunc(tensors, func(t safetensors.Tensor) bool { return strings.HasSuffix(t.Name, "step_size") }), "").Compare(net.Spec, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		Match
		kept bool
	}{{with, true}, {without, false}} {
		filled, err := Fill[float64](c.Match)
		if err != nil {
			t.Fatal(err)
		}
		list := Complete(filled, c.Match, nil)
		if len(list) != len(filled.Layers) {
			t.Fatalf("%d of %d layers", len(list), len(filled.Layers))
		}
		for i, l := range filled.Layers {
			if got := list[i]; (got.FileStep != 0) != c.kept || c.kept && l.StepSize.Data[0] != net.Layers[i].StepSize.Data[0] || !c.kept && l.StepSize.Data[0] != got.Step {
				t.Errorf("%s has step size %v, the network's was %v: %+v", l.Name, l.StepSize.Data[0], net.Layers[i].StepSize.Data[0], got)
			}
			// The vector is nearly an eigenvector: 50 more rounds find no smaller step size.
			if e := l.UpdateStep(); math.Abs(e.Step()-list[i].Step) > 1e-3*e.Step() {
				t.Errorf("%s: step size %v, later %v", l.Name, list[i].Step, e.Step())
			}
		}
	}
	asked := 0
	if list := Complete(net, without, func(float64) bool { asked++; return false }); len(list) != 0 || asked != 1 {
		t.Errorf("%d layers, asked %d times", len(list), asked)
	}
}

// A file is known by its first bytes, not by its name.
func TestOpen(t *testing.T) {
	folder := t.TempDir()
	tensors := []safetensors.Tensor{safetensors.New("linear.weight", []int{1, 2}, []float64{1, 2}), safetensors.New("n", nil, []int64{3})}
	for format, write := range map[string]func(string) error{
		"PyTorch": func(path string) error { return torchfile.Write(path, tensors) },
		"safetensors": func(path string) error {
			return safetensors.Write(path, &safetensors.File{Tensors: tensors, Metadata: map[string]string{"by": "hand"}})
		},
	} {
		path := filepath.Join(folder, format)
		if err := write(path); err != nil {
			t.Fatal(err)
		}
		d, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if d.Format != format || d.Path != path || len(d.Entries) != 2 || d.Entries[0].Type != "float64" || d.Entries[1].Type != "int64" || fmt.Sprintf("%q", d.Prefixes()) != `[""]` {
			t.Errorf("%s: %+v", format, d)
		}
		if v, err := safetensors.Values[float64](d.Entries[0].Values()); err != nil || !slices.Equal(v, []float64{1, 2}) {
			t.Errorf("%s: %v, %v", format, v, err)
		}
		if wanted := map[string]string{"PyTorch": "[]", "safetensors": "[{by hand}]"}[format]; fmt.Sprint(d.Scalars) != wanted {
			t.Errorf("%s: %v", format, d.Scalars)
		}
	}
	_, err := Open(filepath.Join(folder, "missing"))
	says(t, err, "missing")
	_, err = Open(folder)
	says(t, err, folder, "not a regular file")
	path := filepath.Join(folder, "text")
	if err := os.WriteFile(path, []byte("nothing of the kind"), 0o666); err != nil {
		t.Fatal(err)
	}
	_, err = Open(path)
	says(t, err, path, "neither a file of torch.save nor of safetensors")
}
