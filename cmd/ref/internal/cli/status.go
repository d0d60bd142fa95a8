package cli

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

// The exit statuses beyond 0.
const (
	ExitFailed      = 1   // a check failed, or a result is not finite
	ExitError       = 2   // bad usage or input
	ExitUntrusted   = 3   // nothing was judged, or by a case that proves nothing
	ExitInterrupted = 130 // Ctrl-C; the run was saved
)

// ErrFailed says that a check failed, ErrProtocol that there were no answers to check, ErrUntrusted that the
// check proves nothing, all of which has been reported; ErrNotFinite that a result is none; ErrInterrupted
// that the user stopped the run.
var (
	ErrFailed      = errors.New("failed")
	ErrProtocol    = errors.New("missing answers")
	ErrUntrusted   = errors.New("not to be trusted")
	ErrNotFinite   = errors.New("results that are not finite: the network gives NaN or infinity")
	ErrInterrupted = errors.New("interrupted")
)

func exitStatus(v Verb, err error, stderr io.Writer) int {
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, ErrFailed):
		return ExitFailed
	case errors.Is(err, ErrNotFinite):
		fmt.Fprintf(stderr, "ref %s: %s\n", v.Name, strings.ReplaceAll(err.Error(), "\n", "; "))
		return ExitFailed
	case errors.Is(err, ErrProtocol):
		return ExitError
	case errors.Is(err, ErrUntrusted):
		return ExitUntrusted
	case errors.Is(err, ErrInterrupted):
		return ExitInterrupted
	}
	fmt.Fprintf(stderr, "ref %s: %s\n", v.Name, strings.ReplaceAll(err.Error(), "\n", "; "))
	return ExitError
}
