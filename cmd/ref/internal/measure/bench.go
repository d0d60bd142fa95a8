// Package measure is the commands that measure speed and memory: ref bench, of the parts and of whole
// networks, ref table, of the networks of the paper's table, and ref cpu, which lists the processor's
// features.
//
// It is for users who compare machines, networks or versions of this program. It does not know how the parts
// are computed.
package measure

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"sdref/cmd/ref/internal/cli"
	"sdref/internal/gemm"
	"sdref/internal/kernel"
)

const benchHelp = `ref bench measures the speed of matrix products, convolutions, training steps and predictions, as
shares of the machine's multiply-add peak, with all threads and with one. Work is measured in
stretches of some milliseconds, each between two stretches of nothing but multiply-adds; what
counts is the median of the ratios of work to the peak around it, with its quartiles. Neighbours,
and the clock, change both. A job is called disturbed if the peak moved by a tenth around a
quarter of the stretches, or the quartiles are a tenth apart. Each job runs in a process of its
own, whose peak memory is reported too. Names are

  matmul/1024/TYPE
  conv/{forward,transpose,filter}/CxMxH[/KxKsS]/TYPE    3x3, stride 1 if not said; 32 images
  train/NETWORK/batchN, predict/NETWORK/batchN          CIFAR shapes, float32
  latency/NETWORK/batchN  how long single predictions take: median, and what 99 of 100 do not exceed
  solve/PROBLEM/SOLVER    time to relative duality gaps 1e-3, 1e-6, 1e-9, at most 10 minutes; float64

and end in /winograd for that algorithm. Operations are counted as the definition has them,
although Winograd needs fewer and zeros beyond the border of small images are left out: so rates
compare as times do, and a share of the peak may exceed 100 %. Of solve's problems, image is 256 x
256 with 64 atoms 8 x 8 and full boundary, torus the same with circular boundary, stem SDNet-18's
stem on 8 drawn images.

-against FILE compares with a run that -json has stored, by rates over the peak of their time;
-pair BINARY has another build of this program do each job too, in turn, five times.`

// benchResult is one line of the table and one entry of the JSON file. Values that do not apply are left out.
type benchResult struct {
	Name string `json:"name"`
	// GFLOPS counts the definition's operations, also where some are skipped.
	GFLOPS       float64      `json:"gflops,omitempty"`
	ShareOfPeak  float64      `json:"share_of_peak,omitempty"`
	ImagesPerSec float64      `json:"images_per_second,omitempty"`
	All          *threadSpeed `json:"all_threads,omitempty"`
	One          *threadSpeed `json:"one_thread,omitempty"` // if there are more
	Latency      *latency     `json:"latency,omitempty"`
	Gaps         []gapTime    `json:"gaps,omitempty"`        // the times at which a solver reached relative gaps
	PeakRSS      float64      `json:"peak_rss_mb,omitempty"` // of the job's process, in units of 2^20 bytes
	Against      *comparison  `json:"against,omitempty"`     // the stored run
	Pair         *comparison  `json:"pair,omitempty"`        // the other program
}

// benchReport is the JSON file.
type benchReport struct {
	CPU     string             `json:"cpu"`
	Row     string             `json:"row"`
	Cores   int                `json:"cores"`
	Caches  kernel.Caches      `json:"cache_bytes"`
	Peak    map[string]float64 `json:"peak_gflops"`        // at the start
	PeakEnd map[string]float64 `json:"peak_gflops_at_end"` // a large difference means that other programs ran
	Results []benchResult      `json:"results"`
}

