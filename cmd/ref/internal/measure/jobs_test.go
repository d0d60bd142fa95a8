package measure

import (
	"context"
	"encoding/json"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"sdref/cmd/ref/internal/cli"
	"sdref/conv"
	"sdref/csc"
	"sdref/csc/solve"
	"sdref/sdnet"
	"sdref/tensor"
)

// The three contractions of a job are those of package conv, and their operations those of the definition.
func TestContractions(t *testing.T) {
	g := conv.Geometry{Stride: 2, Padding: 1}
	xShape, wShape := []int{2, 3, 6, 8}, []int{5, 3, 3, 3}
	x, w, y := uniform[float64](1, xShape...), uniform[float64](2, wShape...), uniform[float64](3, 2, 5, 3, 4)
	for name, direct := range map[string]func(){
		"forward":   func() { conv.Forward(y, x, w, g) },
		"transpose": func() { conv.Transpose(x, y, w, g) },
		"filter":    func() { conv.WeightGradient(w, x, y, g) },
	} {
		call, flops := contraction[float64](name, xShape, wShape, g)
		// Each of 2 x 5 x 3 x 4 outputs is a sum over 3 x 3 x 3 products; a product and its sum are two operations.
		if want := 2.0 * 120 * 27; flops != want {
			t.Errorf("%s: %g operations, want %g", name, flops, want)
		}
		call()
		direct()
	}
}

// Work that takes a known time has that rate, on all threads and on one, whose number is as before afterwards.
func TestRates(t *testing.T) {
	threads := runtime.GOMAXPROCS(0)
	nap := func() { time.Sleep(10 * time.Millisecond) }
	r := arithmeticResult[float32]("nap", nap, 5e9, 100*time.Millisecond)
	for _, s := range []*threadSpeed{r.All, r.One} {
		if threads == 1 && s == r.One {
			continue
		}
		if s == nil || !(s.Rate > 5 && s.Rate <= 500) || !(s.Ratio > 0) || s.Pairs < 1 {
			t.Fatalf("%+v of at most 500 GFLOP/s", s)
		}
	}
	if r.GFLOPS != r.All.Rate || r.ShareOfPeak != r.All.Ratio || r.Name != "nap" || r.ImagesPerSec != 0 {
		t.Errorf("%+v", r)
	}
	n := networkResult("naps", nap, 3, 100*time.Millisecond)
	if !(n.ImagesPerSec > 3 && n.ImagesPerSec <= 300) || n.GFLOPS != 0 {
		t.Errorf("%+v of at most 300 images/s", n)
	}
	if now := runtime.GOMAXPROCS(0); now != threads {
		t.Errorf("%d threads, before there were %d", now, threads)
	}
	alone := singleThreadJob(benchJob{name: "x", run: func() benchResult { return benchResult{Gaps: make([]gapTime, runtime.GOMAXPROCS(0))} }})
	defer runtime.GOMAXPROCS(threads)
	if r := alone.run(); alone.name != "x/alone" || r.Name != "x/alone" || len(r.Gaps) != 1 {
		t.Errorf("%s: %+v", alone.name, r)
	}
}

// The training step and the prediction that are measured are those of the network: the step moves weights, and speeds are positive.
func TestNetworkWork(t *testing.T) {
	net := benchNetwork("sdnet8_narrow", "cifar10", conv.Winograd)
	if net.Algorithm != conv.Winograd || net.Data.Name != "cifar10" {
		t.Errorf("%s, %v", net.Spec, net.Algorithm)
	}
	same := benchNetwork("sdnet8_narrow", "cifar10", conv.Winograd)
	if net.Digest() != same.Digest() {
		t.Error("two networks of a job differ")
	}
	trainStep(net, 4)()
	other := sdnet.NewTrainer(same, 0.9, 5e-4)
	other.Step(uniform[float32](1, 4, 3, 32, 32), []int{0, 1, 2, 3}, 0.01)
	if net.Digest() != same.Digest() {
		t.Error("the step of a job is another than a Trainer's")
	}
	if v := predictSpeed(net, 2, time.Millisecond); !(v > 0) || math.IsInf(v, 0) {
		t.Errorf("%g images/s", v)
	}
	if v := trainSpeed(net, 2, time.Millisecond); !(v > 0) || math.IsInf(v, 0) {
		t.Errorf("%g images/s", v)
	}
}

// The atoms of the solvers' problems have norm 1 and are different, and at lambda_max, five times the image's lambda, 0 is the solution.
func TestSolveProblems(t *testing.T) {
	for name, w := range map[string]*tensor.Tensor[float64]{"random": randomAtoms(), "gabor": gaborAtoms()} {
		if !slices.Equal(w.Shape, []int{64, 1, 8, 8}) {
			t.Fatalf("%s: %v", name, w.Shape)
		}
		for m := range 64 {
			for n := range m + 1 {
				dot := tensor.Dot(w.Row(m), w.Row(n))
				if m == n && math.Abs(dot-1) > 1e-12 || m != n && math.Abs(dot) > 0.999 {
					t.Errorf("%s: atoms %d and %d have the product %g", name, m, n, dot)
				}
			}
		}
	}
	p := imageProblem(solve.Circular(gaborAtoms()))
	if mean := tensor.Sum(p.X) / 65536; math.Abs(mean) > 1e-12 {
		t.Errorf("mean %g", mean)
	}
	zero := tensor.New[float64](p.CodeShape()...)
	if c := solve.Certify(p, zero); c.RelativeGap < 0.01 {
		t.Errorf("0 has the relative gap %g at lambda %g", c.RelativeGap, p.Lambda)
	}
	p.Lambda *= 5 * (1 + 1e-12)
	if c := solve.Certify(p, zero); c.RelativeGap > 1e-9 {
		t.Errorf("0 has the relative gap %g at lambda_max", c.RelativeGap)
	}
	for _, nonnegative := range []bool{false, true} {
		p := stemProblem(nonnegative)
		if !slices.Equal(p.X.Shape, []int{8, 3, 32, 32}) || !slices.Equal(p.CodeShape(), []int{8, 64, 32, 32}) || p.Lambda != 0.1 || p.Nonnegative != nonnegative {
			t.Errorf("%v, %v, %+v", p.X.Shape, p.CodeShape(), p)
		}
	}
}

