// Package cli is what the verbs of ref share: a call with its flags, progress and exit status, the images and checkpoints that it
// opens, the choice between float32 and float64, and how numbers are printed.
//
// It is for the packages of cmd/ref, each of which holds one conversation with the user. It does not know what a verb does.
package cli

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// Verb is one thing that the program does.
type Verb struct {
	Name, Summary string // Summary is the verb's line in the program's help.
	Run           func(c *Call) error
}

// Main runs the program with the arguments that stand behind its name, and ends the process with the exit status.
func Main(verbs []Verb, args []string) {
	CollectEarly(garbageShare)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, func() {
		stop() // a second Ctrl-C ends the program at once
		fmt.Fprintln(os.Stderr, "\nref: stopping; a second Ctrl-C ends at once and saves nothing")
	})
	os.Exit(Run(ctx, verbs, args, os.Stdout, os.Stderr))
}

// Run calls the verb that the arguments name, and returns the exit status.
func Run(ctx context.Context, verbs []Verb, args []string, toStdout, toStderr io.Writer) (status int) {
	stdout, stderr := &console{to: toStdout}, &console{to: toStderr}
	defer func() {
		if stdout.err != nil && status != ExitInterrupted {
			fmt.Fprintf(stderr, "ref: standard output: %v\n", stdout.err)
			status = ExitError
		}
	}()
	defer func() {
		if r := recover(); r != nil {
			text, _, _ := strings.Cut(fmt.Sprint(r), "\n")
			fmt.Fprintf(stderr, "ref: internal error, please report it: %s\n", text)
			status = ExitError
		}
	}()
	if len(args) == 0 {
		usage(stderr, verbs)
		return ExitError
	}
	if a := args[0]; a == "help" || a == "-help" || a == "--help" || a == "-h" {
		if len(args) == 1 {
			usage(stdout, verbs)
			return 0
		}
		args = []string{args[1], "-help"}
	}
	for _, v := range verbs {
		if v.Name == args[0] {
			c := &Call{Context: ctx, Args: args[1:], Stdout: stdout, Stderr: stderr, Flags: flag.NewFlagSet(v.Name, flag.ContinueOnError)}
			c.Flags.SetOutput(io.Discard) // Parse reports errors, in one line
			c.Flags.StringVar(&c.kernel, "kernel", "", "kernel `row` to use: "+rowNames()+" (default: the fastest)")
			return exitStatus(v, v.Run(c), stderr)
		}
	}
	fmt.Fprintf(stderr, "ref: unknown verb %q; see ref -help\n", args[0])
	return ExitError
}

func usage(w io.Writer, verbs []Verb) {
	fmt.Fprintln(w, "ref is the CPU reference of SDNet: networks of convolutional sparse coding layers.")
	fmt.Fprintf(w, "\nUsage: ref VERB [flags]; ref help VERB lists a verb's flags.\n\n")
	for _, v := range verbs {
		fmt.Fprintf(w, "  %-9s %s\n", v.Name, v.Summary)
	}
	fmt.Fprint(w, examples)
	fmt.Fprintf(w, "\nThe environment variable SDREF_KERNEL chooses a kernel row like -kernel does: %s.\n", rowNames())
	fmt.Fprintln(w, "Exit status: 0 done, 1 a check failed or a result is not finite, 2 bad usage or input, 3 a check proves nothing, 130 interrupted (and saved).")
}

const examples = `
Examples:

  ref train                                a narrow network on drawn images, half a minute
  ref train -data FOLDER -out runs/cifar   the published recipe on CIFAR
  ref eval -data FOLDER -checkpoint runs/cifar/checkpoint.safetensors
  ref check -vectors FOLDER                is this program right? FOLDER holds golden cases
`
