package cases

import (
	"fmt"

	"sdref/conv"
	"sdref/csc"
	"sdref/golden/graph"
	"sdref/tensor"
)

// size is that of a CSC layer's problem.
type size struct{ n, c, m, h, w, u, v int }

func (s size) signal() []int { return []int{s.n, s.c, s.h, s.w} }
func (s size) kernel() []int { return []int{s.m, s.c, s.u, s.v} }
func (s size) code(g conv.Geometry) []int {
	return g.CodeShape(s.signal(), s.kernel())
}

// vector is the shape of power iteration's vector.
func (s size) vector(g conv.Geometry) []int {
	shape := s.code(g)
	shape[0] = 1
	return shape
}

var (
	padded = conv.Geometry{Padding: 1}
	halved = conv.Geometry{Stride: 2, Padding: 1}
	stem7  = conv.Geometry{Stride: 2, Padding: 3}

	dilated = conv.Geometry{Stride: 2, Padding: 2, Dilation: 2}

	small  = size{2, 3, 5, 6, 7, 3, 3}
	odd    = size{2, 3, 8, 7, 9, 3, 3}
	even   = size{2, 3, 8, 8, 6, 3, 3}
	middle = size{2, 16, 24, 7, 6, 3, 3}
	wide   = size{2, 64, 64, 6, 7, 3, 3}
	cifar  = size{2, 3, 64, 9, 8, 3, 3}
	large7 = size{2, 3, 16, 14, 13, 7, 7}
)

// solver is a case of FISTA with a given step size, with the gradients of x and w where it says so.
type solver struct {
	name string
	data data
	size
	csc.Settings
	gradients bool
	flags     []string
	why       string
}

// settings of the solver: codes not negative unless signed.
func settings(g conv.Geometry, lambda, mu float64, signed bool, iterations int, v csc.Variant) csc.Settings {
	return csc.Settings{Geometry: g, Lambda: lambda, Mu: mu, Nonnegative: !signed, Iterations: iterations,
		Variant: v}
}

var solvers = []solver{
	{"1-exact", data{"solver", true}, small, settings(padded, 8, 0, false, 1, csc.Published), true,
		[]string{"smoke"}, "one iteration: prox(t A*x)"},
	{"2-exact", data{"solver", true}, small, settings(padded, 8, 0, false, 2, csc.Published), true,
		[]string{"smoke"}, "two iterations, as published"},
	{"2-signed-exact", data{"solver", true}, odd, settings(halved, 8, 0, true, 2, csc.Published), true,
		[]string{"smoke", "signed", "stride2", "odd"}, "codes of both signs"},
	{"2-elastic-exact", data{"solver", true}, even, settings(halved, 8, 16, false, 2, csc.Published), true,
		[]string{"elastic", "stride2"}, "with the elastic net; 1 + mu t is 2"},
	{"2-7x7-exact", data{"solver", true}, large7, settings(stem7, 8, 0, false, 2, csc.Published), true,
		[]string{"stride2", "odd"}, "the stem for ImageNet"},
	{"2-33-exact", data{"solver", true}, size{2, 9, 33, 5, 6, 3, 3},
		settings(padded, 16, 0, false, 2, csc.Published), false, nil, "one atom more than vectors hold"},
	{"2", data{"solver-small", false}, small, settings(padded, 0.1, 0, false, 2, csc.Published), true,
		[]string{"smoke"}, "two iterations, as published"},
	{"2-64", data{"solver-64", false}, wide, settings(padded, 0.1, 0, false, 2, csc.Published), true, nil,
		"a layer of the published networks"},
	{"2-stem", data{"solver-stem", false}, cifar, settings(padded, 0.1, 0, false, 2, csc.Published), true,
		nil, "the stem for CIFAR"},
	{"4", data{"solver-middle", false}, middle, settings(padded, 0.1, 0, false, 4, csc.Published), true,
		[]string{"smoke"},
		"momentum counts from the third iteration on; the gradient is taken at the last iterate"},
	{"4-paper", data{"solver-middle", false}, middle, settings(padded, 0.1, 0, false, 4, csc.Paper), true,
		[]string{"smoke", "paper"}, "the gradient is taken at the momentum point"},
	{"4-signed", data{"solver-odd", false}, odd, settings(halved, 0.1, 0, true, 4, csc.Published), true,
		[]string{"signed", "stride2", "odd"}, "codes of both signs, stride 2, odd sizes"},
	{"4-elastic-paper", data{"solver-even", false}, even, settings(halved, 0.1, 0.3, true, 4, csc.Paper),
		true, []string{"elastic", "signed", "stride2", "paper"}, "the elastic net, stride 2, output padding"},
	{"8", data{"solver-middle", false}, middle, settings(padded, 0.1, 0, false, 8, csc.Published), false, nil,
		"its first four iterations are those of case fista-4"},
	{"8-paper", data{"solver-middle", false}, middle, settings(padded, 0.1, 0, false, 8, csc.Paper), true,
		[]string{"paper"}, "its first four iterations are those of case fista-4-paper"},
	{"8-64", data{"solver-64", false}, wide, settings(padded, 0.1, 0, false, 8, csc.Published), false, nil,
		"64 channels"},
	{"20", data{"solver-odd", false}, odd, settings(halved, 0.1, 0, false, 20, csc.Published), false,
		[]string{"stride2", "odd"}, "far unrolled"},
	{"20-paper", data{"solver-7x7", false}, large7, settings(stem7, 0.1, 0, false, 20, csc.Paper), false,
		[]string{"stride2", "odd", "paper"}, "far unrolled, the stem for ImageNet"},
	{"60", data{"solver-small", false}, small, settings(padded, 0.1, 0, false, 60, csc.Published), false, nil,
		"sixty iterations: momentum near 1"},
	{"4-dilated", data{"solver-dilated", false}, odd, settings(dilated, 0.1, 0, false, 4, csc.Published),
		true,
		[]string{"smoke", "stride2", "odd", "dilated"}, "a kernel with holes under a stride"},
	{"4-6to4", data{"solver-6to4", false}, size{9, 6, 4, 5, 6, 3, 3},
		settings(padded, 0.1, 0, false, 4, csc.Published), true, []string{"smoke"},
		"nine images; 6 channels, 4 atoms"},
	{"2-9to8-exact", data{"solver", true}, size{2, 9, 8, 4, 19, 3, 3},
		settings(padded, 16, 0, false, 2, csc.Published), true, []string{"smoke"},
		"9 channels, 8 atoms, rows longer than 16"},
}

