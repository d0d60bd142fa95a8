package statedict

import (
	"fmt"
	"math"
	"strings"

	"sdref/internal/misuse"
	"sdref/sdnet"
	"sdref/tensor"
)

// Type is the type that holds all of the network's tensors: float64 if one of them is, float32 otherwise.
func (m Match) Type() string {
	for _, name := range m.names {
		if m.found[name].Type == "float64" {
			return "float64"
		}
	}
	return "float32"
}

// Types counts the file's tensors of the network by their types.
func (m Match) Types() map[string]int {
	count := map[string]int{}
	for _, name := range m.names {
		if e, ok := m.found[name]; ok {
			count[e.Type]++
		}
	}
	return count
}

// Batches is how many batches the file's first BatchNorm has seen, 0 if the file does not say.
func (m Match) Batches() int {
	for _, name := range m.Unused {
		if e := m.found[name]; strings.HasSuffix(name, ".num_batches_tracked") && single(e.Shape) {
			if n, err := e.Values().Float64s(); err == nil && n[0] > 0 && n[0] <= 1<<53 && n[0] == math.Trunc(n[0]) {
				return int(n[0])
			}
		}
	}
	return 0
}

// Fill returns the network with the file's tensors; what m.Computed names is as sdnet.New makes it, and
// Complete computes it. A match that does not fit is the caller's bug, and a panic. Weights that
// sdnet.CheckTensor finds fault with are an error, unless m.Force is set.
func Fill[T tensor.Float](m Match) (*sdnet.Network[T], error) {
	if !m.Fits() {
		panic(misuse.Errorf("statedict.Fill: %s: %s", m.Spec.Name, m.Summary()))
	}
	net, err := sdnet.New[T](m.Spec)
	if err != nil {
		return nil, err
	}
	for _, s := range net.State() {
		e, ok := m.found[s.Name]
		if !ok {
			continue
		}
		values, err := e.Values().Float64s()
		if err != nil {
			return nil, err
		}
		for i, v := range values {
			s.Data[i] = T(v)
			if size := float64(s.Data[i]); !m.Force && (math.IsNaN(size) || math.IsInf(size, 0)) {
				return nil, fmt.Errorf("tensor %s: element %d is %v", e.Name, i, v)
			}
		}
		if err := sdnet.CheckTensor(s.Name, s.Shape, s.Data); err != nil && !m.Force {
			return nil, err
		}
	}
	return net, nil
}

// Computed is what was computed for a CSC layer.
type Computed struct {
	Layer  string
	Rounds int // of power iteration
	// Step is the step size that this gave, FileStep the file's, 0 if it has none. The network keeps the
	// file's.
	Step, FileStep float64
}

// Power iteration goes on until a round changes the eigenvalue by no more than this share, or for so many
// rounds. Published evaluation makes 50 rounds from a random vector.
const (
	settled   = 1e-7
	maxRounds = 500
)

// Complete computes the step sizes and power-iteration vectors that m.Computed names. Between rounds it asks
// proceed, if that is not nil, with the share of the layers that are done, and stops if the answer is false.
func Complete[T tensor.Float](net *sdnet.Network[T], m Match, proceed func(done float64) bool) []Computed {
	lacks := map[string]bool{}
	for _, name := range m.Computed {
		lacks[name] = true
	}
	var list []Computed
	for i, l := range net.Layers {
		if !lacks[l.Name+".v0"] && !lacks[l.Name+".step_size"] {
			continue
		}
		c := Computed{Layer: l.Name}
		given := l.StepSize.Data[0]
		for last, change := 0.0, 1.0; c.Rounds < maxRounds && change > settled; {
			if proceed != nil && !proceed(float64(i)/float64(len(net.Layers))) {
				return list
			}
			e := l.UpdateStep()
			change = math.Abs(e.Value-last) / (e.Value * float64(e.Rounds))
			c.Rounds, c.Step, last = c.Rounds+e.Rounds, e.Step(), e.Value
		}
		if !lacks[l.Name+".step_size"] {
			c.FileStep = float64(given)
			l.StepSize.Data[0] = given
		}
		list = append(list, c)
	}
	return list
}

// MisuseError is the value with which this package panics for mistakes of its caller that are not ones of shapes.
type MisuseError = misuse.Error
