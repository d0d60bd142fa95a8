package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sdref/cmd/ref/internal/cli"
	"sdref/cmd/ref/internal/cli/clitest"
	"sdref/internal/kernel"
)

func TestHelp(t *testing.T) {
	first := ref.Works(t, []string{"-help"})
	for _, arg := range []string{"--help", "-h", "help"} {
		if r := ref.Works(t, []string{arg}); r.Out != first.Out {
			t.Errorf("ref %s says something else than ref -help", arg)
		}
	}
	for _, v := range verbs {
		first.Says(t, "\n  "+v.Name+" ", v.Summary)
	}
	for _, r := range kernel.All[float32]() {
		first.Says(t, r.Name)
	}
	if r := ref.Call(t); r.Status != cli.ExitError || r.Err != first.Out || r.Out != "" {
		t.Errorf("without arguments: status %d, %q, %q", r.Status, r.Out, r.Err)
	}
}

func TestHelpOfVerbs(t *testing.T) {
	wanted := map[string][]string{
		"train": {"-data", "-out", "-resume", "-save", "-stop", "-net", "-epochs", "-images", "-seed", "-variant", "-recipe", "-holdout", "-keep-best", "-smoothing", "-mixup", "-stem", "sdnet8_narrow", "220 epochs", "Ctrl-C"},
		"eval": {"-checkpoint", "-data", "-set", "-batch", "-type", "-json", "held", "pretrained:", "-by-class", "-confusion", "-worst", "-csv", "-augment",
			"-verify", "-broken", ".tar.gz", "TIFF"},
		"predict":  {"-checkpoint", "-images", "-top", "-format", "-out", "-broken", "pretrained:", "WebP"},
		"import":   {"-from", "-out", "-list", "-net", "-data", "-classes", "-prefix", "-lambda", "torch.save", "Nothing"},
		"export":   {"-checkpoint", "-out", "-evaluable", "-format", "-layer", "-overwrite", "strict=True", "ONNX Runtime"},
		"robust":   {"-checkpoint", "-data", "-images", "-learn", "-noise", "-lambdas", "-best", "per image", "CIFAR-10-C"},
		"attack":   {"-checkpoint", "-beside", "-norm", "-epsilons", "-steps", "-lambdas", "exit status 1"},
		"table":    {"-net", "-sets", "-checkpoint", "-data", "-quick", "-json", "-csv", "-job", "sdnet34_all", "Table D.1"},
		"figures":  {"-checkpoint", "-data", "-out", "-only", "-images", "-show", "-blocks", "report.html", "pretrained:", "C1, B1, D1"},
		"describe": {"-net", "-data", "-iterations", "sdnet34_all_noshortcut", "imagenet"},
		"check":    {"-vectors", "-type", "1e-10", "Exit status 1"},
		"trace":    {"-checkpoint", "-layer", "-image", "-gap", "-solver", "published, coordinate", "(A.1)", "pretrained:sdnet8_slim"},
		"spectrum": {"-checkpoint", "-net", "-layer", "-vectors", "lambda_max", "pretrained:sdnet8_slim"},
		"solve":    {"-x", "-w", "-lambda", "-boundary", "-solver", "-gap", "-noise", "-reference", "-out", "working-set", "admm for boundary circular"},
		"learn":    {"-data", "-atoms", "-side", "-lambda", "-rounds", "-start", "-colour", "-out", "atoms.npy"},
		"certify":  {"-x-name", "-lambda", "-nonnegative", "-stride", "-boundary", "-tolerance", "-json", "circular", "Exit status 1"},
		"judge":    {"-self", "-explore", "-for", "-seed", "-smoke", "-case", "-faults", "-json", "-junit", "COMMAND", "PRECISION", "Exit status"},
		"cases":    {"-show", "-export", "-format", "-flag", "EXACT", "ID_required"},
		"lab":      {"-export", "-port", "-open", "-source", "WebAssembly", "Ctrl-C"},
		"bench":    {"-run", "-json", "-list", "-job", "-against", "-pair", "latency/NETWORK/batchN", "disturbed", "matmul/1024/TYPE", "winograd"},
		"cpu":      {"processor"},
	}
	for _, v := range verbs {
		r := ref.Works(t, []string{v.Name, "-help"}, append(wanted[v.Name], "ref "+v.Name, "-kernel", "Flags:")...)
		if len(wanted[v.Name]) == 0 {
			t.Errorf("no texts are wanted of ref %s -help", v.Name)
		}
		for _, other := range [][]string{{v.Name, "-h"}, {"help", v.Name}, {v.Name, "-kernel", "sse9", "-help"}} {
			if got := ref.Works(t, other); got.Out != r.Out {
				t.Errorf("ref %q says something else than ref %s -help", other, v.Name)
			}
		}
		for line := range strings.Lines(strings.Split(r.Out, "Flags:")[0]) {
			if len(line) > 102 {
				t.Errorf("ref %s -help: a line of %d letters", v.Name, len(line))
			}
		}
	}
}

