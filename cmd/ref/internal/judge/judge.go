// Package judge is the conversation about whether a program is right: another backend, or this one beside the
// authors' code.
//
// It is for engineers who write a backend. It does not know what a case computes or which error is honest.
package judge

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"sdref/cmd/ref/internal/cli"
	"sdref/golden/cases"
	"sdref/golden/graph"
	"sdref/golden/judge"
	"sdref/golden/trial"
)

// selection says which cases are meant.
type selection struct{ ids, kinds, flag string }

// addSelection defines the flags of a selection.
func addSelection(c *cli.Call) *selection {
	var s selection
	c.Flags.StringVar(&s.ids, "case", "", "only these cases: `IDs` with commas between them")
	c.Flags.StringVar(&s.kinds, "kind", "", "only cases of these `kinds`, with commas between them")
	c.Flags.StringVar(&s.flag, "flag", "",
		"only cases with this `flag`: exact, real, smoke, stride2, odd, ...")
	return &s
}

// cases returns the selected cases.
func (s selection) cases() ([]*graph.Case, error) {
	if s.ids != "" {
		if s.kinds != "" || s.flag != "" {
			return nil, errors.New("-case names the cases: leave -kind, -flag and -smoke out")
		}
		return named(s.ids)
	}
	var kinds []string
	if s.kinds != "" {
		kinds = strings.Split(s.kinds, ",")
	}
	for _, kind := range kinds {
		if known := cases.Kinds(); !slices.Contains(known, kind) {
			return nil, fmt.Errorf("-kind: there is no kind %q; there are %s", kind,
				strings.Join(known, ", "))
		}
	}
	list := slices.DeleteFunc(slices.Clone(cases.All()), func(c *graph.Case) bool {
		return kinds != nil && !slices.Contains(kinds, c.Kind) || s.flag != "" && !c.Has(s.flag)
	})
	if len(list) == 0 {
		return nil, fmt.Errorf("-kind %q, -flag %q: there is no such case; see ref cases", s.kinds, s.flag)
	}
	return list, nil
}

// named returns the cases of a list of IDs.
func named(ids string) (list []*graph.Case, err error) {
	for id := range strings.SplitSeq(ids, ",") {
		c := cases.Find(id)
		if c == nil {
			return nil, fmt.Errorf("-case: there is no case %q; see ref cases", id)
		}
		if slices.Contains(list, c) {
			return nil, fmt.Errorf("-case: %s is there twice", id)
		}
		list = append(list, c)
	}
	return list, nil
}

// verb is one call of ref judge: its flags.
type verb struct {
	*cli.Call
	*selection
	command       []string
	smoke, all    bool
	dir           string
	jsonTo, junit string
	limit         time.Duration
}

// Run judges a backend.
func Run(c *cli.Call) error {
	j := &verb{Call: c, selection: addSelection(c)}
	if at := slices.Index(c.Args, "--"); at >= 0 {
		c.Args, j.command = c.Args[:at], c.Args[at+1:]
	}
	self := c.Flags.Bool("self", false, "judge this program's own float32 code")
	planted := c.Flags.Bool("faults", false,
		"plant known faults in simulated backends and print which cases find them")
	c.Flags.BoolVar(&j.smoke, "smoke", false, "only the cases of the smoke set, about a minute's worth")
	c.Flags.BoolVar(&j.all, "v", false, "show each failing node, not only the first of a case")
	c.Flags.StringVar(&j.dir, "dir", "",
		"the `folder` for inputs and answers, which stays (default: a temporary one)")
	c.Flags.StringVar(&j.jsonTo, "json", "", "write the whole report to this `file` as JSON")
	c.Flags.StringVar(&j.junit, "junit", "", "write a report to this `file` as JUnit XML")
	c.Flags.DurationVar(&j.limit, "limit", 0,
		"stop the command, and all that it has started, after this `time`, and judge what it has answered "+
			"(default: never)")
	if err := parse(c, judgeHelp); err != nil {
		return err
	}
	if j.smoke {
		if j.flag != "" {
			return errors.New("-smoke is -flag smoke: give one of them")
		}
		j.flag = "smoke"
	}
	if j.limit < 0 {
		return fmt.Errorf("-limit %s: want a time above 0", j.limit)
	}
	if err := checkMode(*self, *planted, j.command); err != nil {
		return err
	}
	list, err := j.cases()
	if err != nil {
		return err
	}
	switch {
	case *planted:
		return j.runFaults(list)
	case *self:
		return j.run(list, trial.Self(cases.Kinds()))
	}
	return j.judgeCommand(list)
}

