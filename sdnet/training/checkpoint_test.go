package training

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sdref/sdnet/data"
	"sdref/tensor/safetensors"
)

// The error of a checkpoint that is not right names its file and what in it is wrong.
func TestBrokenCheckpoints(t *testing.T) {
	r := start[float32](t, short(), drawn())
	for range 4 {
		step(t, r)
	}
	good := saved(t, r)
	meta := func(key, value string) func(*safetensors.File) {
		return func(f *safetensors.File) { f.Metadata[key] = value }
	}
	config := func(old, new string) func(*safetensors.File) {
		return func(f *safetensors.File) {
			if !strings.Contains(f.Metadata[configKey], old) {
				t.Fatalf("no %s in %s", old, f.Metadata[configKey])
			}
			f.Metadata[configKey] = strings.Replace(f.Metadata[configKey], old, new, 1)
		}
	}
	put := func(name string, with ...safetensors.Tensor) func(*safetensors.File) {
		return func(f *safetensors.File) {
			at := slices.IndexFunc(f.Tensors, func(t safetensors.Tensor) bool { return t.Name == name })
			f.Tensors = append(slices.Delete(slices.Clone(f.Tensors), at, at+1), with...)
		}
	}
	for _, c := range []struct {
		name     string
		change   func(*safetensors.File)
		says     []string
		loadable bool // whether LoadNetwork reads it nevertheless
	}{
		{"no format", func(f *safetensors.File) {
			delete(f.Metadata, formatKey)
		}, []string{"format", "not a checkpoint"}, false},
		{"no metadata", func(f *safetensors.File) { f.Metadata = nil }, []string{"format"}, false},
		{"another format", meta(formatKey, "sdref run 2"), []string{"format", "sdref run 2"}, false},
		{"config is no JSON", meta(configKey, "{"), []string{"config"}, false},
		{"config of another type", config(`"epochs":2`, `"epochs":"two"`), []string{"config", "epochs"},
			false},
		{"config out of range", config(`"epochs":2`, `"epochs":0`), []string{"config", "epochs"}, false},
		{"unknown network", config(`sdnet8_narrow`, `sdnet8_broad`), []string{"config", "sdnet8_broad"},
			false},
		{"iteration is no number", meta(iterationKey, "four"), []string{"iteration", "four"}, false},
		{"iteration missing", func(f *safetensors.File) {
			delete(f.Metadata, iterationKey)
		}, []string{"iteration"}, false},
		{"iteration negative", meta(iterationKey, "-1"), []string{"iteration", "-1"}, false},
		{"iteration beyond the end", meta(iterationKey, "7"), []string{"iteration", "7 of 6"}, true},
		{"history is no JSON", meta(historyKey, "?"), []string{"history"}, true},
		{"history too short", meta(historyKey, "[]"), []string{"history", "0 epochs"}, true},
		{"epoch is no JSON", meta(currentKey, ""), []string{"epoch in progress"}, true},
		{"epoch of other images", meta(currentKey, `{"epoch":2,"images":3}`),
			[]string{"epoch in progress", "3 images"}, true},
		{"missing weight", put("layer0.1.weight"), []string{`"layer0.1.weight"`}, false},
		{"missing buffer", put("layer0.0.dn.v0"), []string{`"layer0.0.dn.v0"`}, false},
		{"missing velocity", put("velocity/linear.bias"), []string{`"velocity/linear.bias"`}, true},
		{"wrong shape", put("linear.bias", safetensors.New("linear.bias", []int{2, 5}, make([]float32, 10))),
			[]string{`"linear.bias"`, "[2 5]", "[10]"}, false},
		{"wrong velocity", put("velocity/linear.bias",
			safetensors.New("velocity/linear.bias", []int{9}, make([]float32, 9))),
			[]string{`"velocity/linear.bias"`, "[9]"}, true},
		{"integers", put("linear.bias", safetensors.New("linear.bias", []int{10},
			slices.Repeat([]int64{math.MaxInt64}, 10))), []string{`"linear.bias"`, "float64"}, false},
		{"another network's weights", config("sdnet8_narrow", "sdnet8_all_narrow"), []string{"no tensor"},
			false},
		{"data without a Go loader", config(`"data":"shapes"`, `"data":"imagenet"`),
			[]string{"data", "imagenet", "shapes"}, false},
		{"more images than there are", config(`"images":10`, `"images":13`), []string{"images", "13 of 12"},
			true},
	} {
		f := reread(t, good.Path)
		c.change(f)
		_, err := Resume[float32](f, drawn().Dataset())
		says(t, err, append(c.says, good.Path)...)
		switch _, _, err := LoadNetwork[float32](f); {
		case c.loadable && err != nil:
			t.Errorf("%s: the network cannot be loaded: %v", c.name, err)
		case !c.loadable && c.name != "data without a Go loader":
			says(t, err, append(c.says, good.Path)...)
		}
	}
	_, err := Resume[float32](good, data.Shapes(9, 0, 1).Dataset())
	says(t, err, good.Path, "1 image fewer in train/crescent")
	if r, err := Resume[float32](good, drawn().Dataset()); err != nil || r.Iteration != 4 {
		t.Errorf("the checkpoint as it was: %v", err)
	}
}

