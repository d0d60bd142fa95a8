package faults

import (
	"slices"
	"sync"

	"sdref/golden/judge"
)

// RunMutants has honest runs and every fault judged by the standard judge and by each mutant, and notes for
// each mutant the first run of which it says something else that matters: pass or fail, the first node, LOGIC
// on exact data.
func RunMutants(mutants []Mutant, faults []Fault, subjects []Subject) error {
	list, err := prepare(subjects)
	if err != nil {
		return err
	}
	for _, t := range list {
		a := t.answers(t.honest, true)
		r := Standard(t.Subject, a)
		for k := range mutants {
			mutants[k].compare("an honest run", t.Subject, a, r)
		}
	}
	for _, f := range faults {
		if f.Equivalent == "" {
			runMutant(mutants, f, list)
		}
	}
	return nil
}

// runMutant does so with one fault. Of several cases that would do it notes the first by name, the same one
// in every run.
func runMutant(mutants []Mutant, f Fault, list []*planted) {
	alive := slices.DeleteFunc(slices.Clone(mutants), func(m Mutant) bool { return m.Killed != "" })
	var lock sync.Mutex
	plant(func(s *Subject, a judge.Answers) judge.Report {
		r := Standard(s, a)
		for _, m := range alive { // a copy: another case may be at the same mutant
			if m.compare(f.ID, s, a, r); m.Killed == "" {
				continue
			}
			lock.Lock()
			killed := &mutants[slices.IndexFunc(mutants, func(other Mutant) bool { return other.ID == m.ID })]
			if killed.Killed == "" || m.Killed < killed.Killed {
				killed.Killed = m.Killed
			}
			lock.Unlock()
		}
		return r
	}, []Fault{f}, list, true)
}

// compare notes what gives the mutant away, if this does.
func (m *Mutant) compare(what string, s *Subject, a judge.Answers, r judge.Report) {
	if m.Killed == "" && differs(s, r, m.Judge(s, a, r)) {
		m.Killed = what + " in " + s.Case.ID
	}
}

// differs tells whether two reports differ in what counts.
func differs(s *Subject, r, other judge.Report) bool {
	first := func(r judge.Report) string {
		if r.First == nil {
			return ""
		}
		return r.First.Node
	}
	return r.Verdict.Failed() != other.Verdict.Failed() || first(r) != first(other) ||
		s.Case.Has("exact") && r.Verdict == judge.Logic && other.Verdict != judge.Logic
}
