package judge

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"sdref/cmd/ref/internal/cli"
	"sdref/golden/judge"
	"sdref/golden/trial"
)

// print writes the table.
func (j *verb) print(r *trial.Result) {
	j.printBackend(r.Backend)
	count, behaves := map[judge.Verdict]int{}, map[string]int{}
	for i := range r.Reports {
		report := &r.Reports[i]
		count[report.Verdict]++
		if report.Inferred != "" {
			behaves[string(report.Inferred)]++
		}
		j.line(r, report)
	}
	if r.Repeated > 0 {
		fmt.Fprintf(j.Stdout, "asked twice: %d cases, the same bits in %d of them\n", r.Repeated,
			r.Repeated-r.Differing)
	}
	fmt.Fprintf(j.Stdout, "%d cases:", len(r.Reports))
	for _, v := range judge.Verdicts {
		if count[v] > 0 {
			fmt.Fprintf(j.Stdout, " %d %s", count[v], v)
		}
	}
	fmt.Fprintf(j.Stdout, "; %s\n", r.Verdict)
	if len(behaves) > 0 {
		fmt.Fprintf(j.Stdout, "arithmetic, where the numbers tell it: %s\n", tally(behaves))
	}
}

// printBackend writes what the backend says of itself.
func (j *verb) printBackend(b trial.Declaration) {
	repeats := "not deterministic"
	if b.Deterministic {
		repeats = "deterministic"
	}
	on := b.Platform()
	if on.FlushesSubnormals {
		repeats += ", subnormals flushed"
	}
	if on.NaNUnspecified {
		repeats += ", NaN unspecified"
	}
	fmt.Fprintf(j.Stdout, "backend %s on %s, declares %s, %s\n", b.Name, b.Device, b.Profile, repeats)
}

func tally(count map[string]int) string {
	var words []string
	for name, n := range count {
		words = append(words, fmt.Sprintf("%s in %d cases", name, n))
	}
	slices.Sort(words)
	return strings.Join(words, ", ")
}

// line writes what is said of a case, and how to ask it again.
func (j *verb) line(result *trial.Result, r *judge.Report) {
	text := r.String()
	if j.all {
		text = r.Details()
	}
	fmt.Fprintln(j.Stdout, text)
	if again := result.RepeatCommand(r.Case); r.Verdict.Failed() && again != "" {
		fmt.Fprintf(j.Stdout, "    again: %s\n", again)
	}
}

// write writes the reports for machines.
func (j *verb) write(r *trial.Result) error {
	for _, form := range []struct {
		path  string
		write func(io.Writer, *trial.Result) error
	}{{j.jsonTo, trial.WriteJSON}, {j.junit, trial.WriteJUnit}} {
		if form.path == "" {
			continue
		}
		if err := cli.WriteFile(form.path, func(w io.Writer) error { return form.write(w, r) }); err != nil {
			return err
		}
	}
	return nil
}
