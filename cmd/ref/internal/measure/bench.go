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
shares of the machine's multiply-add peak, which it measures at the start and at the end. Times are
medians. Each job runs in a process of its own, whose peak memory is reported too. Names are

  matmul/1024/TYPE
  conv/{forward,transpose,filter}/CxMxH[/KxKsS]/TYPE    3x3, stride 1 if not said; 32 images
  train/NETWORK/batchN, predict/NETWORK/batchN          CIFAR shapes, float32
  solve/PROBLEM/SOLVER    time to relative duality gaps 1e-3, 1e-6, 1e-9, at most 10 minutes; float64

and end in /winograd for that algorithm. Operations are counted as the definition has them, although
Winograd needs fewer and zeros beyond the border of small images are left out: so rates compare as
times do, and a share of the peak may exceed 100 %. Of solve's problems, image is 256 x 256 with 64
atoms 8 x 8 and full boundary, torus the same with circular boundary, stem SDNet-18's stem on 8 drawn
images. Run it on a quiet machine.`

// benchResult is one line of the table and one entry of the JSON file. Values that do not apply are left out.
type benchResult struct {
	Name string `json:"name"`
	// GFLOPS counts the definition's operations, also where some are skipped.
	GFLOPS       float64   `json:"gflops,omitempty"`
	ShareOfPeak  float64   `json:"share_of_peak,omitempty"`
	ImagesPerSec float64   `json:"images_per_second,omitempty"`
	Gaps         []gapTime `json:"gaps,omitempty"`        // the times at which a solver reached relative gaps
	PeakRSS      float64   `json:"peak_rss_mb,omitempty"` // of the job's process, in units of 2^20 bytes
}

// benchReport is the JSON file.
type benchReport struct {
	CPU     string             `json:"cpu"`
	Row     string             `json:"row"`
	Cores   int                `json:"cores"`
	Peak    map[string]float64 `json:"peak_gflops"`        // at the start
	PeakEnd map[string]float64 `json:"peak_gflops_at_end"` // a large difference means that other programs ran
	Results []benchResult      `json:"results"`
}

// Bench runs the jobs.
func Bench(c *cli.Call) error {
	pattern := c.Flags.String("run", "",
		"measure only jobs whose name matches this regular `expression` (default: all but those of solve, "+
			"which take long)")
	file := c.Flags.String("json", "", "write the results to this `file` too")
	list := c.Flags.Bool("list", false, "list the names only")
	single := c.Flags.String("job", "", "run the job of exactly this `name` in this process and print its "+
		"result as JSON")
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
	report, err := measureJobs(c, jobs)
	if err != nil && len(report.Results) == 0 || *file == "" {
		return err
	}
	return errors.Join(err, cli.WriteJSON(*file, report)) // if it was stopped, of the jobs that are done
}

// measureJobs runs the jobs one after the other and prints a line for each. The report of an error, or of Ctrl-C, has the jobs done
// until then.
func measureJobs(c *cli.Call, jobs []benchJob) (*benchReport, error) {
	r := &benchReport{CPU: kernel.CPUName(), Row: kernel.ActiveName(), Cores: runtime.GOMAXPROCS(0),
		Peak: peaks()}
	fmt.Fprintf(c.Stdout, "%s, peak %.0f GFLOP/s float32, %.0f float64\n", cli.Machine(), r.Peak["float32"],
		r.Peak["float64"])
	for _, j := range jobs {
		var result benchResult
		var err error
		if c.Context.Err() == nil {
			result.PeakRSS, err = runChild(c, &result, "bench", "-job", j.name)
		}
		if c.Context.Err() != nil {
			fmt.Fprintf(c.Stdout, "stopped after %d of %d jobs; go on with: ref bench -run %s\n", len(r.Results), len(jobs),
				cli.Quote(pattern(jobs[len(r.Results):])))
			return r, cli.ErrInterrupted
		}
		if err != nil {
			return r, fmt.Errorf("job %s: %w", j.name, err)
		}
		if peak := r.Peak[j.typ]; result.GFLOPS > 0 {
			result.ShareOfPeak = result.GFLOPS / peak
		}
		r.Results = append(r.Results, result)
		fmt.Fprintln(c.Stdout, result)
	}
	r.PeakEnd = peaks()
	fmt.Fprintf(c.Stdout, "peak at the end: %.0f GFLOP/s float32, %.0f float64\n", r.PeakEnd["float32"],
		r.PeakEnd["float64"])
	return r, nil
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
	}
	if r.GFLOPS > 0 {
		fmt.Fprintf(&s, " %9.1f GFLOP/s %6.1f %% of peak %5.0f MB", r.GFLOPS, 100*r.ShareOfPeak, r.PeakRSS)
	}
	for _, g := range r.Gaps {
		fmt.Fprintf(&s, "  %v", g)
	}
	return s.String()
}

// runChild runs this program with the given arguments in a process of its own, reads the JSON that it prints,
// and returns its peak memory in units of 2^20 bytes. The system counts the memory that a process has before
// it executes another program too, so this process must be small.
func runChild(c *cli.Call, into any, args ...string) (peak float64, err error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	child := exec.CommandContext(c.Context, self, append(args, "-kernel", kernel.ActiveName())...)
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
