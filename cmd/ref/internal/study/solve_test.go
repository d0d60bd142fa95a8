package study

import (
	"context"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"sdref/cmd/ref/internal/cli"
	"sdref/cmd/ref/internal/cli/clitest"
	"sdref/csc"
	"sdref/csc/solve"
	"sdref/tensor"
	"sdref/tensor/npy"
)

// putArray writes a tensor as .npy.
func putArray(t testing.TB, path string, x *tensor.Tensor[float64]) {
	t.Helper()
	clitest.Put(t, path, npy.Encode(npy.Array{Shape: x.Shape, DType: "float64", Data: x.Data}))
}

// putPicture writes a picture of a bright square on a slope, with grey values or a colour.
func putPicture(t testing.TB, path string, side int) {
	t.Helper()
	picture := image.NewRGBA(image.Rect(0, 0, side, side))
	for i := range side * side {
		u, v := i/side, i%side
		level := uint8(60 + u + v/2)
		if u > side/4 && u < side/2 && v > side/3 && v < 3*side/4 {
			level = 220
		}
		picture.SetRGBA(v, u, color.RGBA{level, level / 2, 255 - level, 255})
	}
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := png.Encode(file, picture); err != nil {
		t.Fatal(err)
	}
}

// The code of a user's arrays is the solver's, with every boundary and number of axes, and ref certify agrees with its certificate.
func TestSolve(t *testing.T) {
	for _, c := range []struct {
		x, w []int
		args []string
	}{
		{[]int{2, 2, 9, 8}, []int{3, 2, 3, 3}, []string{"-boundary", "full"}},
		{[]int{1, 1, 8, 8}, []int{4, 1, 3, 3}, []string{"-boundary", "circular", "-solver", "admm", "-nonnegative"}},
		{[]int{1, 2, 8, 8}, []int{4, 2, 3, 3}, []string{"-stride", "2", "-padding", "1", "-mu", "0.1", "-solver", "newton"}},
		{[]int{2, 3, 20}, []int{4, 3, 5}, []string{"-boundary", "full"}},
		{[]int{2, 6}, []int{4, 6}, nil},
	} {
		folder := t.TempDir()
		x, w := tensor.New[float64](c.x...), tensor.New[float64](c.w...)
		tensor.FillUniform(x, 1, 1, 0)
		tensor.FillUniform(w, 2, 1, 0)
		putArray(t, filepath.Join(folder, "x.npy"), x)
		putArray(t, filepath.Join(folder, "w.npy"), w)
		out := filepath.Join(folder, "out")
		r := ref.Works(t, append([]string{"solve", "-x", filepath.Join(folder, "x.npy"), "-w", filepath.Join(folder, "w.npy"), "-lambda", "0.3", "-gap", "1e-8",
			"-iterations", "20000", "-out", out}, c.args...), "gap reached after", "relative gap", "This proves:", "wrote to "+out)
		command := strings.Fields(strings.TrimPrefix(r.Line(t, "ref certify"), "ref "))
		k := ref.Works(t, append(command, "-tolerance", "1e-8"))
		if got, want := k.Line(t, "objective F(z)"), r.Line(t, "objective F(z)"); got != want {
			t.Errorf("%q: certify says %q, solve %q", c.args, got, want)
		}
	}
}

