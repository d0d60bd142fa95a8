package measure

import (
	"fmt"
	"slices"
	"time"

	"sdref/conv"
)

// latency is how long single calls took, in milliseconds.
type latency struct {
	P50   float64 `json:"p50_ms"` // half of the calls took no longer
	P99   float64 `json:"p99_ms"` // of a hundred calls 99
	Calls int     `json:"calls"`
}

const (
	// latencyTime is how long calls are made one after the other, and latencyCalls how many at least: 99 of a hundred mean little otherwise.
	latencyTime, latencyCalls = 5 * time.Second, 300
	// latencyWarmup is how many calls are not counted.
	latencyWarmup = 5
)

// latencyJob is the distribution of a prediction's time.
func latencyJob(net string, batch int) benchJob {
	name := fmt.Sprintf("latency/%s/batch%d", net, batch)
	return benchJob{name: name, typ: "float32", slow: true, run: func() benchResult {
		l := measureLatency(prediction(benchNetwork(net, "cifar10", conv.Direct), batch), time.Now)
		return benchResult{Name: name, ImagesPerSec: float64(batch) / (l.P50 / 1000), Latency: &l}
	}}
}

// measureLatency times single calls.
func measureLatency(call func(), now func() time.Time) latency {
	for range latencyWarmup {
		call()
	}
	var times []float64
	for begin := now(); len(times) < latencyCalls || now().Sub(begin) < latencyTime; {
		start := now()
		call()
		times = append(times, now().Sub(start).Seconds()*1000)
	}
	slices.Sort(times)
	// The k-th of n sorted times is one that a share k/n of the calls does not exceed.
	at := func(percent int) float64 { return times[(percent*len(times)+99)/100-1] }
	return latency{P50: at(50), P99: at(99), Calls: len(times)}
}
