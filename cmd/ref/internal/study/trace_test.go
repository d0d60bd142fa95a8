package study

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sdref/cmd/ref/internal/cli"
	"sdref/cmd/ref/internal/cli/clitest"
	"sdref/csc"
	"sdref/csc/solve"
	"sdref/sdnet"
	"sdref/sdnet/data"
	"sdref/sdnet/figures"
	"sdref/sdnet/training"
	"sdref/tensor"
	"sdref/tensor/safetensors"
)

// tracedRows reads the CSV file of a trace: the named columns of every row, by "SOLVER k".
func tracedRows(t *testing.T, folder string) map[string]map[string]float64 {
	t.Helper()
	records, err := csv.NewReader(strings.NewReader(clitest.Content(t,
		filepath.Join(folder, "trace.csv")))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]map[string]float64{}
	for _, r := range records[1:] {
		row := map[string]float64{}
		for i, name := range records[0] {
			if v, err := strconv.ParseFloat(r[i], 64); err == nil {
				row[name] = v
			}
		}
		rows[r[0]+" "+r[1]] = row
	}
	return rows
}

// networkAndImage is a checkpoint's network, ready to evaluate in float64, and image i of the test set in a
// folder.
func networkAndImage(t *testing.T, checkpoint, set string, i int) (*sdnet.Network[float64],
	*tensor.Tensor[float64]) {
	t.Helper()
	file, err := safetensors.Read(checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	net, _, err := training.LoadNetwork[float64](file)
	if err != nil {
		t.Fatal(err)
	}
	d, err := data.OpenCIFAR(set)
	if err != nil {
		t.Fatal(err)
	}
	image := tensor.New[float64](1, 3, 32, 32)
	data.NewNormaliser[float64](d.Mean, d.Std).Plain(image.Data, d.Test, []int{i})
	return net.Evaluable(), image
}

// about reports an error unless two numbers agree to 1e-10 of the second.
func about(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= 1e-10*math.Abs(want)) {
		t.Errorf("%s: %.17g, want %.17g", what, got, want)
	}
}

// Every number of the stem's trace is that of package csc's FISTA, stopped after k iterations.
func TestTraceNumbers(t *testing.T) {
	data, run, out := clitest.CIFAR10(t), t.TempDir(), filepath.Join(t.TempDir(), "out")
	ref.Works(t, clitest.Short(data, run, "-stop", "1"))
	ref.Works(t, []string{"trace", "-checkpoint", cli.CheckpointIn(run), "-data", data, "-image", "2",
		"-iterations", "6", "-mu", "0.05", "-out", out})
	rows := tracedRows(t, out)
	net, x := networkAndImage(t, cli.CheckpointIn(run), data, 2)
	l := net.Layers[0]
	s := l.Settings
	s.Mu = 0.05
	for name, variant := range map[string]csc.Variant{"fista": csc.Paper, "published": csc.Published} {
		before := tensor.New[float64](1, l.Weight.Shape[0], 32, 32)
		for k, m := 1, 1.0; k <= 6; k, m = k+1, (1+math.Sqrt(1+4*m*m))/2 {
			s.Variant, s.Iterations = variant, k
			z := csc.Solve(x, l.Weight, l.StepSize.Data[0], s)
			total, sparsity, ridge, fidelity := csc.Objective(x, z, l.Weight, s)
			tensor.AddScaled(before, z, before, -1)
			row := rows[fmt.Sprint(name, " ", k)]
			for column, want := range map[string]float64{"m": m, "objective": total, "sparsity": sparsity,
				"ridge": ridge, "fidelity": fidelity,
				"change": math.Sqrt(tensor.SumSquares(before)), "nonzeros": float64(tensor.CountNonzero(z)),
				"step": l.StepSize.Data[0]} {
				about(t, fmt.Sprint(name, ", k = ", k, ": ", column), row[column], want)
			}
			if gap := row["gap"]; !(gap > 0 && gap <= total) || row["relative_gap"] != gap/row["objective"] {
				t.Errorf("%s, k = %d: gap %g of objective %g, relative %g", name, k, gap, total,
					row["relative_gap"])
			}
			before = z.Clone()
		}
	}
}

