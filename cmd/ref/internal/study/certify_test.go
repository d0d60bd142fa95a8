package study

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sdref/cmd/ref/internal/cli"
	"sdref/conv"
	"sdref/csc/solve"
	"sdref/tensor"
	"sdref/tensor/npy"
	"sdref/tensor/safetensors"
)

// certifyFiles writes a problem and its solution to a folder: x and w as .npy, z as .safetensors under
// another name.
func certifyFiles(t *testing.T) (p *solve.Problem[float64], z *tensor.Tensor[float64], dir string,
	args []string) {
	t.Helper()
	w := draw(2, 4, 2, 3, 3)
	p = &solve.Problem[float64]{
		A: solve.ZeroPadded(w, conv.Geometry{Stride: 2, Padding: 1}), X: draw(1, 2, 2, 7, 8), Lambda: 0.5,
		Mu: 0.125, Nonnegative: true,
	}
	z = solve.Newton[float64]{}.Solve(p, solve.Stop{RelativeGap: 1e-13, Iterations: 50}, nil).Z
	dir = t.TempDir()
	for name, v := range map[string]*tensor.Tensor[float64]{"x": p.X, "w": w} {
		if err := npy.Write(filepath.Join(dir, name+".npy"),
			npy.Array{Shape: v.Shape, DType: "float64", Data: v.Data}); err != nil {
			t.Fatal(err)
		}
	}
	writeCode(t, filepath.Join(dir, "z.safetensors"), z)
	return p, z, dir, []string{"certify", "-x", filepath.Join(dir, "x.npy"), "-w",
		filepath.Join(dir, "w.npy"), "-z", filepath.Join(dir, "z.safetensors"),
		"-z-name", "code", "-stride", "2", "-padding", "1", "-lambda", "0.5", "-mu", "0.125", "-nonnegative"}
}

// draw draws values from -1 to 1.
func draw(seed uint64, shape ...int) *tensor.Tensor[float64] {
	t := tensor.New[float64](shape...)
	tensor.FillUniform(t, seed, 1, 0)
	return t
}

func writeCode(t *testing.T, path string, z *tensor.Tensor[float64]) {
	t.Helper()
	if err := safetensors.Write(path, &safetensors.File{Tensors: []safetensors.Tensor{safetensors.New("code",
		z.Shape, z.Data)}}); err != nil {
		t.Fatal(err)
	}
}

// The command accepts a solution and prints the numbers of package solve, and rejects a changed one.
func TestCertify(t *testing.T) {
	p, z, dir, args := certifyFiles(t)
	report := filepath.Join(dir, "report.json")
	want := solve.Certify(p, z)
	ref.Works(t, append(args, "-tolerance", "1e-12", "-json", report), fmt.Sprintf("%.15g", want.Objective),
		"This proves:",
		fmt.Sprintf("%d of %d elements", want.Nonzeros, want.Elements), "|z - z*| <= ", "z* is not 0")
	data, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Objective, Gap float64
		Images         []struct{ Objective float64 }
	}
	if err := json.Unmarshal(data, &got); err != nil || got.Objective != want.Objective ||
		got.Gap != want.Gap || len(got.Images) != 2 {
		t.Errorf("the report is %s, %v; want objective %g, gap %g", data, err, want.Objective, want.Gap)
	}
	z.Data[7] += 0.1
	writeCode(t, filepath.Join(dir, "z.safetensors"), z)
	if r := ref.Call(t, append(args, "-tolerance", "1e-12")...); r.Status != cli.ExitFailed ||
		!strings.Contains(r.Out, "FAIL") {
		t.Errorf("a spoiled code: status %d, %s", r.Status, r.Out)
	}
	z.Data[7] = -1
	writeCode(t, filepath.Join(dir, "z.safetensors"), z)
	if r := ref.Call(t, append(args, "-tolerance", "1", "-json", report, "-overwrite")...); r.Status != cli.ExitFailed ||
		!strings.Contains(r.Out, "not allowed: its smallest element is -1") {
		t.Errorf("a negative code: status %d, %s", r.Status, r.Out)
	}
}

