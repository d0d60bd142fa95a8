package learn_test

import (
	"fmt"
	"math"
	"testing"

	"sdref/csc"
	"sdref/csc/learn"
	"sdref/csc/solve"
	"sdref/internal/random"
	"sdref/tensor"
)

// planted are signals made of some atoms at few places.
func planted(count, side int, w *tensor.Tensor[float64], density float64) (signals []*tensor.Tensor[float64]) {
	k := w.Shape[2]
	for i := range count {
		s := random.New(7).Sub("codes", uint64(i))
		z := tensor.New[float64](1, w.Shape[0], side-k+1, side-k+1)
		for j := range z.Data {
			if s.Float(uint64(2*j)) < density {
				z.Data[j] = math.Copysign(1+s.Float(uint64(2*j+1)), s.Unit(uint64(j)))
			}
		}
		x := tensor.New[float64](1, w.Shape[1], side, side)
		solve.Full(w).Synthesize(x, z)
		signals = append(signals, x)
	}
	return signals
}

// best is the largest product of a unit atom with any of others, at any shift, up to its sign.
func best(atom, others *tensor.Tensor[float64]) (largest float64) {
	side, theirs := atom.Shape[1], others.Shape[2]
	for m := range others.Shape[0] {
		for du := 1 - side; du < theirs; du++ {
			for dv := 1 - side; dv < theirs; dv++ {
				sum := 0.0
				for c := range atom.Shape[0] {
					for u := max(0, -du); u < min(side, theirs-du); u++ {
						for v := max(0, -dv); v < min(side, theirs-dv); v++ {
							sum += atom.At(c, u, v) * others.At(m, c, u+du, v+dv)
						}
					}
				}
				largest = max(largest, math.Abs(sum))
			}
		}
	}
	return largest
}

func atoms(count, channels, side int) *tensor.Tensor[float64] {
	w := tensor.New[float64](count, channels, side, side)
	tensor.FillUniform(w, 3, 1, 0)
	csc.NormalizeAtoms(w)
	return w
}

// Atoms that made the signals are found again, and the objective falls: within a round always, from round to round by the gap at least.
func TestPlantedAtoms(t *testing.T) {
	const count = 3
	w := atoms(count, 1, 5)
	s := learn.Settings{Atoms: 2 * count, Kernel: 7, Lambda: 0.1, Rounds: 15, Seed: 1, Gap: 1e-3, Iterations: 300}
	before := math.Inf(1)
	got := learn.Learn(planted(4, 28, w, 0.006), s, func(r learn.Round, now *tensor.Tensor[float64]) bool {
		if !(r.After <= r.Objective*(1+1e-12)) {
			t.Errorf("round %d: the atoms' steps raise %v to %v", r.Number, r.Objective, r.After)
		}
		if r.Replaced == 0 && !(r.Objective <= before*(1+2*s.Gap)) {
			t.Errorf("round %d: %v after %v", r.Number, r.Objective, before)
		}
		before = r.After
		for m := range now.Shape[0] {
			if size := tensor.SumSquares(now.Row(m)); math.Abs(size-1) > 1e-12 {
				t.Errorf("round %d: atom %d has |w|^2 = %v", r.Number, m, size)
			}
		}
		return true
	})
	for m := range count {
		if p := best(w.Row(m), got); p < 0.99 {
			t.Errorf("atom %d is found to %.3f", m, p)
		}
	}
}

// The same seed gives the same bits; observers end it; the signals stay.
func TestRepeatable(t *testing.T) {
	signals := planted(2, 16, atoms(2, 3, 3), 0.02)
	copied := signals[0].Clone()
	s := learn.Settings{Atoms: 4, Kernel: 3, Lambda: 0.2, Nonnegative: true, Rounds: 3, Seed: 5, Gap: 1e-2, Iterations: 50}
	first, rounds := learn.Learn(signals, s, nil), 0
	if at := tensor.FirstDifference(first, learn.Learn(signals, s, nil)); at >= 0 {
		t.Errorf("differs at %d", at)
	}
	learn.Learn(signals, s, func(learn.Round, *tensor.Tensor[float64]) bool { rounds++; return false })
	if rounds != 1 {
		t.Errorf("%d rounds", rounds)
	}
	if tensor.FirstDifference(signals[0], copied) >= 0 {
		t.Error("the signal was changed")
	}
}

// Signals of zeros, which no code uses an atom for, do no harm.
func TestFlatSignals(t *testing.T) {
	s := learn.Settings{Atoms: 2, Kernel: 3, Lambda: 1, Rounds: 2, Iterations: 5}
	w := learn.Learn([]*tensor.Tensor[float64]{tensor.New[float64](1, 1, 8, 9)}, s, nil)
	for _, v := range w.Data {
		if math.IsNaN(v) {
			t.Fatal(w.Data)
		}
	}
}

func TestCheck(t *testing.T) {
	x := tensor.New[float64](1, 1, 8, 8)
	good := learn.Settings{Atoms: 2, Kernel: 3, Lambda: 1, Rounds: 2, Iterations: 5}
	if err := good.Check([]*tensor.Tensor[float64]{x}); err != nil {
		t.Error(err)
	}
	for i, change := range []func(*learn.Settings){
		func(s *learn.Settings) { s.Atoms = 0 }, func(s *learn.Settings) { s.Kernel = 9 }, func(s *learn.Settings) { s.Lambda = 0 },
		func(s *learn.Settings) { s.Rounds = 0 }, func(s *learn.Settings) { s.Gap = math.NaN() }, func(s *learn.Settings) { s.Iterations = 0 },
		func(s *learn.Settings) { s.Lambda = math.Inf(1) },
	} {
		s := good
		if change(&s); s.Check([]*tensor.Tensor[float64]{x}) == nil {
			t.Errorf("change %d is let pass", i)
		}
	}
	if good.Check(nil) == nil || good.Check([]*tensor.Tensor[float64]{x, tensor.New[float64](1, 2, 8, 8)}) == nil {
		t.Error("signals are let pass")
	}
}

// The only atom of a diagonal line is a piece of it.
func ExampleLearn() {
	x := tensor.New[float64](1, 1, 12, 12)
	for i := range 12 { // a diagonal line
		x.Set(1, 0, 0, i, i)
	}
	s := learn.Settings{Atoms: 1, Kernel: 3, Lambda: 0.05, Nonnegative: true, Rounds: 5, Gap: 1e-4, Iterations: 200}
	w := learn.Learn([]*tensor.Tensor[float64]{x}, s, nil)
	for u := range 3 {
		for v := range 3 {
			fmt.Printf("%5.2f", math.Abs(w.Data[3*u+v]))
		}
		fmt.Println()
	}
	// Output:
	//  0.58 0.00 0.00
	//  0.00 0.58 0.00
	//  0.00 0.00 0.58
}