// A solver that does not fit, atoms for other channels, and files that are neither are refused before anything is computed or written.
func TestSolveRefuses(t *testing.T) {
	folder := t.TempDir()
	at := func(name string) string { return filepath.Join(folder, name) }
	x, w := tensor.New[float64](1, 2, 8, 8), tensor.New[float64](3, 2, 3, 3)
	x.Fill(1)
	w.Fill(1)
	putArray(t, at("x.npy"), x)
	putArray(t, at("w.npy"), w)
	putPicture(t, at("p.png"), 20)
	putPicture(t, at("q.png"), 24)
	one := tensor.New[float64](3, 1, 3, 3)
	one.Fill(1)
	putArray(t, at("one.npy"), one)
	clitest.Put(t, at("bad.png"), []byte("no picture"))
	clitest.Put(t, at("note.txt"), []byte("text"))
	for _, c := range []struct {
		args []string
		says []string
	}{
		{[]string{"-x", at("x.npy"), "-w", at("w.npy"), "-solver", "admm"}, []string{"-solver", "circular"}},
		{[]string{"-x", at("x.npy"), "-w", at("w.npy"), "-solver", "best"}, []string{"-solver", `"best"`, "newton"}},
		{[]string{"-x", at("x.npy"), "-w", at("one.npy")}, []string{"1 channels", "2"}},
		{[]string{"-x", at("p.png"), "-w", at("w.npy")}, []string{"-w", "[3 2 3 3]", "(M, 1, K, K)"}},
		{[]string{"-x", at("bad.png"), "-w", at("one.npy")}, []string{"-x", "bad.png", "unknown format"}},
		{[]string{"-x", at("none.png"), "-w", at("one.npy")}, []string{"-x", "none.png"}},
		{[]string{"-x", at("note.txt"), "-w", at("one.npy")}, []string{"-x", "note.txt"}},
		{[]string{"-x", at("p.png"), "-w", at("one.npy"), "-reference", at("q.png")}, []string{"-reference", "q.png"}},
		{[]string{"-x", at("p.png"), "-w", at("one.npy"), "-reference", at("q.png"), "-noise", "3"}, []string{"-noise", "-reference"}},
	} {
		out := at("out")
		ref.Call(t, append([]string{"solve", "-lambda", "0.1", "-boundary", "full", "-out", out}, c.args...)...).Refused(t, c.says...)
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%q left something behind", c.args)
		}
	}
}

// Results are not written over the arrays that are read.
func TestSolveSparesItsInput(t *testing.T) {
	folder := t.TempDir()
	x, w := tensor.New[float64](1, 1, 4, 4), tensor.New[float64](1, 1, 2, 2)
	x.Fill(1)
	w.Fill(0.5)
	putArray(t, filepath.Join(folder, "x.npy"), x)
	putArray(t, filepath.Join(folder, "w.npy"), w)
	ref.Call(t, "solve", "-x", filepath.Join(folder, "x.npy"), "-w", filepath.Join(folder, "w.npy"), "-lambda", "0.1", "-out", folder, "-overwrite").Refused(t, "-out",
		filepath.Join(folder, "x.npy"))
}

// Atoms learned from drawn images take noise out of a picture, and their files serve ref solve. The same call, left out with -short, gives
// the same atoms.
func TestLearnAndDenoise(t *testing.T) {
	folder := t.TempDir()
	at := func(name string) string { return filepath.Join(folder, name) }
	putPicture(t, at("p.png"), 48)
	learn := func(out string, more ...string) clitest.Result {
		return ref.Works(t, append([]string{"learn", "-images", "4", "-atoms", "8", "-side", "5", "-rounds", "3", "-iterations", "50", "-lambda", "0.2", "-out", out},
			more...), "8 atoms of 5 x 5", "4 images of shapes train", "atoms: "+filepath.Join(out, "atoms.npy"))
	}
	learn(at("a"))
	if !testing.Short() {
		learn(at("b"))
		if clitest.Content(t, at("a/atoms.npy")) != clitest.Content(t, at("b/atoms.npy")) {
			t.Error("the same call gives other atoms")
		}
	}
	if rows := strings.Count(clitest.Content(t, at("a/learn.csv")), "\n"); rows != 4 {
		t.Errorf("%d rows", rows)
	}
	learn(at("c"), "-start", at("a/atoms.npy"), "-rounds", "1")
	r := ref.Works(t, []string{"solve", "-x", at("p.png"), "-w", at("a/atoms.npy"), "-boundary", "full", "-lambda", "0.2", "-gap", "1e-3", "-noise", "25",
		"-out", at("s")}, "gap reached")
	fields := strings.Fields(r.Line(t, "PSNR of the image"))
	noisy, err := strconv.ParseFloat(fields[4], 64)
	clean, err2 := strconv.ParseFloat(fields[9], 64)
	if err != nil || err2 != nil || !(noisy > 19.5 && noisy < 21) || !(clean > noisy+2) {
		t.Errorf("%q: %v dB and %v dB", fields, noisy, clean)
	}
	for _, name := range []string{"x.png", "az.png", "z.npy", "certificate.json"} {
		if _, err := os.Stat(at("s/" + name)); err != nil {
			t.Error(err)
		}
	}
}

