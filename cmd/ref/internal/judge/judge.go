// Package judge is the conversation about whether a program is right: another backend, or this one beside the
// authors' code.
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
	"sdref/golden/explore"
	"sdref/golden/graph"
	"sdref/golden/judge"
	"sdref/golden/precision"
	"sdref/golden/trial"
)

// selection says which cases are meant.
type selection struct {
	ids, kinds, flag string
	files            map[string]string // of cases that have one, by ID
}

// addSelection defines the flags of a selection.
func addSelection(c *cli.Call) *selection {
	var s selection
	c.Flags.StringVar(&s.ids, "case", "",
		"only these cases: `IDs` with commas between them, or names of files that -explore has written")
	c.Flags.StringVar(&s.kinds, "kind", "", "only cases of these `kinds`, with commas between them")
	c.Flags.StringVar(&s.flag, "flag", "",
		"only cases with this `flag`: exact, real, smoke, stride2, odd, ...")
	return &s
}

// cases returns the selected cases.
func (s *selection) cases() ([]*graph.Case, error) {
	if s.ids != "" {
		if s.kinds != "" || s.flag != "" {
			return nil, errors.New("-case names the cases: leave -kind, -flag and -smoke out")
		}
		return s.named()
	}
	kinds, err := s.kindList()
	if err != nil {
		return nil, err
	}
	list := slices.DeleteFunc(slices.Clone(cases.All()), func(c *graph.Case) bool {
		return kinds != nil && !slices.Contains(kinds, c.Kind) || s.flag != "" && !c.Has(s.flag)
	})
	if len(list) == 0 {
		return nil, fmt.Errorf("-kind %q, -flag %q: there is no such case; see ref cases", s.kinds, s.flag)
	}
	return list, nil
}

// kindList is the list that -kind gives, nil if it is not there.
func (s *selection) kindList() (kinds []string, err error) {
	if s.kinds != "" {
		kinds = strings.Split(s.kinds, ",")
	}
	for _, kind := range kinds {
		if known := cases.Kinds(); !slices.Contains(known, kind) {
			return nil, fmt.Errorf("-kind: there is no kind %q; there are %s", kind,
				strings.Join(known, ", "))
		}
	}
	return kinds, nil
}

// named returns the cases of a list of IDs and files.
func (s *selection) named() (list []*graph.Case, err error) {
	s.files = map[string]string{}
	for id := range strings.SplitSeq(s.ids, ",") {
		c := cases.Find(id)
		if c == nil {
			if c, err = s.fromFile(id); err != nil {
				return nil, err
			}
		}
		if slices.ContainsFunc(list, func(other *graph.Case) bool { return other.ID == c.ID }) {
			return nil, fmt.Errorf("-case: %s is there twice", id)
		}
		list = append(list, c)
	}
	return list, nil
}

// fromFile makes the case of a file that -explore has written.
func (s *selection) fromFile(path string) (*graph.Case, error) {
	if _, err := os.Stat(path); err != nil && !strings.HasSuffix(path, ".json") {
		return nil, fmt.Errorf("-case: there is no case %q; see ref cases", path)
	}
	p, err := explore.Load(path)
	if err != nil {
		return nil, fmt.Errorf("-case: %w", err)
	}
	c, err := p.Case()
	if err != nil {
		return nil, fmt.Errorf("-case: %s: %w", path, err)
	}
	s.files[c.ID] = path
	return c, nil
}

// boundsOf returns the calibrated bounds of cases, or for those of files the exact ones under the profile that
// profile returns then.
func boundsOf(list []*graph.Case, profile func() precision.Profile) func(id string) judge.Bounds {
	return func(id string) judge.Bounds {
		i := slices.IndexFunc(list, func(c *graph.Case) bool { return c.ID == id && c.Has("drawn") })
		if i < 0 {
			return cases.Bounds(id)
		}
		bounds, err := cases.ExactBounds(list[i], profile())
		if err != nil {
			panic(err) // a drawn case has all inputs of its nodes
		}
		return bounds
	}
}

// verb is one call of ref judge: its flags.
type verb struct {
	*cli.Call
	*selection
	*exploration
	command       []string
	smoke, all    bool
	dir           string
	jsonTo, junit string
	limit         time.Duration
}

// Run judges a backend.
func Run(c *cli.Call) error {
	j := &verb{Call: c, selection: addSelection(c), exploration: addExploration(c)}
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
		"stop the command, and all that it has started, after this `time`, and judge what it has answered; "+
			"with -explore for each round of cases (default: never)")
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
	if err := j.exploration.check(j, *planted); err != nil {
		return err
	}
	if j.exploration.on {
		return j.exploreWith(*self)
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
	dir, remove, err := j.folder()
	if err != nil {
		return err
	}
	defer remove()
	return j.run(list, trial.Command(dir, j.command, j.limit, j.Stderr))
}

// folder is that of -dir, or a temporary one that is to be removed.
func (j *verb) folder() (dir string, remove func(), err error) {
	if j.dir != "" {
		return j.dir, func() {}, nil
	}
	temporary, err := os.MkdirTemp("", "ref-judge-")
	return filepath.Join(temporary, "cases"), func() { os.RemoveAll(temporary) }, err
}

// ask has a client answer the cases, and judges that.
func (j *verb) ask(ctx context.Context, list []*graph.Case, client trial.Client) (*trial.Result, error) {
	var declared trial.Declaration
	t := trial.Trial{Cases: list, Kinds: cases.Kinds(), Facts: cases.Facts, Relations: cases.Relations(),
		Bounds: boundsOf(list, func() precision.Profile { return declared.Profile })}
	return t.Run(ctx, func(ctx context.Context, requests []trial.Request) (trial.Declaration,
		func(trial.Request) (judge.Answers, error), error) {
		d, answers, err := client(ctx, requests)
		declared = d
		return d, answers, err
	})
}

// run runs the trial and prints the report.
func (j *verb) run(list []*graph.Case, client trial.Client) error {
	fmt.Fprintln(j.Stdout, cli.Machine())
	result, err := j.ask(j.Context, list, client)
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
	result.Command, result.Files = j.command, j.files
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

or, with cases that nobody has listed, drawn one after the other until time is up,

  ref judge -explore [flags] -- COMMAND ARGS...

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