// Bad usage is one line, and leaves nothing on the disk.
func TestBadUsage(t *testing.T) {
	data := clitest.CIFAR10(t)
	t.Chdir(t.TempDir())
	train := func(args ...string) []string { return append([]string{"train", "-data", data}, args...) }
	for _, c := range []struct {
		args []string
		says []string
	}{
		{[]string{"tarin"}, []string{`unknown verb "tarin"`, "ref -help"}},
		{[]string{""}, []string{"unknown verb"}},
		{[]string{"-kernel", "generic"}, []string{`unknown verb "-kernel"`}},
		{[]string{"help", "nothing"}, []string{`unknown verb "nothing"`}},
		{train("-epochs", "x"), []string{"-epochs", `"x"`, "ref train -help"}},
		{train("-epochs"), []string{"-epochs", "needs an argument"}},
		{train("-epochs", "0"), []string{"epochs: 0"}},
		{train("-epochs", "99999999999999999999"), []string{"-epochs", "no number of epochs"}},
		{train("-batch", "-3"), []string{"batch: -3"}},
		{train("-images", "-1"), []string{"images: -1"}},
		{train("-images", "11"), []string{"images: 11 of 10"}},
		{train("-seed", "-1"), []string{"-seed"}},
		{train("-augment=perhaps"), []string{"-augment", "perhaps"}},
		{train("-augment", "false"), []string{`unexpected argument "false"`}},
		{train("-schedule", "linear"), []string{"schedule", "linear", "cosine"}},
		{train("-rate", "NaN"), []string{"rate: NaN"}},
		{train("-rate", "-1"), []string{"rate: -1"}},
		{train("-warmup", "300"), []string{"warmup: 300"}},
		{train("-momentum", "1"), []string{"momentum: 1"}},
		{train("-decay", "-1"), []string{"decay: -1"}},
		{train("-lambda", "NaN"), []string{"lambda: NaN"}},
		{train("-mu", "-Inf"), []string{"mu: -Inf"}},
		{train("-iterations", "0"), []string{"iterations: 0"}},
		{train("-iterations", "9000000000000000000"), []string{"iterations: 9000000000000000000"}},
		{train("-variant", "best"), []string{"variant", "best", "published, paper"}},
		{train("-algorithm", "fft"), []string{"algorithm", "fft", "direct, winograd"}},
		{train("-type", "float16"), []string{"type", "float16"}},
		{train("-net", "sdnet19"), []string{"sdnet19", "sdnet18", "sdnet8_narrow"}},
		{train("-save", "-1s"), []string{"-save", "negative"}},
		{train("-recipe", "imagenette"), []string{"-recipe", `"imagenette"`, "cifar, imagenet, short, ", ", demo"}},
		{train("-holdout", "-1"), []string{"holdout: -1"}},
		{train("-holdout", "10"), []string{"holdout: 10 of 10"}},
		{train("-holdout", "3", "-images", "8"), []string{"images: 8 of 10", "3 are held out"}},
		{train("-holdout-every", "2"), []string{"holdout-every: 2", "0 images"}},
		{train("-holdout-every", "-2", "-holdout", "1"), []string{"holdout-every: -2"}},
		{train("-keep-best"), []string{"-keep-best", "-holdout N"}},
		{train("-smoothing", "1"), []string{"smoothing: 1"}},
		{train("-mixup", "9"), []string{"mixup: 9"}},
		{train("-stem", "small"), []string{"stem", `"small"`, "cifar"}},
		{train("-milestones", "30,x"), []string{"-milestones", `"x"`}},
		{train("-milestones", "30,20"), []string{"milestones: [30 20]"}},
		{train("-size", "-1"), []string{"size: -1"}},
		{train("-size", "64"), []string{"64", "32"}},
		{train("-save", "5"), []string{"-save", "ref train -help"}},
		{train("-stop", "-1"), []string{"-stop", "negative"}},
		{[]string{"train", "-data", "nowhere"}, []string{"nowhere", "CIFAR-10"}},
		{[]string{"train", "-resume", "nowhere"}, []string{filepath.Join("nowhere", "checkpoint.safetensors")}},
		{[]string{"eval"}, []string{"-checkpoint is missing", "ref eval -help"}},
		{[]string{"eval", "-checkpoint", "x", "-batch", "0"}, []string{"-batch", "0"}},
		{[]string{"eval", "-checkpoint", "nowhere"}, []string{"nowhere"}},
		{[]string{"import"}, []string{"-from is missing", "ref import -help"}},
		{[]string{"import", "-from", "x"}, []string{"-out is missing", "-list"}},
		{[]string{"import", "-from", "nowhere", "-out", "x"}, []string{"nowhere"}},
		{[]string{"import", "-from", "x", "-out", "y", "-type", "float16"}, []string{"-type", `"float16"`}},
		{[]string{"export"}, []string{"-checkpoint is missing", "ref export -help"}},
		{[]string{"export", "-checkpoint", "x"}, []string{"-out is missing"}},
		{[]string{"export", "-checkpoint", "x", "-out", "y.h5"}, []string{"-out", "y.h5", ".safetensors"}},
		{[]string{"export", "-checkpoint", "nowhere", "-out", "y.pth"}, []string{"nowhere"}},
		{[]string{"describe", "-net", "sdnet19"}, []string{"sdnet19", "sdnet18_all"}},
		{[]string{"describe", "-data", "mnist"}, []string{"mnist", "cifar100"}},
		{[]string{"describe", "-iterations", "0"}, []string{"-iterations", "0"}},
		{[]string{"describe", "-iterations", "9000000000000000000"}, []string{"-iterations"}},
		{[]string{"describe", "-classes", "9000000000000000000"}, []string{"sdnet18", "9000000000000000000 classes", "elements"}},
		{[]string{"describe", "-plan", "training", "-classes", "9000000000000000000"}, []string{"sdnet18", "elements"}},
		{[]string{"describe", "-plan", "training", "-size", "-1"}, []string{"sdnet18", "-1"}},
		{[]string{"describe", "-net", "sdnet34_all", "-size", "65536", "-iterations", "1000000"}, []string{"sdnet34_all", "multiply-adds"}},
		{[]string{"check"}, []string{"-vectors is missing", "ref check -help"}},
		{[]string{"certify"}, []string{"-lambda is missing", "ref certify -help"}},
		{[]string{"certify", "-lambda", "1"}, []string{"-x is missing"}},
		{[]string{"certify", "-lambda", "1", "-x", "nowhere.npy"}, []string{"-x", "nowhere.npy"}},
		{[]string{"certify", "-lambda", "1", "-tolerance", "-1"}, []string{"-tolerance", "-1"}},
		{[]string{"solve"}, []string{"-lambda is missing", "ref solve -help"}},
		{[]string{"solve", "-lambda", "1"}, []string{"-w is missing", "ref solve -help"}},
		{[]string{"solve", "-lambda", "1", "-x", "a.npy", "-noise", "5"}, []string{"-noise", "for images"}},
		{[]string{"solve", "-lambda", "1", "-iterations", "0"}, []string{"-iterations: 0"}},
		{[]string{"learn", "-data", "nowhere"}, []string{"-data", "nowhere"}},
		{[]string{"learn", "-images", "0"}, []string{"-images 0"}},
		{[]string{"learn", "-images", "1", "-atoms", "0"}, []string{"0 atoms"}},
		{[]string{"learn", "-images", "1", "-side", "40"}, []string{"40"}},
		{[]string{"learn", "-images", "1", "-lambda", "0"}, []string{"lambda 0"}},
		{[]string{"judge"}, []string{"-self", "-faults", "COMMAND"}},
		{[]string{"judge", "--"}, []string{"-self", "COMMAND"}},
		{[]string{"judge", "-self", "--", "x"}, []string{"-self", "COMMAND"}},
		{[]string{"judge", "-self", "-case", "nothing"}, []string{"-case", `"nothing"`, "ref cases"}},
		{[]string{"judge", "-self", "-kind", "nothing"}, []string{"-kind", `"nothing"`}},
		{[]string{"judge", "-case", "prox-nonnegative", "--", "./no-such-command"}, []string{"no-such-command"}},
		{[]string{"cases", "-flag", "nothing"}, []string{"-flag", `"nothing"`}},
		{[]string{"figures", "-only", "C1,E5"}, []string{"-only", `"E5"`, "C1, B1, D1"}},
		{[]string{"figures", "-show", "0"}, []string{"-show 0"}},
		{[]string{"figures", "-images", "-1"}, []string{"-images -1"}},
		{[]string{"table", "-net", "sdnet19"}, []string{"sdnet19", "sdnet18_all"}},
		{[]string{"table", "-sets", "mnist"}, []string{"mnist", "cifar100"}},
		{[]string{"table", "-batch", "-1"}, []string{"-batch: -1"}},
		{[]string{"table", "-job", "train/sdnet18"}, []string{"-job", `"train/sdnet18"`, "train/NETWORK/SET"}},
		{[]string{"table", "-checkpoint", "nowhere"}, []string{"-checkpoint", "-data"}},
		{[]string{"table", "-checkpoint", "nowhere", "-data", data}, []string{"nowhere"}},
		{[]string{"check", "-vectors", "nowhere", "-type", "int"}, []string{"-type", `"int"`, "float64"}},
		{[]string{"check", "-vectors", "nowhere"}, []string{"nowhere"}},
	} {
		ref.Call(t, c.args...).Refused(t, c.says...)
	}
	for _, v := range verbs {
		ref.Call(t, v.Name, "-nosuch").Refused(t, "ref "+v.Name, "-nosuch", "ref "+v.Name+" -help")
		ref.Call(t, v.Name, "stray").Refused(t, `unexpected argument "stray"`, "ref "+v.Name+" -help")
		ref.Call(t, v.Name, "-kernel", "sse9").Refused(t, `"sse9"`, "generic")
	}
	if left, err := os.ReadDir("."); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// What a run names to try next are three commands, which work.
func TestNextCommands(t *testing.T) {
	if testing.Short() {
		t.Skip("draws all figures")
	}
	data, out := clitest.CIFAR10(t), filepath.Join(t.TempDir(), "a run")
	r := ref.Works(t, clitest.Short(data, out))
	_, said, found := strings.Cut(r.Out, "what to try next, \"ref\" being go run ./cmd/ref:\n")
	commands := strings.Split(strings.TrimSuffix(said, "\n"), "\n")
	if !found || len(commands) != 3 {
		t.Fatalf("%q", r.Out)
	}
	for _, command := range commands {
		line, ok := strings.CutPrefix(command, "  ref ")
		if !ok {
			t.Fatalf("%q", command)
		}
		args := strings.Fields(strings.ReplaceAll(line, "'"+out, "'OUT"))
		for i, a := range args {
			args[i] = strings.Trim(strings.Replace(a, "OUT", out, 1), "'")
		}
		ref.Works(t, args)
	}
}