// Bench runs the jobs.
func Bench(c *cli.Call) error {
	pattern := c.Flags.String("run", "",
		"measure only jobs whose name matches this regular `expression` (default: all but those of solve, "+
			"and latency, which take long)")
	file := c.Flags.String("json", "", "write the results to this `file` too")
	list := c.Flags.Bool("list", false, "list the names only")
	single := c.Flags.String("job", "", "run the job of exactly this `name` in this process and print its "+
		"result as JSON")
	against := c.Flags.String("against", "", "compare with the results in this `file`, which -json has written")
	pair := c.Flags.String("pair", "", "have this `program`, another build of ref, do each job too, in turn")
	if err := c.Parse(benchHelp); err != nil {
		return err
	}
	match, err := regexp.Compile(*pattern)
	if err != nil {
		return fmt.Errorf("-run: %w", err)
	}
	jobs := slices.DeleteFunc(benchJobs(), func(j benchJob) bool {
		if *single != "" {
			return j.name != *single
		}
		return !match.MatchString(j.name) || (j.slow && *pattern == "" && !*list)
	})
	if len(jobs) == 0 {
		return fmt.Errorf("no job matches -run %q -job %q; -list shows the names", *pattern, *single)
	}
	switch {
	case *list:
		for _, j := range jobs {
			fmt.Fprintln(c.Stdout, j.name)
		}
		return nil
	case *single != "":
		return json.NewEncoder(c.Stdout).Encode(jobs[0].run())
	}
	m := measurement{Call: c, jobs: jobs}
	if *against != "" {
		if m.before, err = readReport(*against, jobs); err != nil {
			return fmt.Errorf("-against: %w", err)
		}
		m.beforeFile = *against
	}
	if *pair != "" {
		if m.other, err = exec.LookPath(*pair); err != nil {
			return fmt.Errorf("-pair: %w", err)
		}
	}
	report, err := m.run()
	if err != nil && len(report.Results) == 0 || *file == "" {
		return err
	}
	return errors.Join(err, cli.WriteJSON(*file, report)) // if it was stopped, of the jobs that are done
}

// measurement is a call that measures jobs.
type measurement struct {
	*cli.Call
	jobs       []benchJob
	before     *benchReport // to compare with, or nil
	beforeFile string
	other      string // the program to compare with, or empty
}

// run runs the jobs one after the other and prints a line for each. The report of an error, or of Ctrl-C, has the jobs done until then.
func (m measurement) run() (*benchReport, error) {
	c, jobs := m.Call, m.jobs
	r := &benchReport{CPU: kernel.CPUName(), Row: kernel.ActiveName(), Cores: runtime.GOMAXPROCS(0), Caches: kernel.CacheSizes(), Peak: peaks()}
	fmt.Fprintf(c.Stdout, "%s, peak %.0f GFLOP/s float32, %.0f float64\n", cli.Machine(), r.Peak["float32"],
		r.Peak["float64"])
	if m.before != nil {
		r.sayAgainst(c, m.beforeFile, m.before)
	}
	for _, j := range jobs {
		var result benchResult
		var err error
		if c.Context.Err() == nil {
			result, err = m.job(j)
		}
		if c.Context.Err() != nil {
			fmt.Fprintf(c.Stdout, "stopped after %d of %d jobs; go on with: ref bench -run %s\n", len(r.Results), len(jobs),
				cli.Quote(pattern(jobs[len(r.Results):])))
			return r, cli.ErrInterrupted
		}
		if err != nil {
			return r, fmt.Errorf("job %s: %w", j.name, err)
		}
		if m.before != nil {
			result.Against = r.against(m.before, &result, j.typ)
		}
		r.Results = append(r.Results, result)
		fmt.Fprintln(c.Stdout, result)
	}
	r.PeakEnd = peaks()
	fmt.Fprintf(c.Stdout, "peak at the end: %.0f GFLOP/s float32, %.0f float64\n", r.PeakEnd["float32"],
		r.PeakEnd["float64"])
	return r, nil
}

// job runs a job, and the other program's in turn if there is one.
func (m measurement) job(j benchJob) (result benchResult, err error) {
	run := func(program string, into *benchResult) (err error) {
		into.PeakRSS, err = runChild(m.Call, program, into, "bench", "-job", j.name)
		return err
	}
	if m.other == "" {
		return result, run("", &result)
	}
	result, with, err := pairJob(j.name, m.other, run)
	result.Pair = with
	return result, err
}

