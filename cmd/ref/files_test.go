package main

import (
	"os"
	"path/filepath"
	"testing"

	"sdref/tensor/safetensors"
)

// Image files that are not what they should be.
func TestBadImages(t *testing.T) {
	const record = 1 + 3072
	for _, c := range []struct {
		name   string
		change func(t *testing.T, path string)
		says   []string
	}{
		{"truncated", func(t *testing.T, path string) { put(t, path, []byte(content(t, path)[:record+100])) }, []string{"record 1", "100 of 3073"}},
		{"ragged", func(t *testing.T, path string) { put(t, path, []byte(content(t, path)+"x")) }, []string{"record 2", "1 of 3073"}},
		{"empty", func(t *testing.T, path string) { put(t, path, nil) }, []string{"empty"}},
		{"label", func(t *testing.T, path string) { put(t, path, append([]byte{10}, content(t, path)[1:]...)) }, []string{"record 0", "label 10"}},
		{"missing", func(t *testing.T, path string) { remove(t, path) }, []string{"no such file"}},
		{"folder", func(t *testing.T, path string) { remove(t, path); mkdir(t, path) }, []string{"not a regular file"}},
		{"oversized", func(t *testing.T, path string) {
			if err := os.Truncate(path, 200_001*record); err != nil {
				t.Fatal(err)
			}
		}, []string{"more than"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			data := cifar10(t)
			path := filepath.Join(data, "data_batch_3.bin")
			out := filepath.Join(t.TempDir(), "run")
			c.change(t, path)
			ref(t, short(data, out)...).refused(t, append(c.says, path)...)
			if _, err := os.Stat(out); err == nil {
				t.Error("a folder was made")
			}
		})
	}
	ref(t, short(t.TempDir(), t.TempDir())...).refused(t, "neither CIFAR-10", "nor CIFAR-100")
	ref(t, short(filepath.Join(cifar10(t), "test_batch.bin"), t.TempDir())...).refused(t, "test_batch.bin")
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

func mkdir(t *testing.T, path string) {
	t.Helper()
	if err := os.Mkdir(path, 0o777); err != nil {
		t.Fatal(err)
	}
}

// Checkpoints that are none, for ref eval and for ref train -resume.
func TestBadCheckpoints(t *testing.T) {
	data, run := cifar10(t), t.TempDir()
	works(t, short(data, run, "-stop", "1"))
	good := content(t, checkpointIn(run))
	for _, c := range []struct {
		name  string
		write func(t *testing.T, path string)
		says  []string
	}{
		{"folder", mkdir, []string{"not a regular file"}},
		{"empty", func(t *testing.T, path string) { put(t, path, nil) }, []string{"header length"}},
		{"garbage", func(t *testing.T, path string) { put(t, path, []byte("\xff\xff\xff\xff\xff\xff\xff\x7fnonsense\n\n")) }, []string{"header"}},
		{"text", func(t *testing.T, path string) { put(t, path, []byte("epoch,images\n1,2\n3,4\n5,6\n")) }, []string{"header"}},
		{"truncated", func(t *testing.T, path string) { put(t, path, []byte(good[:len(good)-1])) }, []string{"tensor"}},
		{"too long", func(t *testing.T, path string) { put(t, path, []byte(good+"x")) }, []string{"1 bytes after"}},
		{"foreign", func(t *testing.T, path string) {
			if err := safetensors.Write(path, &safetensors.File{Tensors: []safetensors.Tensor{safetensors.New("linear.bias", []int{1}, []float32{0})}}); err != nil {
				t.Fatal(err)
			}
		}, []string{"format", "not a checkpoint of this program"}},
		{"missing tensors", func(t *testing.T, path string) {
			f, err := safetensors.Read(checkpointIn(run))
			if err != nil {
				t.Fatal(err)
			}
			f.Tensors = f.Tensors[:1]
			if err := safetensors.Write(path, f); err != nil {
				t.Fatal(err)
			}
		}, []string{"no tensor", "layer0.0.dn.step_size"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			folder := t.TempDir()
			path := checkpointIn(folder)
			c.write(t, path)
			ref(t, "eval", "-checkpoint", path, "-data", data).refused(t, append(c.says, path)...)
			ref(t, "train", "-resume", folder, "-data", data).refused(t, append(c.says, path)...)
		})
	}
	ref(t, "eval", "-checkpoint", filepath.Join(run, "other"), "-data", data).refused(t, filepath.Join(run, "other"), "no such file")
	ref(t, "eval", "-checkpoint", checkpointIn(run), "-data", cifar100(t)).refused(t, checkpointIn(run), "trained on cifar10", "-data", "cifar100")
	ref(t, "eval", "-checkpoint", checkpointIn(run), "-data", data, "-set", "both").refused(t, "-set", `"both"`)
	ref(t, "eval", "-checkpoint", checkpointIn(run), "-data", data, "-type", "double").refused(t, "-type", `"double"`)
}
