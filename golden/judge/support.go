package judge

import (
	"fmt"
	"math"

	"sdref/golden/graph"
)

// Support compares which codes are zero with which ought to be. A code is ambiguous if its pre-threshold lies
// within this step's bound of the threshold.
type Support struct {
	Zero      int `json:"zero"` // that are certainly zero
	On        int `json:"on"`   // that are certainly on
	Ambiguous int `json:"ambiguous"`
	Wrong     int `json:"wrong"` // certain ones that are the other way round
	// ambiguous ones that are on one side in float64 and on the other in the answer
	Flipped    int `json:"flipped"`
	MaxFlipped int `json:"budget"` // the most flips that are no reason for suspicion
}

// maxFlipped is half of the ambiguous codes, which is what chance would flip if their errors filled the whole
// band, and a few. As the band is several times as wide as honest errors, far fewer do.
func maxFlipped(ambiguous int) int {
	return ambiguous/2 + int(2*math.Sqrt(float64(ambiguous))) + 1
}

// support checks the zeros of an operator that has a kink.
func (c *comparison) support(f *Finding, y errorScale, got []float64, v graph.Value, end bool) {
	n := c.Node(f.Node)
	if v.Gap == nil || len(n.Shape) == 0 || f.Verdict.Worse(Suspect) {
		return
	}
	share := float64(f.Provable) * y.unit
	if end && f.Verdict == Pass { // a suspect's errors are larger
		share = float64(f.Calibrated) * y.unit
	}
	s := &Support{}
	wrong := make([]bool, len(got))
	for i, gap := range v.Gap {
		band := 0.0 // where nothing is rounded
		if f.Calibrated > 0 {
			band = float64(share*y.at(i)) + y.floor
		}
		on := got[i] != 0
		switch {
		case gap != gap: // so is its input, and compare has seen whether the answer is
			continue
		// either it was flushed or what it came from
		case c.platform.FlushesSubnormals && math.Abs(gap) <= y.floor:
			continue
		case math.Abs(gap) <= band && band > 0:
			s.Ambiguous++
			if on != (gap > 0) {
				s.Flipped++
			}
			continue
		case gap > 0:
			s.On++
		default:
			s.Zero++
		}
		if wrong[i] = on != (gap > 0); wrong[i] {
			s.Wrong++
		}
	}
	s.MaxFlipped = maxFlipped(s.Ambiguous)
	f.Support = s
	switch {
	case s.Wrong > 0:
		f.Verdict, f.Reason = Logic, fmt.Sprintf("%d codes on the wrong side of their threshold", s.Wrong)
		f.Map = mapErrors(n.Shape, axisNames(len(n.Shape), false), wrong)
	case s.Flipped > s.MaxFlipped && f.Verdict == Pass:
		f.Verdict, f.Reason = Suspect, fmt.Sprintf("%d of %d ambiguous codes flipped, more than %d",
			s.Flipped, s.Ambiguous, s.MaxFlipped)
	}
}
