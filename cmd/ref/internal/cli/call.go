package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"sdref/internal/kernel"
	"sdref/sdnet/data"
)

// Call is one use of a verb.
type Call struct {
	Context        context.Context // It is cancelled when the user stops the program.
	Args           []string        // They stand behind the verb.
	Stdout, Stderr io.Writer
	Flags          *flag.FlagSet // The verb defines its flags here, before Parse.
	kernel         string
	folder         *string // of results, if ResultFolder has defined it
	force, verify  bool
	overwrite      bool
	broken         data.Broken
	sets           []*data.Files // the images that were opened
}

// Parse reads the flags, tries whether the files that they name for results can be written, and chooses the kernel row. The
// description is the first paragraph of the verb's help.
func (c *Call) Parse(description string) error {
	opens, reads, writes := false, false, c.folder != nil
	c.Flags.VisitAll(func(f *flag.Flag) {
		writes = writes || isResult(f)
		opens = opens || strings.Contains(f.Usage, CheckpointUsage())
		reads = reads || strings.Contains(f.Usage, DataUsage) || strings.Contains(f.Usage, PicturesUsage)
	})
	if opens {
		c.Flags.BoolVar(&c.force, "force", false, ForceUsage)
	}
	if writes {
		c.Flags.BoolVar(&c.overwrite, "overwrite", false, "write over results that exist")
	}
	if reads {
		c.Flags.BoolVar(&c.verify, "verify", false, "decode every image file at the start, and report all that are broken")
		c.Flags.TextVar(&c.broken, "broken", data.Refuse,
			"what becomes of image files that cannot be read: `refuse` them, or skip them: evaluation leaves it out, training takes others of their classes")
	}
	err := c.Flags.Parse(c.Args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprintf(c.Stdout, "%s\n\nFlags:\n", description)
		c.Flags.SetOutput(c.Stdout)
		c.Flags.PrintDefaults()
		return err
	}
	if err != nil {
		return fmt.Errorf("%w (see ref %s -help)", err, c.Flags.Name())
	}
	if c.Flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q (see ref %s -help)", c.Flags.Arg(0), c.Flags.Name())
	}
	if err := c.open(); err != nil {
		return err
	}
	if c.kernel != "" {
		return kernel.Use(c.kernel)
	}
	return kernel.EnvironmentError()
}

// Given tells whether a flag was set on the command line.
func (c *Call) Given(name string) bool {
	found := false
	c.Flags.Visit(func(f *flag.Flag) { found = found || f.Name == name })
	return found
}
