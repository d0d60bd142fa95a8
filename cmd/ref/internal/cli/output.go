package cli

import (
	"fmt"
	"os"

	"sdref/internal/filekind"
	"sdref/sdnet/training"
	"sdref/tensor/safetensors"
)

// Spare keeps a verb from writing a result over a file that it reads: it refuses a value of the flags -out,
// -json and -csv that is the same file as one of the inputs, also through links. Inputs and results that are
// not there are no matter.
func (c *Call) Spare(inputs ...string) error {
	for _, name := range []string{"out", "json", "csv"} {
		f := c.Flags.Lookup(name)
		if f == nil || f.Value.String() == "" {
			continue
		}
		if err := Distinct(f.Value.String(), inputs...); err != nil {
			return fmt.Errorf("-%s: %w", name, err)
		}
	}
	return nil
}

// Distinct refuses a result that would be written over an input: the same file by another path, a symbolic or
// a hard link.
func Distinct(out string, inputs ...string) error {
	to, err := os.Stat(out)
	if err != nil {
		return nil // there is nothing to be overwritten
	}
	for _, in := range inputs {
		if from, err := os.Stat(in); err == nil && os.SameFile(from, to) {
			return fmt.Errorf("%s is the file that is read, %s: write to another one", out, in)
		}
	}
	return nil
}

// IsRun tells whether a file holds a run of ref train, which took long to compute.
func IsRun(path string) bool {
	beginning, err := filekind.Peek(path)
	if err != nil || filekind.Describe(beginning) != filekind.Safetensors {
		return false
	}
	f, err := safetensors.Read(path)
	if err != nil {
		return false
	}
	_, _, err = training.ReadConfig(f)
	return err == nil && training.Source(f) == ""
}

// OverwriteUsage describes the flag -overwrite of verbs that keep a run from being overwritten.
const OverwriteUsage = "write over a run of ref train too"

// KeepRun refuses to write a result over a run, unless the user has asked for it.
func KeepRun(out string, overwrite bool) error {
	if !overwrite && IsRun(out) {
		return fmt.Errorf("-out: %s is a run of ref train; -overwrite writes over it", out)
	}
	return nil
}
