package sdref_test

import (
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"sdref"
)

// equations are those of the paper's supplement that docs/paper.md must have a row for.
var equations = []string{
	"(A.1), first line", "(A.1), second line", "(A.1), third line",
	"(A.2)", "(A.3)", "(A.4)", "(A.5)", "(A.6)", "(B.1)", "(B.2)", "(B.3)",
}

var (
	citation = regexp.MustCompile(`\([AB]\.[0-9]\)(, [a-z]+ line)?`)
	newline  = regexp.MustCompile(`\s*\n\s*(//)?\s*`)
)

// TestPaperTable checks what docs/paper.md says about where the paper's equations are.
func TestPaperTable(t *testing.T) {
	page, err := os.ReadFile("docs/paper.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range paperFaults(os.DirFS("."), string(page)) {
		t.Error(f)
	}
}

// paperFaults returns what is wrong with the page's tables of equations and places: a place that is not in the module, one
// whose source does not cite the equations of its row, an equation without a row.
func paperFaults(module fs.FS, page string) (faults []string) {
	var found []string
	for _, row := range sdref.PaperRows(page) {
		cited := citation.FindAllString(row.Equations, -1)
		file, name, ok := sdref.SplitPlace(row.Place)
		switch {
		case cited == nil:
			faults = append(faults, fmt.Sprintf("%q: no equation", row.Equations))
			continue
		case !ok || !strings.HasPrefix(row.Place, "`"):
			faults = append(faults, fmt.Sprintf("%s: %q is no `FILE:NAME`", row.Equations, row.Place))
			continue
		}
		found = append(found, cited...)
		source, err := sourceOf(module, file, name)
		if err != nil {
			faults = append(faults, fmt.Sprintf("%s: %v", row.Equations, err))
			continue
		}
		for _, e := range cited {
			if !strings.Contains(source, e) {
				faults = append(faults, fmt.Sprintf("%s: %s:%s does not cite %s", row.Equations, file, name, e))
			}
		}
	}
	for _, e := range found {
		if !slices.Contains(equations, e) {
			faults = append(faults, e+": the supplement has no such equation")
		}
	}
	for _, e := range equations {
		if !slices.Contains(found, e) {
			faults = append(faults, e+": no row")
		}
	}
	return faults
}

// sourceOf is the text that a file declares under a name, without line breaks, so that a citation is found though a comment is wrapped
// in its middle.
func sourceOf(module fs.FS, file, name string) (string, error) {
	d, err := sdref.Declared(module, file, name)
	return newline.ReplaceAllString(d.Text, " "), err
}

// TestSourceHasThePlaces checks that the program can show every place of docs/paper.md.
func TestSourceHasThePlaces(t *testing.T) {
	page, err := fs.ReadFile(sdref.Source, "docs/paper.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := sdref.PaperRows(string(page))
	if len(rows) < 12 {
		t.Fatalf("%d rows", len(rows))
	}
	for _, row := range rows {
		file, name, _ := sdref.SplitPlace(row.Place)
		d, err := sdref.Declared(sdref.Source, file, name)
		if err != nil {
			t.Errorf("%s: %v", row.Equations, err)
			continue
		}
		now, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(now), "\n")
		if text := strings.Join(lines[d.From-1:d.To], "\n"); strings.TrimSpace(text) != strings.TrimSpace(d.Text) && !strings.Contains(text, d.Text) {
			t.Errorf("%s: lines %d to %d are another text", row.Place, d.From, d.To)
		}
	}
}

// TestPaperFaults shows the check of TestPaperTable a made-up module and pages with one fault of each kind.
func TestPaperFaults(t *testing.T) {
	module := fstest.MapFS{"a/a.go": {Data: []byte(`package a

// FISTA is (A.1), first line, (A.1), second
// line, and (A.2).
func FISTA() {
	step() // (A.1), third line
}

// (A.9) stands in no declaration.

func step() {}

// Undo is (B.2) and (B.3).
func (n *network[T]) Undo() {}

type (
	// first cites (A.3).
	first struct{}
	second struct {
		value float64 // (A.4), (A.5)
	}
)

// Problem is (A.6), (B.1).
type Problem struct{}
`)}, "a/broken.go": {Data: []byte("no Go")}}
	rows := []string{
		"(A.1), first line | `a/a.go:FISTA`", "(A.1), second line | `a/a.go:FISTA`", "(A.1), third line | `a/a.go:FISTA`",
		"(A.2) | `a/a.go:FISTA`", "(A.3) | `a/a.go:first`", "(A.4), (A.5) | `a/a.go:second`",
		"(A.6), (B.1) | `a/a.go:Problem`", "(B.2), (B.3) | `a/a.go:network.Undo`",
	}
	page := func(rows ...string) string {
		return "# A page\n\n| other | table |\n|---|---|\n| (A.1) | `a/gone.go:F` | x |\n\n" +
			"| equation | place | what |\n|---|---|---|\n| " + strings.Join(rows, " | x |\n| ") + " | x |\n\n| (A.9) | `b.go:F` | x |\n"
	}
	for _, c := range []struct {
		what string
		rows []string
		want []string
	}{
		{"nothing wrong", rows, nil},
		{"a missing row", rows[1:], []string{"(A.1), first line: no row"}},
		{"two missing rows", append(rows[:5:5], rows[6:]...), []string{"(A.4): no row", "(A.5): no row"}},
		{"a missing file", append(rows, "(A.2) | `a/gone.go:F`"), []string{"(A.2): open a/gone.go: "}},
		{"a file that is not Go", append(rows, "(A.2) | `a/broken.go:F`"), []string{"(A.2): a/broken.go:1:1: "}},
		{"a missing function", append(rows, "(A.2) | `a/a.go:F`"), []string{"(A.2): a/a.go declares no function, method or type F"}},
		{"a method that is none", append(rows, "(B.2) | `a/a.go:Undo`"), []string{"(B.2): a/a.go declares no function, method or type Undo"}},
		{"a function that does not cite", append(rows, "(A.2) | `a/a.go:step`"), []string{"(A.2): a/a.go:step does not cite (A.2)"}},
		{"a method that cites another", append(rows, "(B.1), (B.2) | `a/a.go:network.Undo`"),
			[]string{"(B.1), (B.2): a/a.go:network.Undo does not cite (B.1)"}},
		{"a type whose neighbour cites", append(rows, "(A.3) | `a/a.go:second`"), []string{"(A.3): a/a.go:second does not cite (A.3)"}},
		{"another line", append(rows, "(A.1), third line | `a/a.go:step`"),
			[]string{"(A.1), third line: a/a.go:step does not cite (A.1), third line"}},
		{"no such equation", append(rows, "(A.9) | `a/a.go:step`"),
			[]string{"(A.9): a/a.go:step does not cite (A.9)", "(A.9): the supplement has no such equation"}},
		{"no equation", append(rows, "FISTA | `a/a.go:FISTA`"), []string{`"FISTA": no equation`}},
		{"no place", append(rows, "(A.2) | a/a.go"), []string{"(A.2): \"a/a.go\" is no `FILE:NAME`"}},
	} {
		if got := paperFaults(module, page(c.rows...)); !slices.EqualFunc(got, c.want, strings.HasPrefix) {
			t.Errorf("%s: got %q, want %q", c.what, got, c.want)
		}
	}
	if got := paperFaults(module, "# A page without a table\n"); len(got) != len(equations) {
		t.Errorf("a page without a table: got %q", got)
	}
}
