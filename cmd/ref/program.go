package main

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

// verb is one thing that the command does.
type verb struct {
	name, summary string
	run           func(c *call) error
}

// runMain runs the program, which ends with its exit status.
func runMain(verbs []verb) {
	collectEarly(garbageShare)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, func() {
		stop() // a second Ctrl-C ends the program at once
		fmt.Fprintln(os.Stderr, "\nref: stopping; a second Ctrl-C ends at once and saves nothing")
	})
	os.Exit(run(ctx, verbs, os.Args[1:], os.Stdout, os.Stderr))
}

// run does what the arguments ask for and returns the exit status.
func run(ctx context.Context, verbs []verb, args []string, stdout, stderr io.Writer) (status int) {
	defer func() {
		if r := recover(); r != nil {
			text, _, _ := strings.Cut(fmt.Sprint(r), "\n")
			fmt.Fprintf(stderr, "ref: internal error, please report it: %s\n", text)
			status = exitError
		}
	}()
	if len(args) == 0 {
		usage(stderr, verbs)
		return exitError
	}
	if a := args[0]; a == "help" || a == "-help" || a == "--help" || a == "-h" {
		if len(args) == 1 {
			usage(stdout, verbs)
			return 0
		}
		args = []string{args[1], "-help"}
	}
	for _, v := range verbs {
		if v.name == args[0] {
			c := &call{ctx: ctx, args: args[1:], stdout: stdout, stderr: stderr, flags: flag.NewFlagSet(v.name, flag.ContinueOnError)}
			c.flags.SetOutput(io.Discard) // parse reports errors, in one line
			c.flags.StringVar(&c.kernel, "kernel", "", "kernel `row` to use: "+rowNames()+" (default: the fastest)")
			return exitStatus(v, v.run(c), stderr)
		}
	}
	fmt.Fprintf(stderr, "ref: unknown verb %q; see ref -help\n", args[0])
	return exitError
}

func usage(w io.Writer, verbs []verb) {
	fmt.Fprintln(w, "ref is the CPU reference of SDNet: networks of convolutional sparse coding layers.")
	fmt.Fprintf(w, "\nUsage: ref VERB [flags]; ref help VERB lists a verb's flags.\n\n")
	for _, v := range verbs {
		fmt.Fprintf(w, "  %-9s %s\n", v.name, v.summary)
	}
	fmt.Fprint(w, examples)
	fmt.Fprintf(w, "\nThe environment variable SDREF_KERNEL chooses a kernel row like -kernel does: %s.\n", rowNames())
	fmt.Fprintln(w, "Exit status: 0 done, 1 a check failed, 2 bad usage or input, 3 a check proves nothing, 130 interrupted (and saved).")
}

const examples = `
Examples:

  ref train                                a narrow network on drawn images, about a minute
  ref train -data FOLDER -out runs/cifar   the published recipe on CIFAR
  ref eval -data FOLDER -checkpoint runs/cifar/checkpoint.safetensors
  ref check -vectors FOLDER                is this program right? FOLDER holds golden cases
`
