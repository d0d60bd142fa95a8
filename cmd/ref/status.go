package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

// The exit statuses beyond 0.
const (
	exitFailed      = 1   // a check failed
	exitError       = 2   // bad usage or input
	exitUntrusted   = 3   // nothing was judged, or by a case that proves nothing
	exitInterrupted = 130 // Ctrl-C; the run was saved
)

// errFailed says that a check failed, errProtocol that there were no answers to check, errUntrusted that the check proves nothing,
// all of which has been reported; errInterrupted that the user stopped the run.
var (
	errFailed      = errors.New("failed")
	errProtocol    = errors.New("missing answers")
	errUntrusted   = errors.New("not to be trusted")
	errInterrupted = errors.New("interrupted")
)

func exitStatus(v verb, err error, stderr io.Writer) int {
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errFailed):
		return exitFailed
	case errors.Is(err, errProtocol):
		return exitError
	case errors.Is(err, errUntrusted):
		return exitUntrusted
	case errors.Is(err, errInterrupted):
		return exitInterrupted
	}
	fmt.Fprintf(stderr, "ref %s: %s\n", v.name, strings.ReplaceAll(err.Error(), "\n", "; "))
	return exitError
}