// The times to the gaps are in order, and so many iterations do reach each gap.
func TestTimeToGaps(t *testing.T) {
	w := uniform[float64](1, 3, 1, 3, 3)
	csc.NormalizeAtoms(w)
	p := &solve.Problem[float64]{A: solve.Circular(w), X: uniform[float64](2, 1, 1, 8, 8), Lambda: 0.2}
	for _, name := range []string{"fista", "newton", "coordinate"} {
		s, err := solve.Lookup[float64](name)
		if err != nil {
			t.Fatal(err)
		}
		times := timeToGaps(s, p)
		if len(times) != len(benchGaps) {
			t.Fatalf("%s: %v", name, times)
		}
		for i, g := range times {
			if g.Gap != benchGaps[i] || g.Iterations < 1 || g.Seconds < 0 || i > 0 && (g.Iterations < times[i-1].Iterations || g.Seconds < times[i-1].Seconds) {
				t.Errorf("%s: %v", name, times)
			}
			gap := math.Inf(1)
			s.Solve(p, solve.Stop{RelativeGap: benchGaps[2], Iterations: math.MaxInt32, Every: 1}, func(r solve.Record, z *tensor.Tensor[float64]) bool {
				gap = solve.Certify(p, z).RelativeGap
				return r.Iteration < g.Iterations
			})
			if gap > g.Gap*1.01 {
				t.Errorf("%s: after %d iterations the gap is %g, want %g", name, g.Iterations, gap, g.Gap)
			}
		}
	}
	if s := (gapTime{Gap: 1e-6}).String(); !strings.Contains(s, "not in 10m") {
		t.Error(s)
	}
}

func TestResultText(t *testing.T) {
	all, one := &threadSpeed{Rate: 50, Ratio: 0.5, Quartiles: [2]float64{0.45, 0.55}}, &threadSpeed{Rate: 30, Ratio: 0.75, Quartiles: [2]float64{0.7, 0.8}, Disturbed: true}
	for _, c := range []struct {
		r    benchResult
		want string
	}{
		{benchResult{Name: "a", GFLOPS: 50, ShareOfPeak: 0.5, PeakRSS: 7, All: all, One: one}, "50.0 GFLOP/s   50.0 % of peak     7 MB  (45.0 to 55.0)  1 thread 75.0 % (70.0 to 80.0)  disturbed"},
		{benchResult{Name: "b", ImagesPerSec: 50, PeakRSS: 7, All: &threadSpeed{Rate: 50, Ratio: 90, Quartiles: [2]float64{80, 100}}}, "50.00 images/s       7 MB  90 images/TFLOP of peak (80 to 100)"},
		{benchResult{Name: "c", ImagesPerSec: 1, Latency: &latency{P50: 2, P99: 3, Calls: 300}}, "p50 2.00 ms, p99 3.00 ms of 300 calls"},
		{benchResult{Name: "d", Gaps: []gapTime{{1e-3, 0.5, 40}}}, "0.500 s     40 it"},
	} {
		text := c.r.String()
		if !strings.HasPrefix(text, c.r.Name+" ") || !strings.Contains(text, c.want) {
			t.Errorf("%q, want %q in it", text, c.want)
		}
	}
}

// A job that runs in this process prints its result as JSON.
func TestJob(t *testing.T) {
	r := ref.Works(t, []string{"bench", "-job", "conv/forward/256x512x8/1x1s2/float32"})
	var result benchResult
	if err := json.Unmarshal([]byte(r.Out), &result); err != nil || !(result.GFLOPS > 0) || result.All == nil || !(result.All.Ratio > 0) {
		t.Errorf("%s: %v", r.Out, err)
	}
	ref.Call(t, "bench", "-job", "nosuch").Refused(t, "nosuch")
}

// What a child prints is read, with its peak memory; one that prints nothing, fails or is interrupted is an error.
func TestChild(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("no shell")
	}
	program := filepath.Join(t.TempDir(), "child")
	script := func(text string) {
		if err := os.WriteFile(program, []byte("#!/bin/sh\n"+text), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	c := &cli.Call{Context: t.Context(), Stdout: io.Discard, Stderr: io.Discard}
	script(`echo '{"name":"'$1-$2-$3'","gflops":3}'`)
	var got benchResult
	peak, err := runChild(c, program, &got, "bench", "-job")
	if err != nil || got.Name != "bench--job--kernel" || got.GFLOPS != 3 {
		t.Errorf("%+v, %v", got, err)
	}
	if runtime.GOOS == "linux" && !(peak > 0.1 && peak < 1000) {
		t.Errorf("a shell took %g MB", peak)
	}
	script("exit 3")
	if _, err := runChild(c, program, &got, "bench"); err == nil {
		t.Error("a child that failed")
	}
	script("exit 0")
	if _, err := runChild(c, program, &got, "bench"); err == nil {
		t.Error("a child that printed nothing")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c.Context = ctx
	if _, err := runChild(c, program, &got, "bench"); err != cli.ErrInterrupted {
		t.Errorf("interrupted: %v", err)
	}
}
