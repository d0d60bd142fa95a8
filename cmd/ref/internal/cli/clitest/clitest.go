// Package clitest calls the program in tests: a table of verbs in this process, with what its output must say.
//
// It is for the tests of the packages of cmd/ref, which also find here the folders of images and the short runs that they share.
// It knows nothing of what a verb does.
package clitest

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	"sdref/cmd/ref/internal/cli"
	"sdref/internal/kernel"
)

// Program is the program, or as much of it as a test needs: its verbs.
type Program []cli.Verb

// Call calls the program in this process.
func (p Program) Call(t testing.TB, args ...string) Result {
	t.Helper()
	return p.CallWith(t, context.Background(), nil, args...)
}

// CallWith calls the program with a context, and shows what it writes to standard output to watch.
func (p Program) CallWith(t testing.TB, ctx context.Context, watch io.Writer, args ...string) Result {
	t.Helper()
	row := kernel.ActiveName()
	var out, err bytes.Buffer
	stdout := io.Writer(&out)
	if watch != nil {
		stdout = io.MultiWriter(&out, watch)
	}
	status := cli.Run(ctx, p, args, stdout, &err)
	if use := kernel.Use(row); use != nil {
		t.Fatal(use)
	}
	return Result{args, status, out.String(), err.String()}
}

// Works calls the program and fails unless it ends well and writes each of the texts.
func (p Program) Works(t testing.TB, args []string, says ...string) Result {
	t.Helper()
	r := p.Call(t, args...)
	if r.Status != 0 || strings.Contains(r.Err, "ref ") {
		t.Fatalf("ref %q: status %d, %s", args, r.Status, r.Err)
	}
	r.Says(t, says...)
	return r
}

// Result is what a call of the program gave.
type Result struct {
	Args     []string
	Status   int
	Out, Err string
}

// Says fails unless standard output has each of the texts.
func (r Result) Says(t testing.TB, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(r.Out, text) {
			t.Errorf("ref %q does not say %q:\n%s", r.Args, text, r.Out)
		}
	}
}

// Line returns the first line of standard output with a prefix.
func (r Result) Line(t testing.TB, prefix string) string {
	t.Helper()
	for line := range strings.Lines(r.Out) {
		if strings.HasPrefix(line, prefix) {
			return line
		}
	}
	t.Errorf("ref %q says nothing that begins with %q:\n%s", r.Args, prefix, r.Out)
	return ""
}

// Refused fails unless the call ended with status 2 and one line on standard error that has each of the texts.
func (r Result) Refused(t testing.TB, says ...string) {
	t.Helper()
	if r.Status != cli.ExitError {
		t.Errorf("ref %q: status %d, want %d", r.Args, r.Status, cli.ExitError)
	}
	if strings.Count(r.Err, "\n") != 1 || !strings.HasSuffix(r.Err, "\n") || !strings.HasPrefix(r.Err, "ref") {
		t.Errorf("ref %q: want one line on standard error, got %q", r.Args, r.Err)
	}
	for _, text := range append(says, "") {
		if !strings.Contains(r.Err, text) || strings.Contains(r.Err, "internal error") {
			t.Errorf("ref %q: error %q, want one that says %q", r.Args, r.Err, text)
		}
	}
}

// CancelAt is a writer that calls cancel when what is written to it contains a text.
func CancelAt(text string, cancel context.CancelFunc) io.Writer { return canceller{text, cancel} }

type canceller struct {
	text   string
	cancel context.CancelFunc
}

func (c canceller) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(c.text)) {
		c.cancel()
	}
	return len(p), nil
}
