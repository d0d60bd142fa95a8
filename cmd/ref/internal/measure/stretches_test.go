package measure

import (
	"math"
	"testing"
	"time"
)

// machine is a machine whose time is counted and whose speed is a function of the time.
type machine struct {
	time  float64                               // seconds since its start
	speed func(time float64, work bool) float64 // GFLOP/s, of the peak or of work
}

func (m *machine) now() time.Time { return time.Unix(0, 0).Add(time.Duration(m.time * 1e9)) }

// do does so much, in steps so small that the speed may change meanwhile.
func (m *machine) do(gflop float64, work bool) {
	const steps = 20
	for range steps {
		m.time += gflop / steps / m.speed(m.time, work)
	}
}

// measured measures work of 0.05 GFLOP on a machine for two seconds.
func measured(speed func(time float64, work bool) float64) threadSpeed {
	m := &machine{speed: speed}
	a := alternation{now: m.now, amount: 0.05, unit: 1, atLeast: 2 * time.Second,
		peak: func() float64 { m.do(0.4, false); return 0.4 }, work: func() { m.do(0.05, true) }}
	return a.measure()
}

// of is the speed of work or of the peak on a quiet machine: 80 of 100 GFLOP/s.
func of(work bool) float64 {
	if work {
		return 80
	}
	return 100
}

func TestQuietMachine(t *testing.T) {
	s := measured(func(_ float64, work bool) float64 { return of(work) })
	if math.Abs(s.Ratio-0.8) > 1e-6 || math.Abs(s.Rate-80) > 1e-3 || math.Abs(s.Peak-100) > 1e-3 || s.Quartiles[1]-s.Quartiles[0] > 1e-6 || s.Disturbed || s.Pairs < 200 {
		t.Errorf("%+v", s)
	}
}

// A neighbour that takes half of the machine for some tenths of a second, again and again, and a clock that falls in the other half change
// the rate, but not the ratio; a machine measured at the start only would give half of it.
func TestSlowDisturbance(t *testing.T) {
	s := measured(func(time float64, work bool) float64 {
		if math.Mod(time, 0.6) > 0.15 {
			return of(work) / 2
		}
		return of(work)
	})
	if math.Abs(s.Ratio-0.8) > 1e-3 || s.Rate > 60 || s.Disturbed {
		t.Errorf("%+v", s)
	}
}

// Neighbours that come and go within milliseconds are said: they spoil the ratios.
func TestFastDisturbance(t *testing.T) {
	s := measured(func(time float64, work bool) float64 {
		if math.Mod(time, 0.017) < 0.006 {
			return of(work) / 3
		}
		return of(work)
	})
	if !s.Disturbed {
		t.Errorf("%+v", s)
	}
}

// One that takes from the work alone, such as memory's speed, shows in the quartiles.
func TestUnevenWork(t *testing.T) {
	s := measured(func(time float64, work bool) float64 {
		if work && math.Mod(time, 0.2) < 0.1 {
			return 50
		}
		return of(work)
	})
	if !s.Disturbed || s.Quartiles[1]-s.Quartiles[0] < 0.2 {
		t.Errorf("%+v", s)
	}
}

// Long work is measured as often as the quartiles need, short work in calls together.
func TestStretches(t *testing.T) {
	for gflop, want := range map[float64]struct{ pairs, calls int }{1000: {minPairs, minPairs + 2}, 0.001: {200, 200 * 100}} {
		m, calls := &machine{speed: func(float64, bool) float64 { return 100 }}, 0
		a := alternation{now: m.now, amount: gflop, unit: 1, atLeast: 2 * time.Second,
			peak: func() float64 { m.do(0.4, false); return 0.4 }, work: func() { calls++; m.do(gflop, true) }}
		if s := a.measure(); s.Pairs < want.pairs || calls < want.calls || gflop > 1 && (s.Pairs != want.pairs || calls != want.calls) {
			t.Errorf("work of %g GFLOP: %d calls, %+v", gflop, calls, s)
		}
	}
}

func TestQuartiles(t *testing.T) {
	if low, middle, high := quartiles([]float64{5, 1, 4, 2, 3}); low != 2 || middle != 3 || high != 4 {
		t.Error(low, middle, high)
	}
	if low, middle, high := quartiles([]float64{1, 2}); low != 1.25 || middle != 1.5 || high != 1.75 {
		t.Error(low, middle, high)
	}
}

// Of 400 calls of which every fiftieth takes ten times as long, half take 10 ms and one of a hundred longer than the rest.
func TestLatency(t *testing.T) {
	m, calls := &machine{}, 0
	l := measureLatency(func() {
		if calls++; calls%50 == 0 {
			m.time += 0.09
		}
		m.time += 0.01
	}, m.now)
	if math.Abs(l.P50-10) > 1e-3 || math.Abs(l.P99-100) > 1e-3 || l.Calls < latencyCalls || calls != l.Calls+latencyWarmup {
		t.Errorf("%+v after %d calls", l, calls)
	}
}
