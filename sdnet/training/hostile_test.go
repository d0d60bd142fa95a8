package training

import (
	"encoding/json"
	"math"
	"math/bits"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"sdref/conv"
	"sdref/csc"
	"sdref/sdnet"
	"sdref/sdnet/data"
	"sdref/tensor/safetensors"
)

// maxTaken is what a refused checkpoint may take of memory, in bytes: its network would take thousands of times as much.
const maxTaken = 4 << 20

// taken is how many bytes f allocates in all.
func taken(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// modest is a small network of two stages, its stem and blocks CSC layers.
func modest() sdnet.Spec {
	return sdnet.Spec{Name: "modest", Blocks: []int{1, 1}, Widths: []int{3, 4}, CSCStem: true, CSCBlocks: true,
		Data: sdnet.Data{Name: "few", Classes: 2, Image: 8, Stem: sdnet.Stem{Kernel: 3, Geometry: conv.Geometry{Padding: 1}}},
		CSC:  csc.Settings{Lambda: 0.1, Nonnegative: true, Iterations: 2, UnitNormAtoms: true}}
}

// A checkpoint whose configuration speaks of another network than its tensors are is refused before memory is taken for that network, by
// an error that names the file and the first tensor that differs.
func TestHostileSpecs(t *testing.T) {
	net, err := sdnet.New[float32](modest())
	if err != nil {
		t.Fatal(err)
	}
	net.Initialize(1)
	const half = 1 << (bits.UintSize / 2)
	path := filepath.Join(t.TempDir(), "net.safetensors")
	images := data.Description{Classes: []string{"a", "b"}, Mean: [3]float64{}, Std: [3]float64{1, 1, 1}}.Of(net.Data.Shape())
	if err := SaveNetwork(path, net, &images); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		says  string
		spoil func(s *sdnet.Spec)
	}{
		{`"layer2.layers.0.conv1.dn.weight" has shape [4 3 3 3], want [5 3 3 3]`, func(s *sdnet.Spec) { s.Widths[1] = 5 }},
		{`"layer2.layers.0.conv1.dn.weight" has shape [4 3 3 3], want [40000 3 3 3]`, func(s *sdnet.Spec) { s.Widths[1] = 40000 }},
		{`"layer0.0.dn.weight" has shape [3 3 3 3], want [1000000 3 3 3]`, func(s *sdnet.Spec) { s.Atoms = 1000000 }},
		{`"layer0.0.dn.v0" has shape [1 3 8 8], want [1 3 4096 4096]`, func(s *sdnet.Spec) { s.Data.Image = 4096 }},
		{`"layer0.0.dn.weight" has shape [3 3 3 3], want [3 3 4001 4001]`, func(s *sdnet.Spec) {
			s.Data.Image, s.Data.Stem = 4000, sdnet.Stem{Kernel: 4001, Geometry: conv.Geometry{Padding: 2000}}
		}},
		{`"linear.weight" has shape [2 4], want [1000000000 4]`, func(s *sdnet.Spec) { s.Data.Classes = 1e9 }},
		{`no tensor "layer1.layers.1.conv1.dn.weight"`, func(s *sdnet.Spec) { s.Blocks[0] = 20 }},
		{"more than 1024", func(s *sdnet.Spec) { s.Blocks[0] = math.MaxInt }},
		{"make tensors of more", func(s *sdnet.Spec) { s.Widths[0] = math.MaxInt }},
		{"make tensors of more", func(s *sdnet.Spec) { s.Data.Classes = math.MaxInt }},
		{"make tensors of more", func(s *sdnet.Spec) { s.Widths = []int{half, half} }}, // whose product is 0 in an int
		{"1000", func(s *sdnet.Spec) { s.CSC.Iterations = 1 << 20 }},
	} {
		f := reread(t, path)
		spec := modest()
		c.spoil(&spec)
		config := Published().For(spec)
		config.Type, config.Images = "float32", 1
		text, err := json.Marshal(config)
		if err != nil {
			t.Fatal(err)
		}
		f.Metadata[configKey] = string(text)
		hostile := filepath.Join(t.TempDir(), "hostile.safetensors")
		if err := safetensors.Write(hostile, f); err != nil {
			t.Fatal(err)
		}
		bytes := taken(func() { _, _, err = OpenNetwork[float64](hostile) })
		says(t, err, hostile, c.says)
		if bytes > maxTaken {
			t.Errorf("%s: %d bytes were taken to find out", c.says, bytes)
		}
	}
	if _, _, err := OpenNetwork[float64](path); err != nil {
		t.Errorf("the honest one: %v", err)
	}
}

// A run of a listed network is compared too before it is resumed, or another begins with its weights.
func TestHostileRuns(t *testing.T) {
	r := start[float32](t, short(), drawn())
	step(t, r)
	good := saved(t, r)
	for _, c := range []struct{ old, with, fromSays, resumeSays string }{
		{"{", `{"classes":1000000000,`, `"linear.weight" has shape [10 64], want [1000000000 64]`, "10 names of 1000000000 classes"},
		{"{", `{"extent":4096,`, `"layer0.0.dn.v0" has shape [1 16 32 32], want [1 16 4096 4096]`, "images of 32 x 32 pixels"},
		{"sdnet8_narrow", "sdnet18", `"layer0.0.dn.weight" has shape [16 3 3 3], want [64 3 3 3]`, `"layer0.0.dn.weight" has shape [16 3 3 3], want [64 3 3 3]`},
	} {
		f := reread(t, good.Path)
		f.Metadata[configKey] = strings.Replace(f.Metadata[configKey], c.old, c.with, 1)
		var err error
		bytes := taken(func() { _, err = NewFrom[float32](short(), drawn().Dataset(), f) })
		says(t, err, good.Path, c.fromSays)
		if bytes > maxTaken {
			t.Errorf("NewFrom, %s: %d bytes were taken to find out", c.with, bytes)
		}
		bytes = taken(func() { _, err = Resume[float32](f, drawn().Dataset()) })
		says(t, err, good.Path, c.resumeSays)
		if bytes > maxTaken {
			t.Errorf("Resume, %s: %d bytes were taken to find out", c.with, bytes)
		}
	}
}
