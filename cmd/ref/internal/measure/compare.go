package measure

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"sdref/cmd/ref/internal/cli"
)

// comparison is this program's speed over another's in the same job.
type comparison struct {
	Ratio     float64     `json:"ratio"`
	Quartiles *[2]float64 `json:"quartiles,omitempty"` // of the pairs' ratios, if the two ran in turn
	Pairs     int         `json:"pairs,omitempty"`
	// WithinSpread tells that the ranges between the quartiles of the two runs overlap.
	WithinSpread bool `json:"within_spread,omitempty"`
}

// readReport reads the report of a run before, for the jobs that are to be compared with it.
func readReport(path string, jobs []benchJob) (*benchReport, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var r benchReport
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for _, j := range jobs {
		if stored := r.find(j.name); stored != nil && stored.rate() > 0 {
			return &r, nil
		}
	}
	return nil, fmt.Errorf("%s: none of its %d jobs is among those to measure", path, len(r.Results))
}

// find is the result of a job, or nil.
func (r *benchReport) find(name string) *benchResult {
	for i := range r.Results {
		if r.Results[i].Name == name {
			return &r.Results[i]
		}
	}
	return nil
}

// rate is how fast a job was, in its own unit; 0 for jobs of solve, which have none.
func (r benchResult) rate() float64 { return max(r.GFLOPS, r.ImagesPerSec) }

// relative is a result's rate over the peak, with quartiles. A report from before they were measured has one peak for all jobs.
func (r *benchReport) relative(result *benchResult, typ string) (ratio float64, quartiles [2]float64) {
	switch peak := r.Peak[typ]; {
	case result.All != nil:
		return result.All.Ratio, result.All.Quartiles
	case result.GFLOPS > 0 && peak > 0:
		ratio = result.GFLOPS / peak
	case peak > 0:
		ratio = 1000 * result.ImagesPerSec / peak
	}
	return ratio, [2]float64{ratio, ratio}
}

// against compares a result with that of a run before, both as shares of the peak that their machines had then; nil if that is not there.
func (r *benchReport) against(before *benchReport, result *benchResult, typ string) *comparison {
	stored := before.find(result.Name)
	if stored == nil {
		return nil
	}
	now, range1 := r.relative(result, typ)
	then, range2 := before.relative(stored, typ)
	if !(now > 0) || !(then > 0) {
		return nil
	}
	return &comparison{Ratio: now / then, WithinSpread: range1[0] <= range2[1] && range2[0] <= range1[1]}
}

// sayAgainst says what is compared with.
func (r *benchReport) sayAgainst(c *cli.Call, path string, before *benchReport) {
	fmt.Fprintf(c.Stdout, "in brackets the ratio to %s: of rates per peak, = where the quartiles overlap\n", path)
	if before.CPU != r.CPU || before.Row != r.Row || before.Cores != r.Cores {
		fmt.Fprintf(c.Stdout, "note: that was %s, kernel %s, %d goroutines\n", before.CPU, before.Row, before.Cores)
	}
}

// rounds is how many times two programs run in turn.
const rounds = 5

// pairJob runs a job by this program and another in turn, the first of each round being the second of the next, and returns the first result
// of this program and the ratios of the neighbours' rates. run runs a program.
func pairJob(job, binary string, run func(program string, into *benchResult) error) (first benchResult, _ *comparison, err error) {
	var ratios []float64
	for round := range rounds {
		var own, other benchResult
		order := []func() error{func() error { return run("", &own) }, func() error { return run(binary, &other) }}
		if round%2 == 1 {
			order[0], order[1] = order[1], order[0]
		}
		if err := errors.Join(order[0](), order[1]()); err != nil {
			return first, nil, err
		}
		if !(own.rate() > 0) || !(other.rate() > 0) {
			return first, nil, fmt.Errorf("%s: no rate to compare: %g by this program, %g by %s", job, own.rate(), other.rate(), binary)
		}
		if round == 0 {
			first = own
		}
		ratios = append(ratios, own.rate()/other.rate())
	}
	low, middle, high := quartiles(ratios)
	return first, &comparison{Ratio: middle, Quartiles: &[2]float64{low, high}, Pairs: len(ratios)}, nil
}

func (c *comparison) String() string {
	switch {
	case c == nil:
		return ""
	case c.Quartiles != nil:
		return fmt.Sprintf("  %.3f times the other (%.3f to %.3f, %d pairs)", c.Ratio, c.Quartiles[0], c.Quartiles[1], c.Pairs)
	case c.WithinSpread:
		return fmt.Sprintf("  [%.3f =]", c.Ratio)
	}
	return fmt.Sprintf("  [%.3f]", c.Ratio)
}
