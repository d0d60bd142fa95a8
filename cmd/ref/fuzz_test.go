package main

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"sdref/cmd/ref/internal/cli"
	"sdref/cmd/ref/internal/cli/clitest"
)

// No arguments bring the program down, and every refusal is one line. The arguments are the words of a line. Those that say where
// to write and how much to compute are given again behind it, where they count, and the run is interrupted before its first step.
func FuzzArguments(f *testing.F) {
	for _, line := range []string{
		"", "help", "help train", "-h", "train", "train -help", "train -epochs 1", "train -epochs -1 -batch 0", "train -rate NaN", "train -rate 1e7 -decay Inf",
		"train -type float64 -augment=false", "train -schedule steps -warmup 1", "train -resume run", "train -resume run -stop 3", "train -stop 1 -save 1h",
		"train -save -1ns", "train -seed 18446744073709551615", "train -lambda 1e300 -mu 5e-324", "train -iterations 1001 -variant paper", "train -- -net",
		"eval", "eval -checkpoint run/checkpoint.safetensors", "eval -checkpoint run -set train", "eval -checkpoint run/checkpoint.safetensors -type float64 -batch 3",
		"eval -checkpoint run/epochs.csv -batch 9223372036854775807", "describe", "describe -net sdnet34_all -data imagenet", "describe -iterations 1000000", "describe -plan prediction -classes 4611686018427387904",
		"describe -net", "import -list -from run/checkpoint.safetensors", "import -from run/epochs.csv -net resnet18", "import -classes -1 -prefix x.",
		"export -checkpoint run/checkpoint.safetensors -evaluable", "export -checkpoint pretrained:x", "check", "check -type float32", "check -kernel generic", "cpu", "cpu -kernel=", "cpu -kernel avx2 extra", "\x00 \xff", "train -net \x1b[2J", "cpu -",
	} {
		f.Add(line)
	}
	folder, data := f.TempDir(), clitest.CIFAR10(f)
	ref.Works(f, clitest.Short(data, filepath.Join(folder, "run"), "-net", "resnet8_narrow", "-stop", "1"))
	f.Fuzz(func(t *testing.T, line string) {
		t.Chdir(folder)
		args := strings.Fields(line)
		if len(args) > 0 {
			args = append(args, map[string][]string{
				"train":  {"-data", data, "-net", "resnet8_narrow", "-images", "2", "-out", filepath.Join(t.TempDir(), "out")},
				"eval":   {"-data", data},
				"check":  {"-vectors", data},
				"import": {"-out", filepath.Join(t.TempDir(), "out.safetensors")},
				"export": {"-out", filepath.Join(t.TempDir(), "out.pth")},
			}[args[0]]...)
			if strings.Contains(line, "-resume") {
				args = append(strings.Fields(line), "-data", data)
			}
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		switch r := ref.CallWith(t, ctx, nil, args...); {
		case len(args) == 0:
		case r.Status == cli.ExitError:
			r.Refused(t)
		case r.Status != 0 && r.Status != cli.ExitInterrupted || r.Err != "" && !strings.HasPrefix(r.Err, "evaluated "):
			t.Errorf("ref %q: status %d, %q", args, r.Status, r.Err)
		}
	})
}
