package cases

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
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

// HasAxis tells whether the kind has an axis.
func (p Point) HasAxis(name string) bool { return slices.Contains(spaces[p.Kind], name) }

// Drawable lists the kinds of which cases can be drawn, the simplest first.
func Drawable() []string {
	return []string{"conv_forward", "conv_transpose", "conv_filter", "prox", "batchnorm", "power_iteration",
		"fista", "csc_layer", "block", "network", "training_step"}
}
