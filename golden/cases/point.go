package cases

import (
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"strings"

	"sdref/conv"
	"sdref/csc"
	"sdref/golden/graph"
	"sdref/sdnet"
)

// Point is a point of the space that cases can be drawn from: a case that no table lists. The same point is
// always the same case.
type Point struct {
	Kind string         `json:"kind"`
	Seed uint64         `json:"seed"` // of the data
	At   map[string]int `json:"at"`   // by the name of the axis; one that is left out has its simplest value
}

// Axis is one coordinate of the space. Yes and no are 1 and 0.
type Axis struct {
	Name     string
	Simplest int // the value that asks least of a backend
	// the values that a case may have at all, together with what the other coordinates allow
	Least, Most int
}

// axes are all there are, in the order in which a case is described by them.
var axes = []Axis{
	{"exact", 1, 0, 1}, // data on a lattice, so that every order of sums gives the same bits
	{"batch", 1, 1, 1 << 12},
	{"channels", 1, 1, 1 << 12},
	{"atoms", 1, 1, 1 << 12},
	{"rows", 1, 1, 1 << 20},
	{"columns", 1, 1, 1 << 20},
	{"kernel rows", 1, 1, 64},
	{"kernel columns", 1, 1, 64},
	{"stride", 1, 1, 16},
	{"padding", 0, 0, 64},
	{"dilation", 1, 1, 16},
	{"iterations", 1, 0, 60}, // of FISTA, rounds of power iteration
	{"magnitude", 0, -100, 60},
	{"signed", 0, 0, 1},   // codes of both signs
	{"elastic", 0, 0, 1},  // with the ridge mu
	{"paper", 0, 0, 1},    // the paper's variant of FISTA
	{"training", 0, 0, 1}, // BatchNorm by the statistics of the batch
}

var (
	contraction = []string{"exact", "batch", "channels", "atoms", "rows", "columns", "kernel rows",
		"kernel columns", "stride", "padding", "dilation", "magnitude"}
	codes     = []string{"iterations", "signed", "elastic", "paper"}
	ofNetwork = []string{"batch", "channels", "atoms", "rows", "stride", "iterations"}
)

// spaces are the axes of each kind of case that can be drawn.
var spaces = map[string][]string{
	"conv_forward":    contraction,
	"conv_transpose":  contraction,
	"conv_filter":     contraction,
	"prox":            {"exact", "columns", "magnitude", "signed", "elastic"},
	"batchnorm":       {"exact", "batch", "channels", "rows", "columns", "training"},
	"power_iteration": slices.Concat(contraction[2:11], codes[:1]),
	"fista":           slices.Concat(contraction, codes),
	"csc_layer":       slices.Concat(contraction[1:11], codes),
	"block":           {"batch", "channels", "atoms", "rows", "columns", "stride", "iterations", "training"},
	"network":         ofNetwork,
	"training_step":   ofNetwork,
}

// AxesOf lists the axes of a kind, in order; nil if no case of it can be drawn.
func AxesOf(kind string) (list []Axis) {
	for _, a := range axes {
		if slices.Contains(spaces[kind], a.Name) {
			list = append(list, a)
		}
	}
	return list
}

// Get is the point's value along an axis.
func (p Point) Get(axis string) int {
	if v, ok := p.At[axis]; ok {
		return v
	}
	return axes[slices.IndexFunc(axes, func(a Axis) bool { return a.Name == axis })].Simplest
}

// Plain is the point without coordinates that its kind does not have.
func (p Point) Plain() Point {
	at := map[string]int{}
	for _, a := range AxesOf(p.Kind) {
		at[a.Name] = p.Get(a.Name)
	}
	p.At = at
	return p
}

// String lists the coordinates.
func (p Point) String() string {
	var words []string
	for _, a := range AxesOf(p.Kind) {
		words = append(words, fmt.Sprintf("%s %d", a.Name, p.Get(a.Name)))
	}
	return p.Kind + ": " + strings.Join(words, ", ")
}

// ID is the case's: it begins with drawn-.
func (p Point) ID() string {
	h := fnv.New32a()
	fmt.Fprint(h, p.String(), p.Seed)
	return fmt.Sprintf("drawn-%s-%d-%08x", p.Kind, p.Seed, h.Sum32())
}

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

