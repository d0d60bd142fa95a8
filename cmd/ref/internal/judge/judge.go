// Package judge is the conversation about whether a program is right: another backend, or this one beside the authors' code.
//
// It is for engineers who write a backend. It does not know what a case computes or which error is honest.
package judge

import (
	"context"
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

// choice says which cases are meant.
type choice struct{ ids, kind, flag string }

// choose defines the flags of a choice.
func choose(c *cli.Call) *choice {
	var which choice
	c.Flags.StringVar(&which.ids, "case", "", "only these cases: `IDs` with commas between them")
	c.Flags.StringVar(&which.kind, "kind", "", "only cases of this `kind`")
	c.Flags.StringVar(&which.flag, "flag", "", "only cases with this `flag`: exact, real, smoke, stride2, odd, ...")
	return &which
}

// cases returns the chosen cases.
func (w choice) cases() ([]*graph.Case, error) {
	if w.ids != "" {
		var list []*graph.Case
		for id := range strings.SplitSeq(w.ids, ",") {
			c := cases.Find(id)
			if c == nil {
				return nil, fmt.Errorf("-case: there is no case %q; see ref cases", id)
			}
			list = append(list, c)
		}
		return list, nil
	}
	list := slices.DeleteFunc(slices.Clone(cases.All()), func(c *graph.Case) bool {
		return w.kind != "" && c.Kind != w.kind || w.flag != "" && !c.Has(w.flag)
	})
	if len(list) == 0 {
		return nil, fmt.Errorf("-kind %q, -flag %q: there is no such case; see ref cases", w.kind, w.flag)
	}
	return list, nil
}

// judging is the verb's flags.
type judging struct {
	*cli.Call
	*choice
	command       []string
	smoke, all    bool
	dir           string
	jsonTo, junit string
	limit         time.Duration
}

// Run judges a backend.
func Run(c *cli.Call) error {
	j := &judging{Call: c, choice: choose(c)}
	if at := slices.Index(c.Args, "--"); at >= 0 {
		c.Args, j.command = c.Args[:at], c.Args[at+1:]
	}
	self := c.Flags.Bool("self", false, "judge this program's own float32 code")
	planted := c.Flags.Bool("faults", false, "plant known faults in simulated backends and print which cases find them")
	c.Flags.BoolVar(&j.smoke, "smoke", false, "only the cases of the smoke set, about a minute's worth")
	c.Flags.BoolVar(&j.all, "v", false, "show each failing node, not only the first of a case")
	c.Flags.StringVar(&j.dir, "dir", "", "the `folder` for inputs and answers, which stays (default: a temporary one)")
	c.Flags.StringVar(&j.jsonTo, "json", "", "write the whole report to this `file` as JSON")
	c.Flags.StringVar(&j.junit, "junit", "", "write a report to this `file` as JUnit XML")
	c.Flags.DurationVar(&j.limit, "limit", 0, "stop the command after this `time` (default: never)")
	if err := c.Parse(judgeHelp); err != nil {
		return err
	}
	if j.smoke {
		j.flag = "smoke"
	}
	if err := kindsOfJudging(*self, *planted, j.command); err != nil {
		return err
	}
	cases, err := j.cases()
	if err != nil {
		return err
	}
	switch {
	case *planted:
		return j.plant(cases)
	case *self:
		return j.hold(cases, ownCode)
	}
	return j.outside(cases)
}

func kindsOfJudging(self, planted bool, command []string) error {
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

// outside judges the command.
func (j *judging) outside(cases []*graph.Case) error {
	dir := j.dir
	if dir == "" {
		temporary, err := os.MkdirTemp("", "ref-judge-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(temporary)
		dir = filepath.Join(temporary, "cases")
	}
	return j.hold(cases, trial.Command(dir, j.command, j.Stderr))
}

// hold holds the trial and reports.
func (j *judging) hold(list []*graph.Case, w trial.Witness) error {
	ctx := j.Context
	if j.limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, j.limit)
		defer cancel()
	}
	fmt.Fprintln(j.Stdout, cli.Machine())
	t := trial.Trial{Cases: list, Bounds: cases.Bounds, Facts: cases.Facts, Relations: cases.Relations()}
	record, err := t.Hold(ctx, w)
	switch {
	case j.Context.Err() != nil:
		return cli.ErrInterrupted
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s: not done after %s", j.command[0], j.limit)
	case err != nil:
		return err
	}
	record.Command = j.command
	j.print(record)
	if err := j.write(record); err != nil {
		return err
	}
	switch record.Verdict {
	case judge.Pass:
		return nil
	case judge.Protocol:
		return cli.ErrProtocol
	case judge.Untrusted:
		return cli.ErrUntrusted
	}
	return cli.ErrFailed
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
  PRECISION    the right computation in a coarser arithmetic than declared
  LOGIC        another computation
  PROTOCOL     a tensor is missing, misshapen or unreadable
  UNTRUSTED    the case would pass a wrong answer, so it proves nothing

Exit status: 0 all pass, 1 some do not, 2 missing or unreadable answers or bad usage, 3 nothing was
judged, or by a case that is not to be trusted.`
