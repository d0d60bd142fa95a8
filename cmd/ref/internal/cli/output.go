package cli

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"sdref/internal/atomicfile"
	"sdref/internal/filekind"
	"sdref/sdnet/training"
	"sdref/tensor/safetensors"
)

// Spare keeps a verb from writing a result over a file that it reads: it refuses a value of the flags of results
// that is the same file as one of the inputs, also through links. Inputs and results that are not there are no matter.
func (c *Call) Spare(inputs ...string) error {
	for _, name := range results {
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

// results lists the flags whose values are files that a verb writes when its work is done.
var results = []string{"out", "json", "csv", "junit"}

// open tries before the work whether its results can be written: the folder is there and takes new files. An existing file is left
// as it is. It must be of the kind that the flag is for, so that a slip of a name costs no picture and no checkpoint.
func (c *Call) open() error {
	for _, name := range results {
		f := c.Flags.Lookup(name)
		if f == nil || f.Value.String() == "" || !strings.Contains(f.Usage, "`file`") {
			continue
		}
		path := f.Value.String()
		if isStream(path) && name != "out" {
			continue
		}
		if err := atomicfile.Try(path); err != nil {
			return fmt.Errorf("-%s: %w", name, err)
		}
		if name == "out" {
			continue // what may be overwritten is for the verb to say
		}
		beginning, err := filekind.Peek(path)
		if err != nil || len(bytes.TrimSpace(beginning)) == 0 {
			continue
		}
		if !filekind.IsText(beginning) {
			what := cmp.Or(filekind.Describe(beginning), "something else")
			return fmt.Errorf("-%s: %s exists and is no text but %s: write to another file", name, path, what)
		}
	}
	return nil
}

// WriteFile writes a result to a file, all of it or nothing, or into a device or pipe that the user has named.
func WriteFile(path string, write func(io.Writer) error) error {
	if !isStream(path) {
		return atomicfile.Write(path, write)
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := write(f); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return f.Close()
}

// isStream tells whether something is at the path that bytes go into and are gone.
func isStream(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode()&(os.ModeDevice|os.ModeNamedPipe) != 0
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

// OverwriteUsage describes the flag -overwrite of verbs that write weights.
const OverwriteUsage = "write over a file that exists, be it a run of ref train"

// KeepExisting refuses to write weights over anything that exists, unless the user has asked for it.
func KeepExisting(out string, overwrite bool) error {
	if overwrite {
		return nil
	}
	if _, err := os.Lstat(out); errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return fmt.Errorf("-out: %w", err)
	}
	what := ""
	if IsRun(out) {
		what = " and is a run of ref train"
	}
	return fmt.Errorf("-out: %s exists%s; -overwrite replaces it", out, what)
}
