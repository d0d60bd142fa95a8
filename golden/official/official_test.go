package official

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sdref/golden"
)

// official holds the cases of the authors' code.
const official = "../testdata/official"

// officialCases returns the cases in one folder of official.
func officialCases(t *testing.T, folder string) []*golden.Case {
	t.Helper()
	cases, err := golden.Open(filepath.Join(official, folder))
	if err != nil {
		t.Fatal(err)
	}
	return cases
}

func TestOfficialLayers(t *testing.T) {
	for _, c := range officialCases(t, "layer") {
		for precision, check := range checks {
			rows := passing(t, precision, c, check)
			names := c.Scalars.Names()
			for _, e := range c.Tensors.Tensors {
				names = append(names, e.Name)
			}
			covers(t, c, rows, names)
		}
	}
}

// checks are both instances of Check.
var checks = map[string]func(*golden.Case) ([]golden.Row, error){"float64": Check[float64],
	"float32": Check[float32]}

// passing fails unless every row passes, and returns the rows.
func passing(t *testing.T, precision string, c *golden.Case,
	check func(*golden.Case) ([]golden.Row, error)) []golden.Row {
	t.Helper()
	rows, err := check(c)
	if err != nil {
		t.Errorf("%s: %v", precision, err)
		return nil
	}
	for _, r := range rows {
		if !r.Pass || r.Case != c.Name {
			t.Errorf("%s: %v", precision, r)
		}
	}
	if !golden.Passed(rows) {
		t.Errorf("%s: %s: %d rows did not pass", precision, c.Name, len(rows))
	}
	return rows
}

// covers fails unless there is exactly one row for each name.
func covers(t *testing.T, c *golden.Case, rows []golden.Row, names []string) {
	t.Helper()
	var got []string
	for _, r := range rows {
		got = append(got, r.Name)
	}
	slices.Sort(got)
	slices.Sort(names)
	if !slices.Equal(got, names) {
		t.Errorf("%s: rows for %v, expected are %v", c.Name, got, names)
	}
}

func TestOfficialNetworks(t *testing.T) {
	if testing.Short() {
		t.Skip("half a minute")
	}
	for _, c := range officialCases(t, "network") {
		rows := passing(t, "float64", c, Check[float64])
		covers(t, c, rows, networkRows(t, c))
	}
}

// networkRows lists the rows that a network's expected numbers call for.
func networkRows(t *testing.T, c *golden.Case) []string {
	t.Helper()
	names := []string{"parameters"}
	for _, e := range c.Tensors.Tensors {
		names = append(names, e.Name)
	}
	steps, err1 := c.Scalars.Map("step_sizes")
	zeros, err2 := c.Scalars.Map("zero_fraction")
	losses, err3 := c.Scalars.Floats("losses")
	if err1 != nil || err2 != nil || err3 != nil {
		t.Fatal(c.Name, err1, err2, err3)
	}
	for _, layer := range steps.Names() {
		names = append(names, "lambda_max/"+layer, "step/"+layer)
	}
	for _, layer := range zeros.Names() {
		names = append(names, "zero_fraction/"+layer)
	}
	for i := range losses {
		at := string(rune('0' + i))
		names = append(names, "loss/"+at)
		for _, layer := range steps.Names() {
			names = append(names, "lambda_max_per_step/"+at+"/"+layer)
		}
	}
	return names
}

// TestOfficialNetworkInFloat32 looks at one network: nothing is judged but counts, and nothing may be far
// off.
func TestOfficialNetworkInFloat32(t *testing.T) {
	if testing.Short() {
		t.Skip("some seconds")
	}
	for _, c := range officialCases(t, "network") {
		if !strings.HasSuffix(c.Name, "sdnet18_cifar10") {
			continue
		}
		for _, r := range passing(t, "float32", c, Check[float32]) {
			if r.Note == "" && r.Name != "parameters" {
				t.Errorf("%v: judged, or without a note", r)
			}
			if strings.HasPrefix(r.Name, "eval_") && r.Error > 1e-3 {
				t.Errorf("%v: far off", r)
			}
		}
	}
}
