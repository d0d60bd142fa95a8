package judge

import (
	"errors"
	"fmt"

	"sdref/cmd/ref/internal/cli"
	"sdref/golden"
	"sdref/golden/official"
)

// Check compares results with stored ones.
func Check(c *cli.Call) error {
	vectors := c.Flags.String("vectors", "",
		"the `folder` of cases: NAME.json with NAME.safetensors beside it, sub-folders included")
	typ := c.Flags.String("type", "float64", "compute in float32 or float64")
	if err := c.Parse(checkHelp); err != nil {
		return err
	}
	if *vectors == "" {
		return errors.New("-vectors is missing (see ref check -help)")
	}
	if err := cli.CheckType(*typ); err != nil {
		return err
	}
	check := cli.ByType(*typ, official.Check[float32], official.Check[float64])
	cases, err := golden.Open(*vectors)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.Stdout, "%s, %s\n", cli.Machine(), *typ)
	total, failed := 0, 0
	for _, k := range cases {
		if c.Context.Err() != nil {
			return cli.ErrInterrupted
		}
		rows, err := check(k)
		if err != nil {
			return err
		}
		for _, r := range rows {
			fmt.Fprintln(c.Stdout, r)
			if !r.Pass {
				failed++
			}
		}
		total += len(rows)
		if len(rows) == 0 {
			return fmt.Errorf("case %s (%s): expects nothing", k.Name, k.Path)
		}
	}
	fmt.Fprintf(c.Stdout, "%d cases, %d tensors and scalars: %d passed, %d failed\n", len(cases), total,
		total-failed, failed)
	if failed > 0 {
		return cli.ErrFailed
	}
	return nil
}

const checkHelp = `ref check computes the cases of a folder and prints a line for each tensor and scalar with its
relative error. In float64 the bound is 1e-10, 1e-8 after several optimiser steps, and counts must be
equal. In float32 it is 2e-4 for layers; networks are reported, not judged, and so is a gradient that
differs because a code lies within rounding of its threshold. Exit status 1 if any line fails.`
