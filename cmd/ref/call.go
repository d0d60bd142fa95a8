package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"

	"sdref/internal/kernel"
)

// call is one use of a verb.
type call struct {
	ctx            context.Context
	args           []string
	stdout, stderr io.Writer
	flags          *flag.FlagSet
	kernel         string
}

// parse reads the flags and chooses the kernel row. The description is the first paragraph of the verb's help.
func (c *call) parse(description string) error {
	err := c.flags.Parse(c.args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprintf(c.stdout, "%s\n\nFlags:\n", description)
		c.flags.SetOutput(c.stdout)
		c.flags.PrintDefaults()
		return err
	}
	if err != nil {
		return fmt.Errorf("%w (see ref %s -help)", err, c.flags.Name())
	}
	if c.flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q (see ref %s -help)", c.flags.Arg(0), c.flags.Name())
	}
	if c.kernel != "" {
		return kernel.Use(c.kernel)
	}
	return kernel.EnvironmentError()
}

// given tells whether a flag was set on the command line.
func (c *call) given(name string) bool {
	found := false
	c.flags.Visit(func(f *flag.Flag) { found = found || f.Name == name })
	return found
}
