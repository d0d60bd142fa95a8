package convert

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"sdref/cmd/ref/internal/cli"
	"sdref/sdnet"
	"sdref/sdnet/training"
	"sdref/tensor"
	"sdref/tensor/safetensors"
)

// A checkpoint without the optimiser's state predicts the same, and with filters in float16 nearly so, at less than half of the size.
func TestExportCheckpoint(t *testing.T) {
	run, _ := trained(t, "-stop", "2")
	folder, from := t.TempDir(), cli.CheckpointIn(run)
	logits := func(path string) *tensor.Tensor[float64] {
		f, err := safetensors.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		net, _, err := training.LoadNetwork[float64](f)
		if err != nil {
			t.Fatal(err)
		}
		x := tensor.New[float64](2, 3, 32, 32)
		for i := range x.Data {
			x.Data[i] = float64(i%7)/3 - 1
		}
		return sdnet.NewPredictor(net).Logits(x)
	}
	want := logits(from)
	sizes := []int64{size(t, from)}
	for i, c := range []struct {
		args []string
		most float64 // of the differences
	}{{nil, 0}, {[]string{"-half"}, 0.02}} {
		path := filepath.Join(folder, fmt.Sprint(i))
		ref.Works(t, append([]string{"export", "-checkpoint", from, "-format", "checkpoint", "-out", path}, c.args...), "without the optimiser's")
		got, differences := logits(path), 0.
		for j, v := range got.Data {
			differences = max(differences, math.Abs(v-want.Data[j]))
		}
		if differences > c.most || c.most > 0 && differences == 0 {
			t.Errorf("%q: logits differ by %g", c.args, differences)
		}
		sizes = append(sizes, size(t, path))
	}
	if sizes[1] > sizes[0]*2/3 || sizes[2] > sizes[1]*7/10 {
		t.Errorf("sizes %d", sizes)
	}
	ref.Call(t, "export", "-checkpoint", from, "-format", "checkpoint", "-evaluable", "-out", "x").Refused(t, "-evaluable")
	ref.Call(t, "export", "-checkpoint", from, "-half", "-out", "x.pth").Refused(t, "-half", "pth")
}

func size(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}