// Bad input is one line that names flag and file.
func TestCertifyRefuses(t *testing.T) {
	_, z, dir, args := certifyFiles(t)
	with := func(more ...string) []string { return append(append([]string(nil), args...), more...) }
	cut := filepath.Join(dir, "cut.npy")
	whole, err := os.ReadFile(filepath.Join(dir, "x.npy"))
	if err == nil {
		err = os.WriteFile(cut, whole[:len(whole)-3], 0o600)
	}
	flat := filepath.Join(dir, "flat.npy")
	if err == nil {
		err = npy.Write(flat, npy.Array{Shape: []int{z.Len()}, DType: "float64", Data: z.Data})
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ args, says []string }{
		{with("-x", cut), []string{"-x", "cut.npy"}},
		{with("-z-name", "nothing"), []string{"-z", "nothing"}},
		{with("-z", flat), []string{"-z", "flat.npy", "two to four dimensions"}},
		{with("-w", filepath.Join(dir, "x.npy")), []string{"w"}},
		{with("-stride", "1"), []string{"-z", "[2 4 4 4]", "[2 4 7 8]"}},
		{with("-stride", "0"), []string{"-stride 0"}},
		{with("-padding", "-1"), []string{"padding -1"}},
		{with("-lambda", "-1"), []string{"lambda -1"}},
		{with("-mu", "NaN"), []string{"mu NaN"}},
		{with("-boundary", "mirror"), []string{"-boundary", `"mirror"`, "circular"}},
		{with("-boundary", "circular"), []string{"boundary circular has none"}},
		{with("-tolerance", "NaN"), []string{"-tolerance"}},
	} {
		ref.Call(t, c.args...).Refused(t, c.says...)
	}
}

// Signals of one axis and vectors. Atoms that do not overlap have a closed form: z = soft(A*x, lambda).
func TestCertifyAxes(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, values []float64, shape ...int) string {
		path := filepath.Join(dir, name+".npy")
		if err := npy.Write(path, npy.Array{Shape: shape, DType: "float64", Data: values}); err != nil {
			t.Fatal(err)
		}
		return path
	}
	solved, spoiled := []string{"-tolerance", "1e-15"}, []float64{2, 0, 0, -1}
	unit := file("unit", []float64{1, 0, 0, 1}, 2, 2) // two vectors as atoms
	vectors := []string{"certify", "-lambda", "1", "-w", unit, "-x",
		file("x", []float64{3, 0.5, -1, -2}, 2, 2), "-z"}
	ref.Works(t, append(append(vectors, file("z", []float64{2, 0, 0, -1}, 2, 2)), solved...),
		"relative gap       0 ")
	spoiled[0] = 1.5
	if r := ref.Call(t, append(append(vectors, file("bad", spoiled, 2, 2)),
		solved...)...); r.Status != cli.ExitFailed {
		t.Errorf("a spoiled code: status %d, %s", r.Status, r.Out)
	}
	// One atom (1, 1)/2 of two places at stride 2; |atom|^2 = 1/2, so z = 2 soft(A*x, lambda).
	line := []string{"certify", "-lambda", "1", "-stride", "2", "-w",
		file("atom", []float64{0.5, 0.5}, 1, 1, 2), "-x",
		file("line", []float64{3, 3, 1, 0, -4, -1}, 1, 1, 6), "-z"}
	ref.Works(t, append(append(line, file("code", []float64{4, 0, -3}, 1, 1, 3)), solved...),
		"support            2 of 3 elements")
	ref.Call(t, append(line, file("code", []float64{4, 0, -3}, 1, 1, 3), "-padding", "1")...).Refused(t,
		"-padding 1", "one axis")
	ref.Call(t, append(vectors, file("code", []float64{4, 0, -3}, 1, 1, 3))...).Refused(t, "[2 2]", "[1 1 3]",
		"number of axes")
	ref.Call(t, append(vectors, file("z", []float64{2, 0, 0, -1}, 2, 2), "-padding", "2")...).Refused(t,
		"-padding 2", "vectors")
}
