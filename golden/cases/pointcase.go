package cases

import (
	"fmt"
	"math"

	"sdref/conv"
	"sdref/csc"
	"sdref/golden/graph"
	"sdref/sdnet"
)

// The largest case that can be drawn: elements of a tensor, and multiply-adds of all contractions.
const (
	maxElements = 1 << 22
	maxProducts = 1 << 30
)

// Case builds the case. An error says which coordinate has no such value, or that these do not fit each
// other.
func (p Point) Case() (*graph.Case, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	name := fmt.Sprint("drawn ", p.Seed)
	var c *graph.Case
	switch p.Kind {
	case "prox":
		c = p.prox(name)
	case "batchnorm":
		c = p.batchNorm(name)
	case "power_iteration":
		c = power{name: name, size: p.size(), geometry: p.geometry(), rounds: p.Get("iterations")}.build()
	case "fista":
		c = p.fista(name)
	case "csc_layer":
		c = layer{name: name, size: p.size(), Settings: p.settings(0.1, 0.3)}.withRounds(layerRounds)
	case "block":
		c = p.block(name)
	case "network", "training_step":
		c = p.network(name).build()
	default:
		c = p.convolution(name)
	}
	c.ID, c.Why = p.ID(), p.String()
	c.Flags = append(c.Flags, "drawn")
	return c, nil
}

// layerRounds is the number of rounds of power iteration in a drawn CSC layer or network, and maxLayer that of
// iterations of a layer, beyond which too large a step could make numbers overflow.
const (
	layerRounds = 6
	maxLayer    = 20
)

func (p Point) exact() bool { return p.Get("exact") == 1 }

func (p Point) is(axis string) bool { return p.Get(axis) == 1 }

func (p Point) geometry() conv.Geometry {
	return conv.Geometry{Stride: p.Get("stride"), Padding: p.Get("padding"), Dilation: p.Get("dilation")}
}

func (p Point) size() size {
	return size{p.Get("batch"), p.Get("channels"), p.Get("atoms"), p.Get("rows"), p.Get("columns"),
		p.Get("kernel rows"), p.Get("kernel columns")}
}

// settings are those of a solver.
func (p Point) settings(lambda, mu float64) csc.Settings {
	variant := csc.Published
	if p.is("paper") {
		variant = csc.Paper
	}
	if !p.is("elastic") {
		mu = 0
	}
	return settings(p.geometry(), lambda, mu, p.is("signed"), p.Get("iterations"), variant)
}

// scale multiplies an input by the power of two that the coordinate magnitude says.
func (p Point) scale(c *graph.Case, input string) {
	f := &c.Input(input).Fill
	f.Scale = math.Ldexp(f.Scale, p.Get("magnitude"))
	f.Offset = math.Ldexp(f.Offset, p.Get("magnitude"))
}

// avoidZeros makes inputs on a lattice odd multiples of half its step: a wrong element of a small case is then
// rarely right by chance.
func avoidZeros(c *graph.Case) {
	for i := range c.Inputs {
		if f := &c.Inputs[i].Fill; f.Levels%2 == 1 {
			f.Levels, f.Offset = f.Levels+1, f.Scale/2
		}
	}
}

func (p Point) convolution(name string) *graph.Case {
	s := p.size()
	c := convolution{name: name, n: s.n, c: s.c, m: s.m, h: s.h, w: s.w, u: s.u, v: s.v,
		geometry: p.geometry()}.build(p.Kind, data{name, p.exact()})
	avoidZeros(c)
	p.scale(c, c.Inputs[0].Name)
	return c
}

func (p Point) prox(name string) *graph.Case {
	r := proxCase{data: data{name, p.exact()}, count: p.Get("columns"), scale: 0x1p-3, step: single(0.3),
		lambda: 0.1, mu: 0.7, signed: p.is("signed")}
	if p.exact() {
		r.scale, r.step, r.lambda, r.mu = 0x1p-4, 0x1p-4, 2, 16 // 1 + mu step is 2
	}
	if !p.is("elastic") {
		r.mu = 0
	}
	r.lambda = math.Ldexp(r.lambda, p.Get("magnitude"))
	c := r.build()
	p.scale(c, "u")
	return c
}

func (p Point) batchNorm(name string) *graph.Case {
	s := p.size()
	return normCase{name: name, exact: p.exact(), n: s.n, c: s.c, h: s.h, w: s.w,
		training: p.is("training")}.build()
}

// fista chooses the step size without power iteration, and a threshold that leaves some codes on. On exact
// data both are powers of two: of the 10 values of x and 4 of w, A*x has the root mean square 3.2 sqrt(taps).
func (p Point) fista(name string) *graph.Case {
	s := p.size()
	area := float64(s.u * s.v)
	// Random atoms have elements of variance v: 1/48 between -1/4 and 1/4, 5/4 on the lattice. A*A has an
	// eigenvalue that is rarely more than twice v (sqrt(channels) + sqrt(atoms))^2 area (Marchenko and Pastur).
	root := math.Sqrt(float64(s.c)) + math.Sqrt(float64(s.m))
	safe := 1 / (2 * root * root * area)
	lambda, mu, step := 0.1, 0.3, single(48*safe)
	if p.exact() {
		// one or two iterations cannot diverge, and a larger step leaves more digits
		if step = nearestPower(3 / (float64(s.c+s.m) * area)); p.Get("iterations") > 2 {
			step = nearestPower(0.8 * safe / math.Sqrt2)
		}
		lambda, mu = nearestPower(2*math.Sqrt(float64(s.c)*area)), 1/step
	}
	r := solver{name: name, data: data{name, p.exact()}, size: s, Settings: p.settings(lambda, mu),
		gradients: p.Get("iterations") <= maxDifferentiated}
	r.Lambda = math.Ldexp(r.Lambda, p.Get("magnitude"))
	c := r.withStep(step, nil)
	avoidZeros(c)
	p.scale(c, "x")
	return c
}

// maxDifferentiated is up to how many iterations a drawn case of FISTA asks for gradients.
const maxDifferentiated = 12

// nearestPower is the power of two next to v, by ratio.
func nearestPower(v float64) float64 {
	_, e := math.Frexp(v * math.Sqrt2)
	return math.Ldexp(1, e-1)
}

func (p Point) block(name string) *graph.Case {
	s, k := p.size(), p.Get("iterations")
	r := residual{name: name, in: [4]int{s.n, s.c, s.h, s.w}, width: s.m, stride: p.Get("stride"), csc: k > 0,
		training: p.is("training")}
	settings := sdnet.PublishedCSC
	settings.Iterations = max(1, k)
	return r.withCSC(settings)
}

// network has two stages, whose widths are the channels and the atoms; with stride 2 the stem for ImageNet
// and its max-pool, and with iterations CSC layers throughout.
func (p Point) network(name string) network {
	design, stem, k := "resnet8_narrow", sdnet.CIFARStem, p.Get("iterations")
	if k > 0 {
		design = "sdnet8_all_narrow"
	}
	if p.Get("stride") > 1 {
		stem = sdnet.ImageNetStem
	}
	spec := narrow(design, stem, p.Get("rows"), p.Get("channels"), p.Get("atoms"))
	r := network{name: name, spec: with(spec, 0.1, 0, max(1, k), csc.Published), images: p.Get("batch"),
		rounds: layerRounds}
	if p.Kind == "training_step" {
		r.steps = 1
	}
	return r
}
