package judge

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"sdref/golden/judge"
	"sdref/golden/trial"
)

// print writes the table.
func (j *verb) print(r *trial.Result) {
	b := r.Backend
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

func tally(count map[string]int) string {
	var words []string
	for name, n := range count {
		words = append(words, fmt.Sprintf("%s in %d cases", name, n))
	}
	slices.Sort(words)
	return strings.Join(words, ", ")
}

// line writes a case's line, and what failed below it.
func (j *verb) line(result *trial.Result, r *judge.Report) {
	fmt.Fprintf(j.Stdout, "%-11s %s: %s\n", r.Verdict, r.Case, r.Summary())
	if !r.Verdict.Failed() {
		return
	}
	for _, note := range r.Notes {
		fmt.Fprintf(j.Stdout, "    %s\n", note)
	}
	for _, f := range r.Findings {
		if f.Verdict.Failed() && (j.all || f == r.First) {
			finding(j.Stdout, f)
		}
	}
	if again := result.RepeatCommand(r.Case); again != "" {
		fmt.Fprintf(j.Stdout, "    again: %s\n", again)
	}
}

// finding writes what is wrong with a node.
func finding(w io.Writer, f *judge.Finding) {
	fmt.Fprintf(w, "    %s: %s: %s\n", f.Place(), f.Verdict, f.Reason)
	if e := f.Worst; e != nil {
		fmt.Fprintf(w,
			"      error %.3g units (honest %.3g, provable %.3g) at %v: got %s = %s, want %s = %s, %.3g ULP\n",
			f.Error, f.Calibrated, f.Provable, e.Index, e.Got, e.GotHex, e.Want, e.WantHex, e.ULP)
	}
	if m := f.Map; m != nil {
		fmt.Fprintf(w, "      wrong: %d of %d elements, %s\n", m.Wrong, m.Elements, m.Pattern)
	}
	if s := f.Support; s != nil {
		fmt.Fprintf(w, "      codes: %d zero, %d on, %d ambiguous; %d wrong, %d flipped\n", s.Zero, s.On,
			s.Ambiguous, s.Wrong, s.Flipped)
	}
	if len(f.Through) > 0 {
		fmt.Fprintf(w, "      judged together with %s, which the backend did not answer\n",
			strings.Join(f.Through, ", "))
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
		file, err := os.Create(form.path)
		if err != nil {
			return err
		}
		if err := form.write(file, r); err != nil {
			file.Close()
			return fmt.Errorf("%s: %w", form.path, err)
		}
		if err := file.Close(); err != nil {
			return err
		}
	}
	return nil
}