// A network is loaded in either type; from float32 to float64 nothing is lost.
func TestLoadNetwork(t *testing.T) {
	r := start[float32](t, short(), drawn())
	step(t, r)
	f := saved(t, r)
	narrow, c, err := LoadNetwork[float32](f)
	if err != nil || c.Network != "sdnet8_narrow" || c.Images != 10 {
		t.Fatalf("config %+v, %v", c, err)
	}
	wide, _, err := LoadNetwork[float64](f)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range r.Net().State() {
		for j, v := range s.Data {
			if narrow.State()[i].Data[j] != v || wide.State()[i].Data[j] != float64(v) {
				t.Fatalf("%s: element %d: %v and %v, want %v", s.Name, j, narrow.State()[i].Data[j],
					wide.State()[i].Data[j], v)
			}
		}
	}
	if c, iteration, err := ReadConfig(f); err != nil || iteration != 1 || c.Rate != 0.1 {
		t.Errorf("ReadConfig: %+v, step %d, %v", c, iteration, err)
	}
}

// A run that diverges says so, and does not replace a checkpoint that can go on.
func TestDivergence(t *testing.T) {
	c := short()
	c.Rate, c.Warmup, c.Epochs = 1e6, 0, 20
	r := start[float32](t, c, drawn())
	path := filepath.Join(t.TempDir(), "run.safetensors")
	if err := r.Save(path); err != nil {
		t.Fatal(err)
	}
	before := string(content(t, path))
	var err error
	for !r.Done() && err == nil {
		_, err = r.Step()
	}
	says(t, err, "the loss of step", "diverged", "learning rate")
	says(t, r.Save(path), path, "not finite", "diverged")
	if string(content(t, path)) != before {
		t.Error("the checkpoint was replaced")
	}
}

// Weights that are not finite, after a step whose loss was still finite, are not saved.
func TestOnlyFiniteNumbersAreSaved(t *testing.T) {
	r := start[float64](t, short(), drawn())
	path := filepath.Join(t.TempDir(), "run.safetensors")
	for _, poison := range []struct {
		name  string
		value float64
		data  []float64
	}{
		{"linear.weight", math.NaN(), r.Net().State()[len(r.Net().State())-2].Data},
		{"velocity/layer0.0.dn.weight", math.Inf(-1), r.Trainer.Optimizer.Velocity[0].Data},
	} {
		old := poison.data[3]
		poison.data[3] = poison.value
		says(t, r.Save(path), path, poison.name, "not finite")
		poison.data[3] = old
	}
	if err := r.Save(path); err != nil {
		t.Error(err)
	}
}

func TestSaveToNowhere(t *testing.T) {
	r := start[float32](t, short(), drawn())
	folder := t.TempDir()
	says(t, r.Save(folder), folder)
	path := filepath.Join(folder, "missing", "run.safetensors")
	says(t, r.Save(path), path)
}
