// Package official computes what the authors' code computed and compares the results with the authors'
// values, a row for every tensor and scalar.
//
// A case is a golden.Case of kind csc_layer (one layer: code, reconstruction, gradients) or network
// (evaluation, a training step, some more in the end). The package is for `ref check` and for tests. It does
// not know where the cases come from and how results are printed, and nothing of the cases that a backend is
// judged by.
package official

import (
	"fmt"
	"math"

	"sdref/csc"
	"sdref/golden"
	"sdref/tensor"
)

// The largest relative errors that pass. In float64 both sides round differently in the last bits, which a
// layer or a network amplifies little and an optimiser step, through the step sizes, somewhat more. In
// float32 a layer's result is some thousand roundings of 6e-8 away; a network's is reported, not judged:
// batch normalisation amplifies without a bound.
const (
	boundFloat64   = 1e-10
	boundSteps     = 1e-8 // after several optimiser steps
	boundFloat32   = 2e-4
	reportedNote   = "reported, not judged"
	ambiguousNote  = "codes within rounding of their threshold, where either one-sided derivative is right"
	ambiguousShare = 1e-5 // of the largest code: how near to its threshold a code may fall on either side
)

// largestSize bounds what a case may ask for along one axis, in classes or in iterations: beyond it a typing
// error is likelier than a machine that can compute it.
const largestSize = 1 << 16

// Check computes one case in type T and returns a row for every tensor and scalar that the case expects. An
// error says that the case cannot be computed: an unknown kind or setting, a missing or misshapen tensor.
func Check[T tensor.Float](c *golden.Case) (rows []golden.Row, err error) {
	switch c.Kind {
	case "csc_layer":
		rows, err = checkLayer[T](c)
	case "network":
		rows, err = checkNetwork[T](c)
	default:
		err = refuse(c, "kind", "unknown kind %q (csc_layer, network)", c.Kind)
	}
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// refuse is the error of a field that Check cannot use.
func refuse(c *golden.Case, field, format string, args ...any) error {
	return fmt.Errorf("case %s (%s): %s: %w", c.Name, c.Path, field, fmt.Errorf(format, args...))
}

// readVariant reads where FISTA takes the gradient: as published, unless the case says otherwise.
func readVariant(c *golden.Case, into *csc.Variant) error {
	if !c.Attrs.Has("variant") {
		return nil
	}
	name, err := c.Attrs.String("variant")
	if err != nil {
		return err
	}
	if *into, err = csc.ParseVariant(name); err != nil {
		return refuse(c, "attrs.variant", "%w", err)
	}
	return nil
}

// isDouble tells float64 from float32.
func isDouble[T tensor.Float]() bool {
	_, double := any(T(0)).(float64)
	return double
}

// from makes a tensor of type T from float64 values.
func from[T tensor.Float](values []float64, shape ...int) *tensor.Tensor[T] {
	return tensor.Convert[T](tensor.From(values, shape...))
}

// report is a list of rows of one case.
type report struct {
	name  string
	bound float64
	rows  []golden.Row
}

func newReport[T tensor.Float](c *golden.Case, float32Bound float64) *report {
	r := &report{name: c.Name, bound: float32Bound}
	if isDouble[T]() {
		r.bound = boundFloat64
	}
	return r
}

// add judges d by the report's bound, or by a larger one.
func (r *report) add(name string, d golden.Difference, atLeast float64) *golden.Row {
	row := golden.Judge(r.name, name, d, max(r.bound, atLeast))
	if math.IsInf(row.Bound, 1) {
		row.Note = reportedNote
	}
	r.rows = append(r.rows, row)
	return &r.rows[len(r.rows)-1]
}
