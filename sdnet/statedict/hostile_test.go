package statedict

import (
	"fmt"

	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"sdref/sdnet"
	"sdref/tensor/safetensors"
)

// maxTaken is what a comparison may take of memory, in bytes: the networks would take thousands of times as much.
const maxTaken = 8 << 20

// A network that a file's settings name is compared with the file's tensors before memory is taken for it.
func TestHostileSettings(t *testing.T) {
	net := initialised(t, "sdnet8_narrow", "cifar10")
	for want, spoil := range map[string]func(s *sdnet.Spec){
		"layer3.0.conv2.weight [1000000 1000000 3 3] [64 64 3 3]": func(s *sdnet.Spec) { s.Widths[2] = 1000000 },
		"linear.bias [1000000] [10]":                              func(s *sdnet.Spec) { s.Data.Classes = 1000000 },
		"layer1.99.conv1.weight [16 16 3 3] []":                   func(s *sdnet.Spec) { s.Blocks[0] = 100 },
	} {
		own := net.Spec
		own.Name, own.Blocks, own.Widths = "own", slices.Clone(own.Blocks), slices.Clone(own.Widths)
		spoil(&own)
		path := filepath.Join(t.TempDir(), "own.safetensors")
		settings := SettingsOf(own, nil)
		f := &safetensors.File{Metadata: map[string]string{SettingsKey: settings.String()}, Tensors: Export(net, 0)}
		if err := safetensors.Write(path, f); err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		d, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		m, err := d.Find(Query{Spec: d.Settings.Spec})
		runtime.ReadMemStats(&after)
		if err != nil || m.Fits() || !slices.ContainsFunc(m.Differences, func(d Difference) bool {
			return strings.TrimSpace(strings.Join([]string{d.Name, fmt.Sprint(d.Want), fmt.Sprint(d.Have)}, " ")) == want
		}) {
			t.Errorf("no difference %s in %v, %v", want, m.Differences, err)
		}
		if bytes := after.TotalAlloc - before.TotalAlloc; bytes > maxTaken {
			t.Errorf("%s: %d bytes were taken to find out", want, bytes)
		}
	}
}

// Settings that no network can have are an error that names the file.
func TestImpossibleSettings(t *testing.T) {
	net := initialised(t, "sdnet8_narrow", "cifar10")
	own := net.Spec
	own.Name = "own"
	for old, with := range map[string]string{
		`"Widths":[16,32,64]`: `"Widths":[16,32,9223372036854775807]`,
		`"Blocks":[1,1,1]`:    `"Blocks":[1,9223372036854775807,9223372036854775807]`,
		`"Iterations":2`:      `"Iterations":9223372036854775807`,
	} {
		text := SettingsOf(own, nil).String()
		if !strings.Contains(text, old) {
			t.Fatalf("no %s in %s", old, text)
		}
		path := filepath.Join(t.TempDir(), "own.safetensors")
		f := &safetensors.File{Metadata: map[string]string{SettingsKey: strings.Replace(text, old, with, 1)}, Tensors: Export(net, 0)}
		if err := safetensors.Write(path, f); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "network own") {
			t.Errorf("%s: %v", with, err)
		}
	}
}
