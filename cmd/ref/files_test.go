package main

import (
	"os"
	"path/filepath"
	"testing"

	"sdref/cmd/ref/internal/cli"
	"sdref/cmd/ref/internal/cli/clitest"
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
		{"truncated", func(t *testing.T, path string) { clitest.Put(t, path, []byte(clitest.Content(t, path)[:record+100])) }, []string{"record 1", "100 of 3073"}},
		{"ragged", func(t *testing.T, path string) { clitest.Put(t, path, []byte(clitest.Content(t, path)+"x")) }, []string{"record 2", "1 of 3073"}},
		{"empty", func(t *testing.T, path string) { clitest.Put(t, path, nil) }, []string{"empty"}},
		{"label", func(t *testing.T, path string) {
			clitest.Put(t, path, append([]byte{10}, clitest.Content(t, path)[1:]...))
		}, []string{"record 0", "label 10"}},
		{"missing", func(t *testing.T, path string) { clitest.Remove(t, path) }, []string{"no such file"}},
		{"folder", func(t *testing.T, path string) { clitest.Remove(t, path); clitest.Mkdir(t, path) }, []string{"not a regular file"}},
		{"oversized", func(t *testing.T, path string) {
			if err := os.Truncate(path, 200_001*record); err != nil {
				t.Fatal(err)
			}
		}, []string{"more than"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			data := clitest.CIFAR10(t)
			path := filepath.Join(data, "data_batch_3.bin")
			out := filepath.Join(t.TempDir(), "run")
			c.change(t, path)
			ref.Call(t, clitest.Short(data, out)...).Refused(t, append(c.says, path)...)
			if _, err := os.Stat(out); err == nil {
				t.Error("a folder was made")
			}
		})
	}
	ref.Call(t, clitest.Short(t.TempDir(), t.TempDir())...).Refused(t, "holds nothing", "CIFAR-10 or CIFAR-100", "train/ and val/")
	ref.Call(t, clitest.Short(filepath.Join(clitest.CIFAR10(t), "test_batch.bin"), t.TempDir())...).Refused(t, "test_batch.bin")
}

// Checkpoints that are none, for ref eval and for ref train -resume.
func TestBadCheckpoints(t *testing.T) {
	data, run := clitest.CIFAR10(t), t.TempDir()
	ref.Works(t, clitest.Short(data, run, "-stop", "1"))
	good := clitest.Content(t, cli.CheckpointIn(run))
	for _, c := range []struct {
		name  string
		write func(t *testing.T, path string)
		says  []string
	}{
		{"folder", clitest.Mkdir, []string{"not a regular file"}},
		{"empty", func(t *testing.T, path string) { clitest.Put(t, path, nil) }, []string{"an empty file"}},
		{"garbage", func(t *testing.T, path string) {
			clitest.Put(t, path, []byte("\xff\xff\xff\xff\xff\xff\xff\x7fnonsense\n\n"))
		}, []string{"header"}},
		{"text", func(t *testing.T, path string) { clitest.Put(t, path, []byte("epoch,images\n1,2\n3,4\n5,6\n")) }, []string{"a text, no checkpoint"}},
		{"truncated", func(t *testing.T, path string) { clitest.Put(t, path, []byte(good[:len(good)-1])) }, []string{"tensor"}},
		{"too long", func(t *testing.T, path string) { clitest.Put(t, path, []byte(good+"x")) }, []string{"1 bytes after"}},
		{"foreign", func(t *testing.T, path string) {
			if err := safetensors.Write(path, &safetensors.File{Tensors: []safetensors.Tensor{safetensors.New("linear.bias", []int{1}, []float32{0})}}); err != nil {
				t.Fatal(err)
			}
		}, []string{"format", "not a checkpoint of this program"}},
		{"missing tensors", func(t *testing.T, path string) {
			f, err := safetensors.Read(cli.CheckpointIn(run))
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
			path := cli.CheckpointIn(folder)
			c.write(t, path)
			ref.Call(t, "eval", "-checkpoint", path, "-data", data).Refused(t, append(c.says, path)...)
			ref.Call(t, "train", "-resume", folder, "-data", data).Refused(t, append(c.says, path)...)
		})
	}
	ref.Call(t, "eval", "-checkpoint", filepath.Join(run, "other"), "-data", data).Refused(t, filepath.Join(run, "other"), "no such file")
	ref.Call(t, "eval", "-checkpoint", cli.CheckpointIn(run), "-data", clitest.CIFAR100(t)).Refused(t, cli.CheckpointIn(run), "trained on cifar10", "-data", "cifar100")
	ref.Call(t, "eval", "-checkpoint", cli.CheckpointIn(run), "-data", data, "-set", "both").Refused(t, "-set", `"both"`)
	ref.Call(t, "eval", "-checkpoint", cli.CheckpointIn(run), "-data", data, "-type", "double").Refused(t, "-type", `"double"`)
}