func (r solver) build() *graph.Case { return r.derive(nil) }

// derive builds the case after change, if there is one, was made to its row and inputs.
func (r solver) derive(change *change) *graph.Case {
	step := 0x1p-4
	if !r.data.exact {
		step = single(r.stepSize())
	}
	return r.withStep(step, change)
}

// withStep is derive with a given step size.
func (r solver) withStep(step float64, change *change) *graph.Case {
	id := "fista-" + r.name
	if change != nil {
		id += "-" + change.name
	}
	if change != nil {
		r.Lambda *= change.factor
	}
	b := graph.New(id, "fista", r.why, append([]string{r.data.flag()}, r.flags...)...)
	r.setAttrs(b)
	x := b.Input("x", r.data.fill("x", 9, 2, r.signal()...))
	w := b.Input("w", r.data.fill("w", 3, 0.25, r.kernel()...))
	code := b.FISTA("", x, w, b.Constant("step", step), r.Settings)
	b.Require(code)
	if r.gradients {
		dz := b.Input("grad/"+code, r.data.fill("dz", 9, 1, b.Shape(code)...))
		b.Require(b.Backward(code, dz, x, w)...)
	}
	if change != nil {
		change.apply(b)
	}
	return b.Case
}

// setAttrs tells a backend the problem and the solver.
func (r solver) setAttrs(b *graph.Builder) { setProblem(b, r.Settings) }

func setProblem(b *graph.Builder, s csc.Settings) {
	setGeometry(b, s.Geometry)
	b.Attrs["lambda"], b.Attrs["mu"], b.Attrs["nonnegative"] = s.Lambda, s.Mu, s.Nonnegative
	b.Attrs["iterations"], b.Attrs["variant"] = s.Iterations, s.Variant.String()
}

// stepSize is the published share of the inverse of the largest eigenvalue.
func (r solver) stepSize() float64 {
	w := tensor.From(r.data.fill("w", 3, 0.25, r.kernel()...).Values(), r.kernel()...)
	v := tensor.From(r.data.fill("v0", 3, 1, r.vector(r.Geometry)...).Values(), r.vector(r.Geometry)...)
	return csc.PowerIteration(v, w, r.h, r.w, r.Geometry).Step()
}

// power is a case of power iteration.
type power struct {
	name string
	size
	geometry  conv.Geometry
	rounds    int
	tolerance float64
	flags     []string
	why       string
}

var powers = []power{
	{"one", small, padded, 1, 0, []string{"smoke"}, "one round"},
	{"five", small, padded, 5, 0, []string{"smoke"}, "after five rounds, far from converged"},
	{"published", size{1, 3, 5, 5, 6, 3, 3}, padded, 0, csc.PowerTolerance, nil, "the published rule"},
	{"stride2", size{1, 3, 8, 7, 6, 3, 3}, halved, 0, csc.PowerTolerance, []string{"stride2", "odd"},
		"the published rule, stride 2"},
	{"64", size{1, 16, 64, 6, 5, 3, 3}, padded, 8, 0, nil, "64 atoms, eight rounds"},
	{"7x7", size{1, 3, 16, 14, 13, 7, 7}, stem7, 50, 0, []string{"stride2"},
		"fifty rounds of the stem for ImageNet"},
	{"dilated", odd, dilated, 4, 0, []string{"smoke", "stride2", "odd", "dilated"},
		"four rounds, a kernel with holes under a stride"},
	{"early", small, padded, 12, 0x1p-6, []string{"early"},
		"the change falls below the tolerance before the last round: power/rounds tells when, and the rounds " +
			"go on"},
}

