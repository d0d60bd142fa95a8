package measure

import (
	"fmt"
	"math"
	"time"

	"sdref/cmd/ref/internal/cli"
	"sdref/conv"
	"sdref/csc"
	"sdref/csc/solve"
	"sdref/internal/elementary"
	"sdref/internal/random"
	"sdref/sdnet/data"
	"sdref/tensor"
)

// benchGaps are the relative gaps to reach.
var benchGaps = []float64{1e-3, 1e-6, 1e-9}

// benchSolveLimit is the longest time of a solver.
const benchSolveLimit = 10 * time.Minute

// solveJobs are all solvers on all problems, in float64.
func solveJobs() []benchJob {
	var jobs []benchJob
	for _, problem := range []struct {
		name string
		make func() *solve.Problem[float64]
	}{
		{"image/random", func() *solve.Problem[float64] { return imageProblem(solve.Full(randomAtoms())) }},
		{"image/gabor", func() *solve.Problem[float64] { return imageProblem(solve.Full(gaborAtoms())) }},
		{"torus/gabor", func() *solve.Problem[float64] { return imageProblem(solve.Circular(gaborAtoms())) }},
		{"stem/signed", func() *solve.Problem[float64] { return stemProblem(false) }},
		{"stem/nonnegative", func() *solve.Problem[float64] { return stemProblem(true) }},
	} {
		for _, s := range solve.Solvers[float64]() {
			if s.Name() == "admm" && problem.name != "torus/gabor" {
				continue // it is for circular boundaries
			}
			name := "solve/" + problem.name + "/" + s.Name()
			jobs = append(jobs, benchJob{name: name, typ: "float64", slow: true, run: func() benchResult {
				return benchResult{Name: name, Gaps: timeToGaps(s, problem.make())}
			}})
		}
	}
	return jobs
}

// gapTime is the time at which a solver reached a relative gap.
type gapTime struct {
	Gap float64 `json:"relative_gap"`
	// Seconds is the time without certificates; 0, like Iterations, if the gap was not reached in time.
	Seconds    float64 `json:"seconds"`
	Iterations int     `json:"iterations"`
}

// timeToGaps runs a solver until it reaches the last of benchGaps or benchSolveLimit.
func timeToGaps(s solve.Solver[float64], p *solve.Problem[float64]) []gapTime {
	times := make([]gapTime, len(benchGaps))
	reached := 0
	every := 10
	if s.Name() == "newton" || s.Name() == "coordinate" { // whose iterations are long
		every = 1
	}
	stop := solve.Stop{RelativeGap: benchGaps[len(benchGaps)-1], Iterations: math.MaxInt32, Every: every}
	s.Solve(p, stop, func(r solve.Record, _ *tensor.Tensor[float64]) bool {
		for reached < len(benchGaps) && r.RelativeGap <= benchGaps[reached] {
			times[reached] = gapTime{Seconds: r.Elapsed.Seconds(), Iterations: r.Iteration}
			reached++
		}
		return r.Elapsed < benchSolveLimit
	})
	for i, g := range benchGaps {
		times[i].Gap = g
	}
	return times
}

func (g gapTime) String() string {
	if g.Iterations == 0 {
		return fmt.Sprintf("%7.0e not in %v ", g.Gap, benchSolveLimit)
	}
	return fmt.Sprintf("%7.0e %8.3f s %6d it", g.Gap, g.Seconds, g.Iterations)
}

// imageProblem is a 256 x 256 image of 60 discs at random places on a grey background, minus its mean; lambda
// is a fifth of lambda_max.
func imageProblem(a solve.Dictionary[float64]) *solve.Problem[float64] {
	const side, discs = 256, 60
	x, s := tensor.New[float64](1, 1, side, side), random.New(1).Sub("discs")
	draw := func(i, what int) float64 { return s.Float(uint64(4*i + what)) }
	for i := range discs {
		row, column, radius, grey := side*draw(i, 0), side*draw(i, 1), side*(0.02+float64(0.15*draw(i, 2))),
			2*draw(i, 3)-1
		for k := range x.Data {
			if u, v := float64(k/side)-row,
				float64(k%side)-column; float64(u*u)+float64(v*v) < float64(radius*radius) {
				x.Data[k] = grey
			}
		}
	}
	mean := tensor.Sum(x) / float64(x.Len())
	for k := range x.Data {
		x.Data[k] -= mean
	}
	p := &solve.Problem[float64]{A: a, X: x}
	p.Lambda = solve.Certify(p, tensor.New[float64](p.CodeShape()...)).LambdaMax / 5
	return p
}

// randomAtoms are 64 atoms 8 x 8, uniform and of norm 1.
func randomAtoms() *tensor.Tensor[float64] {
	w := uniform[float64](2, 64, 1, 8, 8)
	csc.NormalizeAtoms(w)
	return w
}

// gaborAtoms are 64 atoms 8 x 8 of norm 1: waves of 8 directions, 4 frequencies and 2 phases with a Gaussian
// envelope.
func gaborAtoms() *tensor.Tensor[float64] {
	w := tensor.New[float64](64, 1, 8, 8)
	for m := range 64 {
		angle, frequency, phase := math.Pi*float64(m%8)/8, float64(1+m/8%4)*math.Pi/5, float64(m/32)*math.Pi/2
		for k := range 64 {
			u, v := float64(k/8)-3.5, float64(k%8)-3.5
			along := float64(u*elementary.Cos(angle)) + float64(v*elementary.Sin(angle))
			envelope := elementary.Exp(-(float64(u*u) + float64(v*v)) / 10)
			w.Data[64*m+k] = envelope * elementary.Cos(float64(frequency*along)+phase)
		}
	}
	csc.NormalizeAtoms(w)
	return w
}

// stemProblem is the problem of SDNet-18's stem at its first step, lambda 0.1: 8 drawn images, 64 random
// atoms 3 x 3 x 3 of norm 1.
func stemProblem(nonnegative bool) *solve.Problem[float64] {
	const images = 8
	set := data.Shapes(images, 1, cli.ShapesSeed).Train
	x, w := tensor.New[float64](images, 3, 32, 32), uniform[float64](3, 64, 3, 3, 3)
	for i, v := range set.Images[:x.Len()] {
		x.Data[i] = (float64(v)/255 - data.ShapesMean) / data.ShapesStd
	}
	csc.NormalizeAtoms(w)
	return &solve.Problem[float64]{A: solve.ZeroPadded(w, conv.Geometry{Padding: 1}), X: x, Lambda: 0.1,
		Nonnegative: nonnegative}
}