// The trace of a layer deep inside a network, at the network's number of iterations, is the code that the
// network computes.
func TestTraceOfDeepLayer(t *testing.T) {
	data, run, out := clitest.CIFAR10(t), t.TempDir(), t.TempDir()
	ref.Works(t, clitest.Short(data, run, "-net", "sdnet8_all_narrow", "-stop", "1", "-lambda", "0.02"))
	const layer = "layer2.layers.0.conv1.dn" // at stride 2
	ref.Works(t, []string{"trace", "-checkpoint", cli.CheckpointIn(run), "-data", data, "-image", "1",
		"-layer", layer, "-solver", "published",
		"-iterations", "2", "-out", out}, "layer "+layer+" of sdnet8_all_narrow", "stride 2", "0.02 |z|_1")
	row := tracedRows(t, out)["published 2"]
	net, x := networkAndImage(t, cli.CheckpointIn(run), data, 1)
	p := sdnet.NewPredictor(net)
	seen := false
	p.Observe = func(name string, z *tensor.Tensor[float64]) {
		if name == layer {
			seen = true
			about(t, "nonzeros", row["nonzeros"], float64(tensor.CountNonzero(z)))
			about(t, "lambda |z|_1", row["sparsity"], 0.02*tensor.SumAbs(z))
		}
	}
	p.Logits(x)
	if !seen {
		t.Error("the network has no such layer")
	}
}

// The page and the files: one line for each iteration, numbers given on the command line, pictures that can
// be read.
func TestTracePage(t *testing.T) {
	out := filepath.Join(t.TempDir(), "a", "b")
	args := []string{"trace", "-data", clitest.CIFAR10(t), "-iterations", "7", "-solver", "published,ista",
		"-lambda", "0.5", "-step", "0.005", "-out", out}
	r := ref.Works(t, args, "(A.1), first line", "(A.1), second line", "(A.1), third line", "(A.2)", "(A.3)",
		"(B.1)", "image 0 of ", "signal x 3 x 32 x 32, code z 64 x 32 x 32, atoms 3 x 3",
		"F(z) = 0.5 |z|_1 + |x - A z|^2/2", "z >= 0", "t = 0.005 was given", "of 65536", "solver ista: ",
		"solver published: ",
		"iterations used up after 7 iterations", "the network stops at k = 2",
		"the least F is proven to lie between", "wrote to "+out+": trace.csv")
	for k := 1; k <= 7; k++ {
		if n := strings.Count(r.Out, fmt.Sprintf("\n  %d  ", k)); n != 2 {
			t.Errorf("%d lines of iteration %d, want one for each solver:\n%s", n, k, r.Out)
		}
	}
	r.Line(t, "  1    -  ") // ista has no momentum
	for _, name := range []string{"gap", "nonzeros", "codes"} {
		if _, err := png.Decode(strings.NewReader(clitest.Content(t,
			filepath.Join(out, name+".png")))); err != nil {
			t.Errorf("%s.png: %v", name, err)
		}
		if svg := clitest.Content(t, filepath.Join(out, name+".svg")); !strings.HasPrefix(svg, "<?xml") ||
			!strings.Contains(svg, "</svg>") {
			t.Errorf("%s.svg begins with %.20q", name, svg)
		}
		if !strings.Contains(clitest.Content(t, filepath.Join(out, "trace.md")), "("+name+".svg)") {
			t.Errorf("trace.md does not show %s.svg", name)
		}
	}
	page, _, _ := strings.Cut(r.Out, "\nwrote ")
	if !strings.Contains(clitest.Content(t, filepath.Join(out, "trace.md")), page) {
		t.Error("trace.md does not have the page")
	}
	if rows := tracedRows(t, out); len(rows) != 14 || rows["ista 7"]["step"] != 0.005 ||
		rows["ista 7"]["m"] != 0 {
		t.Errorf("%d rows of numbers; ista 7: %v", len(rows), rows["ista 7"])
	}
	if again := ref.Works(t, append(args, "-overwrite")); again.Out != r.Out {
		t.Error("the same call says something else")
	}
}

// The first step of each loop is (A.1) from y_1 = 0, and no solver's objective falls below the least that
// another one proved.
func TestTraceSolvers(t *testing.T) {
	if testing.Short() {
		t.Skip("six solvers and their plots")
	}
	out := t.TempDir()
	ref.Works(t, []string{"trace", "-data", clitest.CIFAR10(t), "-iterations", "8", "-solver",
		"ista,fista,published,fista-gradient-restart,working-set,newton", "-out", out})
	rows, proved := tracedRows(t, out), 0.0
	for _, row := range rows {
		proved = max(proved, row["objective"]-row["gap"])
	}
	for _, s := range tracedSolvers {
		about(t, s.name+": first objective", rows[s.name+" 1"]["objective"], rows["fista 1"]["objective"])
	}
	for at, row := range rows {
		if row["objective"] < proved*(1-1e-12) {
			t.Errorf("%s: objective %g, but it is proved to be at least %g", at, row["objective"], proved)
		}
	}
}

