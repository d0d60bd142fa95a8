package golden

import (
	"fmt"
	"slices"
	"strings"
)

// Row is the verdict on one tensor or scalar of one case.
type Row struct {
	Case, Name string
	Difference
	Bound float64 // the largest error that passes
	Pass  bool
	Note  string // whatever else a reader should know; Judge leaves it empty
}

// Judge sets a difference against the largest relative error that passes.
func Judge(caseName, name string, d Difference, bound float64) Row {
	return Row{Case: caseName, Name: name, Difference: d, Bound: bound, Pass: d.Within(bound)}
}

// String returns the row as one line without a line break.
func (r Row) String() string {
	var s strings.Builder
	verdict := "FAIL"
	if r.Pass {
		verdict = "pass"
	}
	fmt.Fprintf(&s, "%s %s %s: ", verdict, r.Case, r.Name)
	switch {
	case r.Err != nil:
		fmt.Fprint(&s, r.Err)
	case r.Compared == 0:
		fmt.Fprint(&s, ErrNothing)
	default:
		fmt.Fprintf(&s, "error %.2g, bound %.2g", r.Error, r.Bound)
	}
	if r.Compared > 0 && r.Error > 0 {
		place := r.Part
		if place == "" {
			place = fmt.Sprintf("element %d of %d", r.Worst, r.Compared)
		}
		fmt.Fprintf(&s, "; %s is %v, want %v", place, r.Got, r.Want)
		if r.ULP < 1_000_000 { // beyond that the count says nothing
			fmt.Fprintf(&s, ", %d ulp", r.ULP)
		}
	}
	if r.Note != "" {
		fmt.Fprintf(&s, " (%s)", r.Note)
	}
	return s.String()
}

// Passed reports whether every row passes and there is at least one.
func Passed(rows []Row) bool {
	return len(rows) > 0 && !slices.ContainsFunc(rows, func(r Row) bool { return !r.Pass })
}
