// Command ref trains, evaluates, describes and checks SDNet networks on a CPU.
//
// Each verb is a file: its flags, and the conversation with the user. The arithmetic is in the packages below.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"

	"sdref/internal/kernel"
)

// verb is one thing that the command does.
type verb struct {
	name, summary string
	run           func(c *call) error
}

var verbs []verb

func init() { // in init, because help lists the verbs
	verbs = []verb{
		{"train", "train a network on drawn images, CIFAR or folders of images, resumable", runTrain},
		{"eval", "evaluate a checkpoint on images", runEval},
		{"import", "make a checkpoint from weights of PyTorch or of a safetensors file", runImport},
		{"export", "write a checkpoint's weights for PyTorch, or as a safetensors file", runExport},
		{"table", "make the paper's table of networks: parameters, accuracy, memory, speed", runTable},
		{"figures", "draw the paper's figures for trained networks, and a page that shows them", runFigures},
		{"robust", "measure a network on noisy images, its lambda adapted to them", runRobust},
		{"attack", "look for images nearby that a network mistakes", runAttack},
		{"describe", "show a network as a table: layer, shape, parameters, multiply-adds", runDescribe},
		{"check", "compare this program with stored values of the authors' code", runCheck},
		{"trace", "show the iterates of a CSC layer on an image, beside (A.1)", runTrace},
		{"spectrum", "bound the CSC layers' largest eigenvalues and judge their step sizes", runSpectrum},
		{"certify", "say how far a sparse code is from the solution, and prove it", runCertify},
		{"judge", "find out whether, and where, another backend is wrong", runJudge},
		{"cases", "list, show and export the cases that backends are judged by", runCases},
		{"bench", "measure speed and memory, as shares of the machine's peak", runBench},
		{"cpu", "show what the processor can do and which kernels are used", runCPU},
	}
}

// call is one use of a verb.
type call struct {
	ctx            context.Context
	args           []string
	stdout, stderr io.Writer
	flags          *flag.FlagSet
	kernel         string
}

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

func main() {
	collectEarly(garbageShare)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, func() {
		stop() // a second Ctrl-C ends the program at once
		fmt.Fprintln(os.Stderr, "\nref: stopping; a second Ctrl-C ends at once and saves nothing")
	})
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run does what the arguments ask for and returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) (status int) {
	defer func() {
		if r := recover(); r != nil {
			text, _, _ := strings.Cut(fmt.Sprint(r), "\n")
			fmt.Fprintf(stderr, "ref: internal error, please report it: %s\n", text)
			status = exitError
		}
	}()
	if len(args) == 0 {
		usage(stderr)
		return exitError
	}
	if a := args[0]; a == "help" || a == "-help" || a == "--help" || a == "-h" {
		if len(args) == 1 {
			usage(stdout)
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

func usage(w io.Writer) {
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

func rowNames() string {
	var names []string
	for _, r := range kernel.Rows[float32]() {
		names = append(names, r.Name)
	}
	return strings.Join(names, ", ")
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

// machine is the first line of every log.
func machine() string {
	return fmt.Sprintf("%s, kernel %s, %d goroutines", kernel.CPUName(), kernel.ActiveName(), runtime.GOMAXPROCS(0))
}