// Learning from a folder of pictures, in colour, stopped in the middle: the atoms so far are there, and the command that goes on.
func TestLearnInterrupted(t *testing.T) {
	folder := t.TempDir()
	if err := os.MkdirAll(filepath.Join(folder, "in", "below"), 0o755); err != nil {
		t.Fatal(err)
	}
	putPicture(t, filepath.Join(folder, "in", "a.png"), 20)
	putPicture(t, filepath.Join(folder, "in", "below", "b.png"), 24)
	clitest.Put(t, filepath.Join(folder, "in", ".hidden.png"), []byte("not read"))
	ctx, cancel := context.WithCancel(context.Background())
	out := filepath.Join(folder, "out")
	args := []string{"learn", "-data", filepath.Join(folder, "in"), "-colour", "-atoms", "4", "-side", "3", "-rounds", "50", "-iterations", "10", "-out", out}
	r := ref.CallWith(t, ctx, clitest.CancelAt("replaced", cancel), args...)
	if r.Status != cli.ExitInterrupted {
		t.Errorf("status %d, %s", r.Status, r.Err)
	}
	r.Says(t, "2 images: ", "stopped after round 1 of 50", "-start "+filepath.Join(out, "atoms.npy")+" -rounds 49 and another -out goes on")
	ref.Call(t, append(args, "-overwrite", "-start", filepath.Join(out, "atoms.npy"))...).Refused(t, "-out", filepath.Join(out, "atoms.npy"))
	shape, values, err := readArray(filepath.Join(out, "atoms.npy"), "w")
	if err != nil || len(shape) != 4 || shape[0] != 4 || shape[1] != 3 {
		t.Fatalf("%v, %v", shape, err)
	}
	w := tensor.From(values, shape...)
	unit := w.Clone()
	csc.NormalizeAtoms(unit)
	for i, v := range w.Data {
		if d := v - unit.Data[i]; d > 1e-12 || d < -1e-12 {
			t.Fatal("atoms are not of norm 1")
		}
	}
	ref.Call(t, "learn", "-data", out, "-images", "1", "-side", "99").Refused(t, "99")
	empty := t.TempDir()
	ref.Call(t, "learn", "-data", empty).Refused(t, empty, "no image", "PNG")
}

// A solver that is interrupted writes the code so far, certified.
func TestSolveInterrupted(t *testing.T) {
	folder := t.TempDir()
	putPicture(t, filepath.Join(folder, "p.png"), 32)
	w := tensor.New[float64](4, 1, 5, 5)
	tensor.FillUniform(w, 1, 1, 0)
	csc.NormalizeAtoms(w)
	putArray(t, filepath.Join(folder, "w.npy"), w)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	out := filepath.Join(folder, "out")
	r := ref.CallWith(t, ctx, nil, "solve", "-x", filepath.Join(folder, "p.png"), "-w", filepath.Join(folder, "w.npy"), "-boundary", "full", "-lambda", "0.1", "-gap",
		"0", "-out", out)
	if r.Status != cli.ExitInterrupted {
		t.Errorf("status %d, %s", r.Status, r.Err)
	}
	r.Says(t, solve.Interrupted.String()+" after 1 iterations", "stopped; the certificate above")
	if _, err := os.Stat(filepath.Join(out, "z.npy")); err != nil {
		t.Error(err)
	}
}
