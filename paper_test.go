package sdref_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// equations are those of the paper's supplement that docs/paper.md must have a row for.
var equations = []string{
	"(A.1), first line", "(A.1), second line", "(A.1), third line",
	"(A.2)", "(A.3)", "(A.4)", "(A.5)", "(A.6)", "(B.1)", "(B.2)", "(B.3)",
}

var (
	citation = regexp.MustCompile(`\([AB]\.[0-9]\)(, [a-z]+ line)?`)
	location = regexp.MustCompile("^`([^`:]+\\.go):([^`:]+)`$") // `FILE:NAME`, NAME a function, a type or TYPE.METHOD
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
	for _, row := range paperRows(page) {
		cited, at := citation.FindAllString(row[0], -1), location.FindStringSubmatch(row[1])
		switch {
		case cited == nil:
			faults = append(faults, fmt.Sprintf("%q: no equation", row[0]))
			continue
		case at == nil:
			faults = append(faults, fmt.Sprintf("%s: %q is no `FILE:NAME`", row[0], row[1]))
			continue
		}
		found = append(found, cited...)
		source, err := sourceOf(module, at[1], at[2])
		if err != nil {
			faults = append(faults, fmt.Sprintf("%s: %v", row[0], err))
			continue
		}
		for _, e := range cited {
			if !strings.Contains(source, e) {
				faults = append(faults, fmt.Sprintf("%s: %s:%s does not cite %s", row[0], at[1], at[2], e))
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

// paperRows returns the first two cells of each row of the tables whose header is | equation | place | ...
func paperRows(page string) (rows [][2]string) {
	inside, header := false, false
	for line := range strings.Lines(page) {
		cells := strings.SplitN(line, "|", 4)
		switch {
		case len(cells) < 4 || strings.TrimSpace(cells[0]) != "":
			inside = false
		case strings.TrimSpace(cells[1]) == "equation" && strings.TrimSpace(cells[2]) == "place":
			inside, header = true, true
		case header: // the rule below the header
			header = false
		case inside:
			rows = append(rows, [2]string{strings.TrimSpace(cells[1]), strings.TrimSpace(cells[2])})
		}
	}
	return rows
}

// sourceOf returns the text of the function, method (TYPE.METHOD) or type that a file declares under the name, with its doc
// comment and without line breaks, so that a citation is found though a comment is wrapped in its middle.
func sourceOf(module fs.FS, file, name string) (string, error) {
	text, err := fs.ReadFile(module, file)
	if err != nil {
		return "", err
	}
	files := token.NewFileSet()
	syntax, err := parser.ParseFile(files, file, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return "", err
	}
	for _, d := range syntax.Decls {
		from, to, ok := findDeclaration(d, name)
		if ok {
			source := text[files.Position(from).Offset:files.Position(to).Offset]
			return newline.ReplaceAllString(string(source), " "), nil
		}
	}
	return "", fmt.Errorf("%s declares no function, method or type %s", file, name)
}

// findDeclaration returns from where to where a declaration's text goes, with its doc comment, if it is that of the name.
func findDeclaration(d ast.Decl, name string) (from, to token.Pos, ok bool) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if methodName(d) == name {
			return start(d, d.Doc), d.End(), true
		}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			if s, ok := s.(*ast.TypeSpec); ok && s.Name.Name == name {
				if len(d.Specs) == 1 { // the comment then stands above the keyword
					return start(d, d.Doc), d.End(), true
				}
				return start(s, s.Doc), s.End(), true
			}
		}
	}
	return 0, 0, false
}

// start is where a node begins with its doc comment, which may be nil.
func start(n ast.Node, doc *ast.CommentGroup) token.Pos {
	if doc != nil {
		return doc.Pos()
	}
	return n.Pos()
}

// methodName is F for a function, T.F for a method of T, *T or T[X].
func methodName(d *ast.FuncDecl) (name string) {
	name = d.Name.Name
	if d.Recv == nil {
		return name
	}
	done := false
	ast.Inspect(d.Recv.List[0].Type, func(n ast.Node) bool {
		if t, ok := n.(*ast.Ident); ok && !done { // the first identifier; what follows are type parameters
			name, done = t.Name+"."+name, true
		}
		return !done
	})
	return name
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
