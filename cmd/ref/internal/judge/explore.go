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
	"sdref/golden/trial"
	"sdref/internal/atomicfile"
)

// exploration is the flags of -explore.
type exploration struct {
	on   bool
	time time.Duration
	seed uint64
	out  string
}

// addExploration defines them.
func addExploration(c *cli.Call) *exploration {
	var x exploration
	c.Flags.BoolVar(&x.on, "explore", false,
		"draw new cases without end, and say of what fails where it does; with -kind of these kinds alone")
	c.Flags.DurationVar(&x.time, "for", 5*time.Minute,
		"with -explore: begin no new round of cases after this `time`")
	c.Flags.Uint64Var(&x.seed, "seed", 1, "with -explore: the same `number` draws the same cases")
	c.Flags.StringVar(&x.out, "out", ".", "with -explore: the `folder` for the files that repeat what was found")
	return &x
}

// check says which flags do not go together.
func (x *exploration) check(j *verb, planted bool) error {
	if !x.on {
		for _, name := range []string{"for", "seed", "out"} {
			if j.Given(name) {
				return fmt.Errorf("-%s goes with -explore", name)
			}
		}
		return nil
	}
	for _, name := range []string{"case", "flag", "smoke", "json", "junit", "v"} {
		if j.Given(name) {
			return fmt.Errorf("-explore draws its own cases and reports findings: leave -%s out", name)
		}
	}
	switch {
	case planted:
		return errors.New("give one of -explore and -faults")
	case x.time <= 0:
		return fmt.Errorf("-for %s: want a time above 0", x.time)
	case x.seed >= 1<<20:
		return fmt.Errorf("-seed %d: want less than %d", x.seed, 1<<20)
	}
	err := os.MkdirAll(x.out, 0o777)
	if err == nil {
		err = atomicfile.Try(x.file(1))
	}
	if err != nil {
		return fmt.Errorf("-out: %w", err)
	}
	return nil
}

// file is where a finding's case is written.
func (x *exploration) file(number int) string {
	return filepath.Join(x.out, fmt.Sprintf("found-%d-%d.json", x.seed, number))
}

// exploreWith explores this program or the command.
func (j *verb) exploreWith(self bool) error {
	if self {
		return j.explore(trial.Self(cases.Kinds()))
	}
	dir, remove, err := j.folder()
	if err != nil {
		return err
	}
	defer remove()
	rounds := &trial.Rounds{Dir: dir, Keep: j.dir != "", Command: j.command, Limit: j.limit, Log: j.Stderr}
	defer rounds.Close()
	return j.explore(rounds.Client)
}

// explore has the client explored and prints what is found.
func (j *verb) explore(client trial.Client) error {
	kinds, err := j.kindList()
	if err != nil {
		return err
	}
	if kinds == nil {
		kinds = cases.Drawable()
	}
	fmt.Fprintln(j.Stdout, cli.Machine())
	progress := cli.NewProgress(j.Stderr, 0)
	defer progress.End()
	e := &explore.Explorer{Seed: j.exploration.seed, Kinds: kinds}
	var backend *trial.Declaration
	e.Ask = func(ctx context.Context, list []*graph.Case) ([]judge.Report, error) {
		progress.Show(min(1, float64(time.Since(progress.Start))/float64(j.exploration.time)),
			fmt.Sprintf("%d cases drawn, %d more asked, %d findings", e.Cases, e.Asked, len(e.Findings)))
		result, err := j.ask(ctx, list, client)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil && trial.BrokeDown(err):
			return nil, &explore.BrokenError{Cause: err}
		case err != nil:
			return nil, err
		case result.Stopped:
			return nil, &explore.BrokenError{Cause: fmt.Errorf("not done after %s", j.limit)}
		}
		backend = &result.Backend
		return result.Reports, nil
	}
	e.Found = func(f *explore.Finding) {
		progress.End()
		if err := j.found(len(e.Findings), f); err != nil {
			progress.Say("ref judge: %v", err)
		}
	}
	err = e.Run(j.Context, func() bool {
		return j.Context.Err() != nil || time.Since(progress.Start) >= j.exploration.time
	})
	progress.End()
	if err != nil && j.Context.Err() == nil {
		return err
	}
	if backend != nil {
		j.printBackend(*backend)
	}
	j.printExploration(e)
	if j.Context.Err() != nil {
		return cli.ErrInterrupted
	}
	return exploredStatus(e)
}

// exploredStatus is the error that stands for the exit status.
func exploredStatus(e *explore.Explorer) error {
	switch {
	case len(e.Doing) == 0:
		return cli.ErrUntrusted
	case len(e.Findings) == 0:
		return nil
	case !slices.ContainsFunc(e.Findings, func(f *explore.Finding) bool {
		return f.First.Verdict != judge.Protocol
	}):
		return cli.ErrProtocol
	}
	return cli.ErrFailed
}

// found prints a finding and writes the file that repeats it.
func (j *verb) found(number int, f *explore.Finding) error {
	fmt.Fprintf(j.Stdout, "FOUND %d, %s in %s\n", number, f.First.Verdict, f.Rule)
	fmt.Fprintf(j.Stdout, "    smallest: %s\n", f.Point)
	text := f.First.Reason
	if f.First.Op != "" {
		text = f.First.String()
	}
	fmt.Fprintf(j.Stdout, "    %s\n", strings.ReplaceAll(text, "\n", "\n    "))
	if f.Rule.Drawn > 0 {
		fmt.Fprintf(j.Stdout, "    of %d other cases that the rule is about, %d failed\n", f.Rule.Drawn,
			f.Rule.Failed)
	}
	path := j.exploration.file(number)
	if err := f.Save(path); err != nil {
		return err
	}
	r := trial.Result{Command: j.command}
	if again := r.RepeatCommand(path); again != "" {
		fmt.Fprintf(j.Stdout, "    again: %s\n", again)
	}
	return nil
}

// printExploration prints what was explored.
func (j *verb) printExploration(e *explore.Explorer) {
	seen, pairs := e.Coverage()
	fmt.Fprintf(j.Stdout, "%d cases drawn with seed %d: %s; %d more asked to shrink and to compare\n", e.Cases,
		j.exploration.seed, e.DrawnOf(), e.Asked)
	var words []string
	for _, s := range seen {
		words = append(words, s.String())
	}
	fmt.Fprintf(j.Stdout, "%s; %d pairs of values of a kind\n", strings.Join(words, ", "), pairs)
	switch n := len(e.Findings); {
	case len(e.Doing) == 0:
		fmt.Fprintln(j.Stdout, "the backend does no kind of case that can be drawn")
	case n == 0:
		fmt.Fprintln(j.Stdout, "nothing found")
	default:
		fmt.Fprintf(j.Stdout, "%d found, which explain %d failures more\n", n, e.Explained)
	}
}
