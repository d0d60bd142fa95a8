package judge

import "slices"

// CrossCheck looks at all of a backend's reports together: where an operator fails on exact data, what it
// gets wrong on other data is an error of logic as well, whatever its size.
func CrossCheck(reports []Report) {
	broken := map[string]bool{}
	for _, r := range reports {
		if slices.Contains(r.Flags, "exact") && r.First != nil && r.First.Verdict == Logic {
			broken[r.First.Op] = true
		}
	}
	for i := range reports {
		r := &reports[i]
		for _, f := range r.Findings {
			if f.Verdict == Precision && broken[f.Op] {
				f.Verdict, f.Reason = Logic, f.Reason+"; the operator fails on exact data too"
			}
		}
		if r.Verdict == Precision {
			r.updateVerdict()
		}
	}
}

// Overall is the worst verdict of the cases that were judged, Untrusted if there is none.
func Overall(reports []Report) Verdict {
	worst, judged := Pass, false
	for _, r := range reports {
		if r.Verdict == NotCovered {
			continue
		}
		judged = true
		if r.Verdict.Worse(worst) {
			worst = r.Verdict
		}
	}
	if !judged {
		return Untrusted
	}
	return worst
}
