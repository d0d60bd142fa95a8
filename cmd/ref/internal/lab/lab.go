// Package lab is ref lab: a page on which the sparse-coding layer and a network live in a browser, computed by this module to the same
// bits, by a server on this machine or, exported, by the module itself as WebAssembly.
//
// The answers come from package answer, the page's files from the folder page. This package serves them, or writes them to a folder,
// with the WebAssembly program that it builds there. It is a part of the command ref.
package lab

import (
	"errors"
	"fmt"

	"sdref/cmd/ref/internal/cli"
)

const labHelp = `ref lab opens a page in the browser on which one plays with the sparse-coding layer and a trained
network: pictures, sliders, the code's maps, FISTA step by step. This program computes all of it, and
serves the page to this machine only, until Ctrl-C.

With -export FOLDER it writes the page instead, with a copy of this program as WebAssembly, which
computes the same bits in the browser. The folder works from any web server and by opening its
index.html; nothing is loaded from elsewhere. For that Go must be installed, and the folder with this
program's source be the current one, or above it, or be given by -source.`

// Run serves or exports the page.
func Run(c *cli.Call) error {
	var export, source string
	var port int
	var open bool
	c.Flags.IntVar(&port, "port", 0, "the `port` of 127.0.0.1 to serve at (default: a free one)")
	c.Flags.BoolVar(&open, "open", true, "open the page in the browser")
	c.Flags.StringVar(&export, "export", "", "write the page to this `folder` instead of serving it")
	c.Flags.StringVar(&source, "source", "", "the `folder` with the program's source, for the WebAssembly program (default: the current one or above)")
	if err := c.Parse(labHelp); err != nil {
		return err
	}
	if port < 0 || port > 65535 {
		return fmt.Errorf("-port: %d is not between 0 and 65535", port)
	}
	if export != "" {
		for _, name := range []string{"port", "open"} {
			if c.Given(name) {
				return fmt.Errorf("-%s: with -export nothing is served", name)
			}
		}
		return exportPage(c, export, source)
	}
	files, err := pageFiles()
	if err != nil {
		return err
	}
	err = serve(c, files, source, port, open)
	if errors.Is(err, c.Context.Err()) {
		return nil // Ctrl-C is how a server ends
	}
	return err
}
