package cli

import (
	"bytes"
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"sdref/internal/atomicfile"
	"sdref/internal/filekind"
	"sdref/sdnet/training"
	"sdref/tensor/safetensors"
)

// spare keeps a verb from writing a result over a file that it reads, where Parse has not seen its path: it refuses a value of the
// flags of results that is the same file as one of the inputs, also through links. Inputs and results that are not there are no matter.
func (c *Call) spare(inputs ...string) error {
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

// isResult tells whether a flag's value is one file that the verb writes.
func isResult(f *flag.Flag) bool {
	return slices.Contains(results, f.Name) && strings.Contains(f.Usage, "`file`")
}

// ResultFolder defines the flag -out of a verb that writes several files to a folder.
func (c *Call) ResultFolder(into *string, standard, usage string) {
	c.Flags.StringVar(into, "out", standard, usage)
	c.folder = into
}

// open tries before the work whether its results can be written: the folder is there and takes new files. What exists is kept, unless
// the user asks for it to be written over; a report in text replaces nothing but text even then, so that a slip of a name costs no
// picture and no checkpoint.
func (c *Call) open() error {
	for _, name := range results {
		f := c.Flags.Lookup(name)
		if f == nil || f.Value.String() == "" || !isResult(f) {
			continue
		}
		path := f.Value.String()
		if isStream(path) && name != "out" {
			continue
		}
		err := atomicfile.Try(path)
		c.Flags.Visit(func(other *flag.Flag) {
			if err == nil && other.Name != name {
				err = Distinct(path, other.Value.String())
			}
		})
		if err == nil {
			err = c.keep(path, name != "out")
		}
		if err != nil {
			return fmt.Errorf("-%s: %w", name, err)
		}
	}
	if c.folder == nil || c.overwrite || *c.folder == "" {
		return nil
	}
	// A folder that cannot be read is for the verb to meet, when it makes it.
	if there, _ := os.ReadDir(*c.folder); len(there) > 0 {
		return fmt.Errorf("-out: %s is not empty; -overwrite writes over what it holds", *c.folder)
	}
	return nil
}

// keep refuses to write a result over a file that holds anything, unless the user has asked for it.
func (c *Call) keep(path string, text bool) error {
	beginning, err := filekind.Peek(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(bytes.TrimSpace(beginning)) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	what := ""
	switch {
	case isRun(path):
		what = " and is a run of ref train"
	case text && !filekind.IsText(beginning):
		what = " and is no text but " + cmp.Or(filekind.Describe(beginning), "something else")
	}
	switch {
	case text && what != "":
		return fmt.Errorf("%s exists%s: write to another file", path, what)
	case c.overwrite:
		return nil
	}
	return fmt.Errorf("%s exists%s; -overwrite replaces it", path, what)
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

// isRun tells whether a file holds a run of ref train, which took long to compute.
func isRun(path string) bool {
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
