// Package faults is a catalogue of deliberate mistakes, each a small change of an honest backend (package
// simulate), and the kill matrix: which of them a judge finds with which case, and whether it names the node
// that is wrong.
//
// It is the proof that the judge and its cases can fail. The tests make mistakes in the judge itself, which the
// catalogue must find in turn. The package is for continuous integration and for whoever adds a case or
// loosens a bound. It knows nothing of files and of which cases there are.
package faults

import (
	"slices"

	"sdref/golden/graph"
	"sdref/golden/judge"
	"sdref/golden/simulate"
)

// Tensor is what backends compute with.
type Tensor = simulate.Tensor

// Class says what sort of mistake a fault is.
type Class string

const (
	Logic     Class = "logic"     // another computation
	Precision Class = "precision" // the right computation in a coarser arithmetic than declared
	Protocol  Class = "protocol"  // the right values, handed over wrongly
)

// Fault is one mistake. Of Compute, Machine and Tamper one is set.
type Fault struct {
	ID    string // GROUP/NAME
	What  string // the mistake, in words
	Class Class

	// At says which nodes the mistake is made in; nil stands for all.
	At func(c *graph.Case, n *graph.Node) bool
	// Compute is what the backend computes in the place of such a node.
	Compute func(m *simulate.Machine, c *simulate.Call) *Tensor
	// Machine changes how the backend computes everything.
	Machine func(m *simulate.Machine)
	// Tamper changes the answers to a case; other are the honest answers to another one, of the same kind if
	// there is one.
	Tamper func(c *graph.Case, a, other judge.Answers)
	// Second says that only the second of two runs of the case is tampered with.
	Second bool

	// Equivalent says why no judge can or should tell the mistake from an honest backend; empty if one must.
	Equivalent string
}

// Catalogue returns all faults.
func Catalogue() []Fault {
	return slices.Concat(convolution(), synthesis(), sizes(), prox(), fista(), eigenvalue(), batchNorm(), gradient(),
		precisions(), protocol())
}

// Find returns the fault of an ID, nil if there is none.
func Find(id string) *Fault {
	all := Catalogue()
	if i := slices.IndexFunc(all, func(f Fault) bool { return f.ID == id }); i >= 0 {
		return &all[i]
	}
	return nil
}