func (r power) build() *graph.Case {
	d := data{"power " + r.name, false}
	b := graph.New("power-"+r.name, "power_iteration", r.why, append([]string{d.flag()}, r.flags...)...)
	setGeometry(b, r.geometry)
	v := b.Input("v0", d.fill("v0", 3, 1, r.vector(r.geometry)...))
	w := b.Input("w", d.fill("w", 3, 0.25, r.kernel()...))
	p := csc.Power{Rounds: r.rounds, Tolerance: r.tolerance, Share: csc.StepShare}
	if p.Rounds == 0 {
		p.Rounds = countRounds(b.Generate(), v, w, r.size, r.geometry)
	}
	b.Attrs["height"], b.Attrs["width"] = r.h, r.w
	requirePower(b, "", v, w, r.size, p, r.geometry)
	return b.Case
}

// countRounds is how many rounds the published rule asks for.
func countRounds(in graph.Values, v, w string, s size, g conv.Geometry) int {
	return csc.PowerIteration(in[v].Clone(), in[w], s.h, s.w, g).Rounds
}

// requirePower appends a power iteration and requires its results; it returns the name of the step size.
func requirePower(b *graph.Builder, layer, v, w string, s size, p csc.Power, g conv.Geometry) string {
	b.Attrs["rounds"], b.Attrs["tolerance"], b.Attrs["share"] = p.Rounds, p.Tolerance, p.Share
	vector, step := b.PowerIteration(layer, v, w, s.h, s.w, p, g)
	b.Require(vector, "eigenvalue", step)
	return step
}

// layer is a case of the CSC layer: atoms of norm 1, step size by power iteration, code, gradients.
type layer struct {
	name string
	size
	csc.Settings
	raw   bool // atoms are taken as they are
	flags []string
	why   string
}

var layers = []layer{
	{"published", small, settings(padded, 0.1, 0, false, 2, csc.Published), false, []string{"smoke"},
		"the published layer: two iterations, codes not negative, atoms of norm 1"},
	{"stem", cifar, settings(padded, 0.1, 0, false, 2, csc.Published), false, nil,
		"the published stem for CIFAR"},
	{"stem7", large7, settings(stem7, 0.1, 0, false, 2, csc.Published), false, []string{"stride2", "odd"},
		"the published stem for ImageNet, fewer atoms"},
	{"stride2", size{2, 8, 16, 8, 6, 3, 3}, settings(halved, 0.1, 0, false, 2, csc.Published), false,
		[]string{"stride2", "smoke"}, "stride 2, output padding"},
	{"raw", odd, settings(halved, 0.1, 0, true, 4, csc.Published), true, []string{"stride2", "odd", "signed"},
		"atoms as they are, codes of both signs, four iterations"},
	{"elastic", middle, settings(padded, 0.1, 0.2, false, 4, csc.Paper), false, []string{"elastic", "paper"},
		"the elastic net, the paper's variant"},
	{"64", size{2, 64, 64, 4, 5, 3, 3}, settings(padded, 0.1, 0, false, 2, csc.Published), false, nil,
		"a layer of the published networks' first stage"},
}

func (r layer) build() *graph.Case { return r.withRounds(0) }

// withRounds builds the case with so many rounds of power iteration, or as many as the published rule asks
// for if that is 0.
func (r layer) withRounds(rounds int) *graph.Case {
	d := data{"layer " + r.name, false}
	b := graph.New("csc_layer-"+r.name, "csc_layer", r.why, append([]string{d.flag()}, r.flags...)...)
	setProblem(b, r.Settings)
	b.Attrs["unit_norm"] = !r.raw
	x := b.Input("x", d.fill("x", 9, 2, r.signal()...))
	w := b.Input("w", d.fill("w", 3, 0.25, r.kernel()...))
	v := b.Input("v0", d.fill("v0", 3, 1, r.vector(r.Geometry)...))
	if rounds == 0 {
		values := b.Generate()
		if !r.raw {
			csc.NormalizeAtoms(values[w])
		}
		rounds = countRounds(values, v, w, r.size, r.Geometry)
	}
	p := csc.PublishedPower(rounds)
	if !r.raw {
		w = b.UnitAtoms("", w)
	}
	step := requirePower(b, "", v, w, r.size, p, r.Geometry)
	code := b.FISTA("", x, w, step, r.Settings)
	dz := b.Input(fmt.Sprint("grad/", code), d.fill("dz", 9, 1, b.Shape(code)...))
	b.Require(append(b.Backward(code, dz, x, w), code)...)
	return b.Case
}
