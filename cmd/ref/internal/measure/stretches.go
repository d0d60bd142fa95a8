package measure

import (
	"math"
	"runtime"
	"slices"
	"time"

	"sdref/internal/gemm"
	"sdref/internal/kernel"
	"sdref/tensor"
)

// A machine's speed changes from second to second: its clock, and its neighbours. So work is measured in stretches of some milliseconds,
// each between two stretches of nothing but multiply-adds, and compared with the peak that these two show.

const (
	// stretch is how long one lasts, at least.
	stretch = 4 * time.Millisecond
	// maxStretches is how many stretches of the peak go together, at most. They last half as long as the work between them, so that a system
	// which gives the processor to others for some milliseconds takes the same share from both.
	maxStretches = 12
	// minPairs is the least number of stretches of work.
	minPairs = 7
	// maxMoved is by what share the peaks before and after a stretch may differ before it counts as disturbed, maxMovedPairs the share of
	// such stretches, and maxWidth the distance of the quartiles as a share of the median, beyond which a measurement is called disturbed.
	maxMoved, maxMovedPairs, maxWidth = 0.1, 0.25, 0.1
)

// threadSpeed is what was measured with a number of threads.
type threadSpeed struct {
	Rate float64 `json:"rate"` // of the work, the median: GFLOP/s, or images per second
	// Ratio is the median, and Quartiles are the quartiles, of the work's rate over the peak around it: a share, or images per TFLOP.
	Ratio     float64    `json:"ratio"`
	Quartiles [2]float64 `json:"quartiles"`
	Peak      float64    `json:"peak_gflops"` // the median
	Pairs     int        `json:"pairs"`
	Disturbed bool       `json:"disturbed"` // the peak moved meanwhile, or the ratios scatter
}

// alternation measures work in turn with the peak.
type alternation struct {
	now  func() time.Time
	peak func() float64 // a stretch of multiply-adds; how many GFLOP
	work func()
	// amount is what a call of work does, in units of which unit are compared with a GFLOP of the peak: GFLOP and 1, or images and 1000,
	// which gives images per TFLOP.
	amount, unit float64
	atLeast      time.Duration
	together     int // stretches of the peak
}

// timed is the time that f takes, in seconds.
func (a *alternation) timed(f func()) float64 {
	start := a.now()
	f()
	return a.now().Sub(start).Seconds()
}

// peakRate is the peak, in GFLOP/s.
func (a *alternation) peakRate() float64 {
	done := 0.0
	seconds := a.timed(func() {
		for range a.together {
			done += a.peak()
		}
	})
	return done / seconds
}

// measure alternates until the time is over, after a call of work that is not counted.
func (a *alternation) measure() threadSpeed {
	a.work()
	once := a.timed(a.work)
	calls := max(1, int(math.Ceil(stretch.Seconds()/max(once, 1e-9))))
	a.together = min(max(1, int(float64(calls)*once/2/stretch.Seconds()+0.5)), maxStretches)
	a.peakRate()
	var rates, ratios, peaks []float64
	moved, before := 0, a.peakRate()
	for start := a.now(); len(ratios) < minPairs || a.now().Sub(start) < a.atLeast; {
		seconds := a.timed(func() {
			for range calls {
				a.work()
			}
		})
		after := a.peakRate()
		rate, peak := float64(calls)*a.amount/seconds, (before+after)/2
		rates, peaks, ratios = append(rates, rate), append(peaks, peak), append(ratios, a.unit*rate/peak)
		if max(before, after) > (1+maxMoved)*min(before, after) {
			moved++
		}
		before = after
	}
	low, middle, high := quartiles(ratios)
	_, rate, _ := quartiles(rates)
	_, peak, _ := quartiles(peaks)
	return threadSpeed{Rate: rate, Ratio: middle, Quartiles: [2]float64{low, high}, Peak: peak, Pairs: len(ratios),
		Disturbed: float64(moved) > maxMovedPairs*float64(len(ratios)) || high-low > maxWidth*middle}
}

// quartiles are the first, the median and the third, interpolated. The values are sorted.
func quartiles(values []float64) (low, middle, high float64) {
	slices.Sort(values)
	at := func(share float64) float64 {
		place := share * float64(len(values)-1)
		i := int(place)
		if i+1 >= len(values) {
			return values[len(values)-1]
		}
		return values[i] + (place-float64(i))*(values[i+1]-values[i])
	}
	return at(0.25), at(0.5), at(0.75)
}

// peakStretch is a stretch of multiply-adds on all threads, and returns how many GFLOP it does.
func peakStretch[T tensor.Float]() func() float64 {
	row := kernel.Active[T]()
	iterations := 1000
	for {
		start := time.Now()
		gemm.MultiplyAdds(row, iterations)
		if time.Since(start) >= stretch/2 {
			break
		}
		iterations *= 2
	}
	return func() float64 { return gemm.MultiplyAdds(row, iterations) / 1e9 }
}

// measureThreads measures work with all threads and, where these are more than one, with one, each for at least that long.
func measureThreads[T tensor.Float](work func(), amount, unit float64, atLeast time.Duration) (all, one *threadSpeed) {
	measure := func() *threadSpeed {
		a := alternation{now: time.Now, peak: peakStretch[T](), work: work, amount: amount, unit: unit, atLeast: atLeast}
		speed := a.measure()
		return &speed
	}
	all = measure()
	if threads := runtime.GOMAXPROCS(1); threads > 1 {
		one = measure()
		runtime.GOMAXPROCS(threads)
	}
	return all, one
}