// What is written is the problem itself: ref certify, called as the trace says, finds the objective and the
// gap of its last line.
func TestTraceCertify(t *testing.T) {
	out := t.TempDir()
	r := ref.Works(t, []string{"trace", "-data", clitest.CIFAR10(t), "-iterations", "12", "-mu", "0.25",
		"-solver", "fista", "-out", out})
	row := tracedRows(t, out)["fista 12"]
	json := filepath.Join(out, "certificate.json")
	ref.Works(t, append(strings.Fields(r.Line(t, "ref certify "))[1:], "-json", json))
	text := clitest.Content(t, json)
	for column, name := range map[string]string{"objective": "objective", "gap": "gap",
		"nonzeros": "nonzeros"} {
		_, after, _ := strings.Cut(strings.ToLower(text), `"`+name+`":`)
		value, _, _ := strings.Cut(strings.TrimSpace(after), ",")
		got, err := strconv.ParseFloat(value, 64)
		if err != nil {
			t.Fatalf("%s: %v in %s", name, err, text)
		}
		about(t, column, got, row[column])
	}
}

// Long traces are shortened to some forty lines, but never the beginning, what the network computes, nor the
// end.
func TestTraceInTable(t *testing.T) {
	for _, n := range []int{1, 7, 40, 41, 1000, 99_999} {
		w, count := solverRun{records: make([]solve.Record, n)}, 0
		for i := range n {
			if w.inTable(i, 14) {
				count++
			}
		}
		if count > 43 || n <= 30 && count < n {
			t.Errorf("%d of %d records are shown", count, n)
		}
		for _, i := range []int{0, 9, 13, n - 1} {
			if i < n && !w.inTable(i, 14) {
				t.Errorf("record %d of %d is not shown", i, n)
			}
		}
	}
}

func TestTraceBadUsage(t *testing.T) {
	data, run := clitest.CIFAR10(t), t.TempDir()
	ref.Works(t, clitest.Short(data, run, "-net", "resnet8_narrow", "-stop", "1"))
	file := filepath.Join(t.TempDir(), "file")
	clitest.Put(t, file, []byte("x"))
	truncated := filepath.Join(t.TempDir(), "truncated")
	clitest.Put(t, truncated, []byte(clitest.Content(t, cli.CheckpointIn(run))[:1000]))
	for _, c := range []struct {
		args []string
		says []string
	}{
		{[]string{"-iterations", "0"}, []string{"-iterations", "0"}},
		{[]string{"-iterations", "100001"}, []string{"-iterations", "100001"}},
		{[]string{"-lambda", "NaN"}, []string{"-lambda", "NaN"}},
		{[]string{"-mu", "-1"}, []string{"-mu", "-1"}},
		{[]string{"-gap", "-1"}, []string{"-gap", "-1"}},
		{[]string{"-step", "0"}, []string{"-step", "0"}},
		{[]string{"-step", "Inf"}, []string{"-step", "Inf"}},
		{[]string{"-solver", "fista,best"}, []string{"-solver", `"best"`, "gradient-restart"}},
		{[]string{"-solver", ""}, []string{"-solver", `""`}},
		{[]string{"-solver", "admm"}, []string{"-solver", "circular"}},
		{[]string{"-solver", "ista,ista"}, []string{"-solver", "ista", "twice"}},
		{[]string{"-set", "both"}, []string{"-set", `"both"`}},
		{[]string{"-image", "4"}, []string{"-image", "0 to 3", "4"}},
		{[]string{"-image", "-1"}, []string{"-image", "-1"}},
		{[]string{"-layer", "layer9"}, []string{"-layer", `"layer9"`, "it has layer0.0.dn"}},
		{[]string{"-data", "nowhere"}, []string{"nowhere"}},
		{[]string{"-checkpoint", "nowhere"}, []string{"nowhere"}},
		{[]string{"-checkpoint", truncated}, []string{truncated}},
		{[]string{"-checkpoint", "pretrained:nothing"}, []string{`"nothing"`, "sdnet8_slim"}},
		{[]string{"-checkpoint", cli.CheckpointIn(run)}, []string{"resnet8_narrow", "no CSC layer"}},
		{[]string{"-iterations", "1", "-out", filepath.Join(file, "x")}, []string{"-out", file}},
	} {
		ref.Call(t, append([]string{"trace", "-data", data}, c.args...)...).Refused(t, c.says...)
	}
}