// pattern is the regular expression that matches the names of some jobs.
func pattern(jobs []benchJob) string {
	var names []string
	for _, j := range jobs {
		names = append(names, regexp.QuoteMeta(j.name))
	}
	return "^(" + strings.Join(names, "|") + ")$"
}

func (r benchResult) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%-44s", r.Name)
	if r.ImagesPerSec > 0 {
		fmt.Fprintf(&s, " %9.2f images/s %7.0f MB", r.ImagesPerSec, r.PeakRSS)
		if r.All != nil {
			fmt.Fprintf(&s, "  %.0f images/TFLOP of peak (%.0f to %.0f)", r.All.Ratio, r.All.Quartiles[0], r.All.Quartiles[1])
		}
		if r.One != nil {
			fmt.Fprintf(&s, "  1 thread %.2f, %.0f (%.0f to %.0f)", r.One.Rate, r.One.Ratio, r.One.Quartiles[0], r.One.Quartiles[1])
		}
	}
	if r.GFLOPS > 0 {
		fmt.Fprintf(&s, " %9.1f GFLOP/s %6.1f %% of peak %5.0f MB", r.GFLOPS, 100*r.ShareOfPeak, r.PeakRSS)
		if r.All != nil {
			fmt.Fprintf(&s, "  (%.1f to %.1f)", 100*r.All.Quartiles[0], 100*r.All.Quartiles[1])
		}
		if r.One != nil {
			fmt.Fprintf(&s, "  1 thread %.1f %% (%.1f to %.1f)", 100*r.One.Ratio, 100*r.One.Quartiles[0], 100*r.One.Quartiles[1])
		}
	}
	if l := r.Latency; l != nil {
		fmt.Fprintf(&s, "  p50 %.2f ms, p99 %.2f ms of %d calls", l.P50, l.P99, l.Calls)
	}
	for _, g := range r.Gaps {
		fmt.Fprintf(&s, "  %v", g)
	}
	for _, compared := range []*comparison{r.Against, r.Pair} {
		s.WriteString(compared.String())
	}
	if r.All != nil && r.All.Disturbed || r.One != nil && r.One.Disturbed {
		s.WriteString("  disturbed")
	}
	return s.String()
}

// runChild runs a program, "" being this one, with the given arguments in a process of its own, reads the JSON that it prints,
// and returns its peak memory in units of 2^20 bytes. The system counts the memory that a process has before
// it executes another program too, so this process must be small.
func runChild(c *cli.Call, program string, into any, args ...string) (peak float64, err error) {
	if program == "" {
		if program, err = os.Executable(); err != nil {
			return 0, err
		}
	}
	child := exec.CommandContext(c.Context, program, append(args, "-kernel", kernel.ActiveName())...)
	child.Stderr = c.Stderr
	out, err := child.Output()
	if c.Context.Err() != nil {
		return 0, cli.ErrInterrupted
	}
	if err = errors.Join(err, json.Unmarshal(out, into)); err != nil {
		return 0, err
	}
	return peakMemory(child.ProcessState), nil
}

// peaks measures the multiply-add peak of both types, the best of five measurements, in GFLOP/s.
func peaks() map[string]float64 {
	p := map[string]float64{}
	for range 5 {
		p["float32"] = max(p["float32"], gemm.Peak(kernel.Active[float32]())/1e9)
		p["float64"] = max(p["float64"], gemm.Peak(kernel.Active[float64]())/1e9)
	}
	for typ, v := range p {
		p[typ] = math.Round(v*10) / 10
	}
	return p
}

// median is the median time of f in seconds, over at least three runs and as many as fit in the given time,
// after one that is not counted.
func median(atLeast time.Duration, f func()) float64 {
	f()
	var times []float64
	for start := time.Now(); len(times) < 3 || time.Since(start) < atLeast; {
		t := time.Now()
		f()
		times = append(times, time.Since(t).Seconds())
	}
	slices.Sort(times)
	return times[len(times)/2]
}
