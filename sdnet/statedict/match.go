package statedict

import (
	"fmt"
	"slices"
	"strings"

	"sdref/sdnet"
)

// Match is what a file has of a network, name by name.
type Match struct {
	Spec        sdnet.Spec
	Prefix      string           // stands before the network's names in the file
	Differences []Difference     // none if the file fits
	Computed    []string         // buffers that the file lacks and that can be computed
	Unused      []string         // tensors under the prefix that evaluation does not need
	Elsewhere   int              // tensors that are not under the prefix
	Ignored     int              // tensors that the query leaves aside
	Force       bool             // Fill takes weights without meaning too: see sdnet.CheckTensor
	found       map[string]Entry // by the network's names
	names       []string         // the network's, in order
}

// Difference is a tensor that keeps a file from fitting.
type Difference struct {
	Name       string
	Want, Have []int // shapes; nil where there is no such tensor
}

// Problem says in a word what is wrong.
func (d Difference) Problem() string {
	switch {
	case d.Have == nil:
		return "missing"
	case d.Want == nil:
		return "extra"
	}
	return "shape"
}

// Fits tells whether the network can be filled from the file.
func (m Match) Fits() bool { return len(m.Differences) == 0 }

// Summary counts the differences.
func (m Match) Summary() string {
	count := map[string]int{}
	for _, d := range m.Differences {
		count[d.Problem()]++
	}
	return fmt.Sprintf("%d missing, %d extra, %d of another shape", count["missing"], count["extra"], count["shape"])
}

// Buffers that a network can do without: power iteration finds step sizes and vectors from the weights. The
// published checkpoints hold the first and not the second.
func computable(name string) bool {
	return strings.HasSuffix(name, ".dn.step_size") || strings.HasSuffix(name, ".dn.v0")
}

// Tensors of published checkpoints without meaning for evaluation: how many batches a BatchNorm has seen, and
// what an early version of the authors' code kept of its losses.
func unused(name string) bool {
	return strings.HasSuffix(name, ".num_batches_tracked") || strings.HasSuffix(name, ".running_c_loss")
}

// Compare looks a network's tensors up in the file, each by its name behind the prefix. Of the network nothing but shapes is made.
func (d *Dict) Compare(s sdnet.Spec, prefix string) (Match, error) {
	state, err := s.StateInputs()
	if err != nil {
		return Match{}, fmt.Errorf("%s: %w", d.Path, err)
	}
	inside, elsewhere := d.under(prefix)
	m := Match{Spec: s, Prefix: prefix, Elsewhere: elsewhere, found: inside}
	taken := map[string]bool{} // names of the file that are the network's
	for _, want := range state {
		if other := foreign(want.Name); other != "" {
			if e, ok := inside[other]; ok && inside[want.Name].Name == "" {
				inside[want.Name] = e
				taken[other] = true
			}
		}
		taken[want.Name] = true
		shape := append([]int{}, want.Shape...) // a scalar's is not nil
		m.names = append(m.names, want.Name)
		switch have, ok := inside[want.Name]; {
		case !ok && computable(want.Name):
			m.Computed = append(m.Computed, want.Name)
		case !ok:
			m.Differences = append(m.Differences, Difference{Name: want.Name, Want: shape})
		case !slices.Equal(have.Shape, shape) && !(len(shape) == 0 && single(have.Shape)):
			m.Differences = append(m.Differences, Difference{want.Name, shape, append([]int{}, have.Shape...)})
		}
	}
	for _, e := range d.Entries {
		name, ok := strings.CutPrefix(e.Name, prefix)
		switch {
		case !ok || taken[name]:
		case unused(name):
			m.Unused = append(m.Unused, name)
		default:
			m.Differences = append(m.Differences, Difference{Name: name, Have: append([]int{}, e.Shape...)})
		}
	}
	return m, nil
}

// single tells whether a shape, such as (1), has one element, as a scalar does.
func single(shape []int) bool {
	for _, side := range shape {
		if side != 1 {
			return false
		}
	}
	return true
}