// A code map is white where it is 0, bluer the larger, red where negative; an image gets its colours back
// from the normalised signal.
func TestTracePictures(t *testing.T) {
	m := codePicture([]float64{0, 2, 1, -2, 0, 0}, 3, 2, 2)
	if m.Bounds() != image.Rect(0, 0, 6, 4) {
		t.Errorf("6 elements in rows of 3, two pixels each, give %v", m.Bounds())
	}
	for at, want := range map[image.Point]color.NRGBA{
		{X: 0, Y: 0}: {255, 255, 255, 255}, {X: 3, Y: 1}: {0, 85, 255, 255},
		{X: 4, Y: 0}: {128, 170, 255, 255}, {X: 1, Y: 3}: {255, 85, 0, 255},
		{X: 5, Y: 2}: {255, 255, 255, 255},
	} {
		if got := m.At(at.X, at.Y); got != want {
			t.Errorf("pixel %v is %v, want %v", at, got, want)
		}
	}
	set := data.Shapes(1, 1, 1)
	x := tensor.New[float64](1, 3, 32, 32)
	data.NewNormaliser[float64](set.Mean, set.Std).Plain(x.Data, set.Test, []int{0})
	tr := &trace{mean: set.Mean, std: set.Std, stem: true, problem: &solve.Problem[float64]{X: x}}
	drawn, bytes := tr.picture(x), set.Test.Image(0)
	for i := range 1024 {
		if got, want := drawn.At(i%32, i/32),
			(color.NRGBA{bytes[i], bytes[1024+i], bytes[2048+i], 255}); got != want {
			t.Fatalf("pixel %d is %v, the image has %v", i, got, want)
		}
	}
	z := tensor.From([]float64{1, 0, -2, 2, 0, 3, 0, 1}, 1, 4, 1, 2)
	if got := figures.MostUsed(z, 3); !slices.Equal(got, []int{1, 2, 0}) {
		t.Errorf("the atoms used most are %v", got)
	}
}

// A solver stops at the given iteration or gap.
func TestTraceGap(t *testing.T) {
	out := t.TempDir()
	ref.Works(t, []string{"trace", "-data", clitest.CIFAR10(t), "-iterations", "60", "-gap", "0.5", "-solver",
		"fista", "-out", out}, "gap reached after ")
	rows := tracedRows(t, out)
	n := len(rows)
	if last, before := rows[fmt.Sprint("fista ", n)], rows[fmt.Sprint("fista ", n-1)]; n < 5 || n >= 60 ||
		last["relative_gap"] > 0.5 || before["relative_gap"] <= 0.5 {
		t.Errorf("%d iterations, the last two relative gaps are %g and %g", n, before["relative_gap"],
			last["relative_gap"])
	}
}

// Ctrl-C leaves no files behind.
func TestTraceInterrupted(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r := ref.CallWith(t, ctx, new(bytes.Buffer), "trace", "-data", clitest.CIFAR10(t), "-iterations",
		"100000", "-out", out)
	if r.Status != cli.ExitInterrupted || r.Out != "" {
		t.Errorf("status %d, %q", r.Status, r.Out)
	}
	if left, err := os.ReadDir(out); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// A solver that does not fit is refused before another one has run, and the help lists those that fit.
func TestTraceSolverThatDoesNotFit(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	ref.Call(t, "trace", "-iterations", "3", "-solver", "fista,admm", "-out", out).Refused(t, "-solver admm", "circular")
	if _, err := os.Stat(out); err == nil {
		t.Error("something was written")
	}
	help := ref.Works(t, []string{"trace", "-help"}, "newton", "working-set")
	if strings.Contains(help.Out, "admm") {
		t.Error("the help lists a solver that is always refused")
	}
}

// Images of a folder with a folder for each class serve trace and spectrum, brought to the network's size.
func TestFolderOfImages(t *testing.T) {
	folder := t.TempDir()
	for _, part := range []string{"train", "val"} {
		for _, class := range []string{"a", "b"} {
			if err := os.MkdirAll(filepath.Join(folder, part, class), 0o755); err != nil {
				t.Fatal(err)
			}
			putPicture(t, filepath.Join(folder, part, class, "p.png"), 50)
		}
	}
	ref.Works(t, []string{"trace", "-iterations", "2", "-data", folder, "-image", "1", "-solver", "fista"}, "image 1 of val of "+folder+": b",
		"signal x 3 x 32 x 32")
	ref.Works(t, []string{"trace", "-iterations", "2", "-data", folder, "-set", "train", "-solver", "fista"}, "image 0 of train of "+folder+": a")
	ref.Call(t, "trace", "-data", folder, "-image", "2").Refused(t, "-image", "images 0 to 1")
	ref.Works(t, []string{"spectrum", "-data", folder, "-images", "1", "-iterations", "2"}, "1 images of val of "+folder)
}
