// Package golden reads golden cases and compares numbers with them.
//
// A case is one scenario, NAME.json with NAME.safetensors beside it:
//
//	{
//	  "name": "layer/small",                what reports call it
//	  "kind": "csc_layer",                  what to compute; this package only passes it on
//	  "attrs": {"stride": 1, ...},          settings
//	  "inputs": {
//	    "x": {"shape": [2, 3], "seed": 1, "scale": 2, "offset": 0, "levels": 0},
//	    "parameters": {NAME: fill, ...},    of a network, if any
//	    "labels": [3, 1]                    of a network, if any
//	  },
//	  "scalars": {"lambda_max": 30.07, ...} expected numbers, lists and tables
//	}
//
// The safetensors file holds the expected tensors, in the order in which they
// arise in a computation, or a Summary of each. Inputs are not stored but
// follow a rule, Fill, that takes ten lines in any language. Other fields are
// allowed and not read.
//
// A comparison's result is a Difference, whose relative error
//
//	max|got - want| / max|want|
//
// is a value to report, not a verdict; Judge sets it against a bound. Whatever
// cannot be compared, NaN first of all, never passes.
//
// It is for anyone who judges an implementation, in this module or elsewhere.
// It does not know what a convolution, a solver or a network is.
package golden

import "sdref/internal/misuse"

// MisuseError is the value with which this package panics for mistakes of its caller that are not ones of shapes.
type MisuseError = misuse.Error
