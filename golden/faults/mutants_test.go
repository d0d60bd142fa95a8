package faults_test

import (
	"testing"

	"sdref/golden/faults"
)

// TestMutants runs the catalogue before judges with a mistake each: at least 95 % of them must say something
// else than the real one of some fault or honest run.
func TestMutants(t *testing.T) {
	if testing.Short() {
		t.Skip("half a minute")
	}
	mutants := faults.Mutants()
	if err := faults.RunMutants(mutants, faults.Catalogue(), selected(smoke)); err != nil {
		t.Fatal(err)
	}
	killed := 0
	for _, m := range mutants {
		if m.Killed != "" {
			killed++
		}
		t.Logf("%-20s %-60s killed by %s", m.ID, m.What, m.Killed)
	}
	if 100*killed < 95*len(mutants) {
		t.Errorf("%d of %d mutants killed", killed, len(mutants))
	}
}
