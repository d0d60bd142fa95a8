package judge

import (
	"fmt"

	"sdref/cmd/ref/internal/cli"
	"sdref/golden/faults"
	"sdref/golden/graph"
	"sdref/golden/precision"
)

// The shares of live faults that the judge must find: with all cases, and with the smoke set.
const (
	minKilled      = 0.98
	minKilledSmoke = 0.85
)

// plant plants the catalogue of faults in simulated backends, and mistakes in the judge, and prints what is
// found.
func (j *verb) runFaults(list []*graph.Case) error {
	fmt.Fprintln(j.Stdout, cli.Machine())
	var subjects []faults.Subject
	bounds := boundsOf(list, func() precision.Profile { return precision.FP32 })
	for _, c := range list {
		s := faults.Subject{Case: c, In: c.Generate(), Bounds: bounds(c.ID)}
		var err error
		if s.Expected, err = c.Evaluate(s.In); err != nil {
			return err
		}
		subjects = append(subjects, s)
	}
	matrix, err := faults.Run(faults.Standard, faults.Catalogue(), subjects, true)
	if err != nil {
		return err
	}
	fmt.Fprint(j.Stdout, matrix)
	must := minKilled
	if j.smoke {
		must = minKilledSmoke
	}
	whole := j.ids == "" && j.kinds == "" && (j.flag == "" || j.smoke)
	if found := matrix.Summary().All.Share(); whole && !(found >= must) {
		fmt.Fprintf(j.Stdout, "less than %.0f %% of the faults are found\n", 100*must)
		return cli.ErrFailed
	}
	return nil
}