func checkMode(self, planted bool, command []string) error {
	given := 0
	for _, is := range []bool{self, planted, len(command) > 0} {
		if is {
			given++
		}
	}
	if given != 1 {
		return errors.New("give one of -self, -faults, or -- COMMAND (see ref judge -help)")
	}
	return nil
}

// judgeCommand judges the command's answers.
func (j *verb) judgeCommand(list []*graph.Case) error {
	dir := j.dir
	if dir == "" {
		temporary, err := os.MkdirTemp("", "ref-judge-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(temporary)
		dir = filepath.Join(temporary, "cases")
	}
	return j.run(list, trial.Command(dir, j.command, j.limit, j.Stderr))
}

// run runs the trial and prints the report.
func (j *verb) run(list []*graph.Case, client trial.Client) error {
	fmt.Fprintln(j.Stdout, cli.Machine())
	t := trial.Trial{Cases: list, Kinds: cases.Kinds(), Bounds: cases.Bounds, Facts: cases.Facts,
		Relations: cases.Relations()}
	result, err := t.Run(j.Context, client)
	var stopped *trial.StoppedError
	switch {
	case err != nil && j.Context.Err() != nil:
		fmt.Fprintln(j.Stdout, "stopped before anything was judged; -limit TIME ends a backend and judges what it has answered")
		return cli.ErrInterrupted
	case errors.As(err, &stopped):
		return fmt.Errorf("%s: %w", trial.Printable(j.command[0]), err)
	case err != nil:
		return err
	}
	result.Command = j.command
	j.print(result)
	if err := j.write(result); err != nil {
		return err
	}
	if result.Interrupted {
		return j.sayInterrupted(result)
	}
	if result.Stopped {
		return fmt.Errorf("%s: not done after %s; what it had answered was judged",
			trial.Printable(j.command[0]), j.limit)
	}
	switch result.Verdict {
	case judge.Pass:
		return nil
	case judge.Protocol:
		return cli.ErrProtocol
	case judge.Untrusted:
		return cli.ErrUntrusted
	}
	return cli.ErrFailed
}

// sayInterrupted says how to go on with a trial that was interrupted; what was judged has been reported.
func (j *verb) sayInterrupted(r *trial.Result) error {
	command := "ref judge -self"
	if len(r.Command) > 0 {
		command = "the same command"
	}
	if len(r.Unjudged) == 0 {
		fmt.Fprintf(j.Stdout, "stopped: each case is judged once, but not all that were asked twice; %s again compares these\n", command)
		return cli.ErrInterrupted
	}
	fmt.Fprintf(j.Stdout, "stopped: %d cases are not judged, and those above may be related to them; %s with -case %s does the rest\n", len(r.Unjudged), command,
		strings.Join(r.Unjudged, ","))
	return cli.ErrInterrupted
}

// parse is Parse that refuses a flag given twice, of which the first would be lost.
func parse(c *cli.Call, help string) error {
	seen := map[string]bool{}
	for i := 0; i < len(c.Args); i++ {
		word, isFlag := strings.CutPrefix(c.Args[i], "-")
		name, _, hasValue := strings.Cut(strings.TrimPrefix(word, "-"), "=")
		f := c.Flags.Lookup(name)
		if !isFlag || f == nil {
			break // Parse knows what to say
		}
		if seen[name] {
			return fmt.Errorf("-%s is there twice (see ref %s -help)", name, c.Flags.Name())
		}
		seen[name] = true
		if b, ok := f.Value.(interface{ IsBoolFlag() bool }); !hasValue && !(ok && b.IsBoolFlag()) {
			i++
		}
	}
	return c.Parse(help)
}

const judgeHelp = `ref judge finds out whether a backend computes what the reference does, and if not, which operator
of which layer and iteration is wrong:

  ref judge [flags] -- COMMAND ARGS...

It writes a folder of cases, starts COMMAND ARGS... FOLDER once, and judges what that has written:
each tensor against float64, computed from the backend's own answers to what it depends on.
docs/golden.md says how to write such a command. The verdicts are

  PASS         as good as honest backends of the declared precision are
  NOT COVERED  the backend does not do this kind of case
  SUSPECT      within what can be proved, beyond what honest backends were seen to do
  PRECISION    the right computation in a coarser arithmetic than declared: a format with a name
               explains the errors, or they look like those of one
  LOGIC        another computation
  PROTOCOL     a tensor is missing, misshapen or unreadable
  UNTRUSTED    the case would pass a wrong answer, so it proves nothing

Exit status: 0 all pass, 1 some do not, 2 missing or unreadable answers or bad usage, 3 nothing was
judged, or by a case that is not to be trusted.`