// Check says what is wrong with the coordinates.
func (p Point) Check() error {
	list := AxesOf(p.Kind)
	if list == nil {
		return fmt.Errorf("kind %q: want one of %s", p.Kind, strings.Join(Drawable(), ", "))
	}
	for name, v := range p.At {
		i := slices.IndexFunc(axes, func(a Axis) bool { return a.Name == name })
		if i < 0 {
			return fmt.Errorf("at: there is no coordinate %q", name)
		}
		if v < axes[i].Least || v > axes[i].Most {
			return fmt.Errorf("at: %s %d: want %d to %d", name, v, axes[i].Least, axes[i].Most)
		}
	}
	if p.Cost() < 0 {
		return fmt.Errorf("at: a case of more than 2^22 elements in a tensor, or 2^30 multiply-adds")
	}
	s := p.size()
	switch p.Kind {
	case "prox":
		return nil
	case "batchnorm":
		if p.exact() && p.is("training") {
			return fmt.Errorf("at: exact and training: statistics of a batch round")
		}
		return p.checkStatistics(s.n * s.h * s.w)
	case "block":
		stride := p.Get("stride")
		if stride > 2 {
			return fmt.Errorf("at: stride %d: a block has 1 or 2", stride)
		}
		return p.checkStatistics(s.n * ((s.h + stride - 1) / stride) * ((s.w + stride - 1) / stride))
	case "network", "training_step":
		if p.Kind == "training_step" && s.n < 2 {
			return fmt.Errorf("at: batch 1: the last stage has statistics of one value")
		}
		return p.network("").spec.Check()
	}
	if p.Kind == "csc_layer" && p.Get("iterations") > maxLayer {
		return fmt.Errorf("at: iterations %d: a layer, whose step few rounds of power iteration give, has %d at the most",
			p.Get("iterations"), maxLayer)
	}
	if p.Get("iterations") < 1 {
		return fmt.Errorf("at: iterations 0: want 1 at the least")
	}
	if !p.meets(s.h, s.u) || !p.meets(s.w, s.v) {
		return fmt.Errorf("at: a kernel of %dx%d, with this stride, padding and dilation, meets no pixel of %dx%d",
			s.u, s.v, s.h, s.w)
	}
	return nil
}

// checkStatistics refuses a variance of fewer than two values.
func (p Point) checkStatistics(values int) error {
	if p.is("training") && values < 2 {
		return fmt.Errorf("at: statistics of one value")
	}
	return nil
}

// meets tells whether along an axis some tap of the kernel meets a pixel.
func (p Point) meets(size, kernel int) bool {
	g := p.geometry()
	for i := range g.CodeSize(size, kernel) {
		for u := range kernel {
			if at := i*g.Stride + u*g.Dilation - g.Padding; at >= 0 && at < size {
				return true
			}
		}
	}
	return false
}

// Elements is the number of elements of the largest activation.
func (p Point) Elements() int { return max(p.SignalElements(), p.CodeElements()) }

// SignalElements is the number of elements of the signal, or of whatever else the case starts from.
func (p Point) SignalElements() int {
	s := p.size()
	if p.Kind == "network" || p.Kind == "training_step" {
		return s.n * s.c * s.h * s.h // of the first stage
	}
	return s.n * s.c * s.h * s.w
}

// CodeElements is the number of elements of the code, or of the result.
func (p Point) CodeElements() int {
	s, g := p.size(), p.geometry()
	switch {
	case p.Kind == "network" || p.Kind == "training_step":
		return s.n * s.m * s.h * s.h / 4
	case p.Kind == "block":
		return s.n * s.m * ((s.h + g.Stride - 1) / g.Stride) * ((s.w + g.Stride - 1) / g.Stride)
	case !p.HasAxis("kernel rows"):
		return p.SignalElements()
	}
	return s.n * s.m * g.CodeSize(s.h, s.u) * g.CodeSize(s.w, s.v)
}

// CodeSides are rows and columns of the code, of a kind that has a kernel.
func (p Point) CodeSides() map[string]int {
	s, g := p.size(), p.geometry()
	return map[string]int{"rows": g.CodeSize(s.h, s.u), "columns": g.CodeSize(s.w, s.v)}
}

// Cost is about how many multiply-adds the case has, at least its elements; -1 if more than a case may have.
func (p Point) Cost() int {
	s, k := p.size(), p.Get("iterations")
	elements := float64(s.n) * float64(max(s.c, s.m)) * float64(s.h) * float64(s.w)
	code := elements
	if p.HasAxis("kernel rows") {
		g := p.geometry()
		code = float64(s.n) * float64(s.m) * float64(g.CodeSize(s.h, s.u)) * float64(g.CodeSize(s.w, s.v))
	}
	products, times := 0.0, 1.0
	switch p.Kind {
	case "prox", "batchnorm":
	case "block", "network", "training_step":
		if p.Kind != "block" {
			elements *= float64(s.h) // w is 1
		}
		products, times = 9*elements*float64(max(s.c, s.m)), float64(8+12*k*k)
	case "fista":
		products, times = code*float64(s.c*s.u*s.v), float64(6*k)
	case "csc_layer":
		products, times = code*float64(s.c*s.u*s.v), float64(6*k+2*layerRounds)
	case "power_iteration":
		products, times = code*float64(s.c*s.u*s.v), float64(2*k)
	default:
		products = code * float64(s.c*s.u*s.v)
	}
	if max(elements, code) > maxElements || products*times > maxProducts {
		return -1
	}
	return int(max(products*times, elements, code))
}

// HasAxis tells whether the kind has an axis.
func (p Point) HasAxis(name string) bool { return slices.Contains(spaces[p.Kind], name) }

// Drawable lists the kinds of which cases can be drawn, the simplest first.
func Drawable() []string {
	return []string{"conv_forward", "conv_transpose", "conv_filter", "prox", "batchnorm", "power_iteration",
		"fista", "csc_layer", "block", "network", "training_step"}
}
