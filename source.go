// Package sdref holds the module's own source where a reader is to see it: the files that docs/paper.md names as the places of the
// paper's equations, and some more, as they were when the program was built. The lab shows them beside its formulas.
package sdref

import (
	"embed"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"regexp"
	"strings"
)

// Source is the files: docs/paper.md, all places in its tables, and the other places that the lab names.
//
//go:embed docs/paper.md
//go:embed autodiff/analysis.go autodiff/prox.go autodiff/gradient.go
//go:embed csc/csc.go csc/fista.go csc/power.go csc/implicit.go
//go:embed csc/solve/problem.go csc/solve/descent.go csc/solve/certificate.go
//go:embed csc/spectrum/bound.go csc/spectrum/lanczos.go
//go:embed sdnet/inverse.go sdnet/predict.go sdnet/figures/spectrum.go sdnet/figures/reconstruct.go
//go:embed sdnet/robust/fit.go sdnet/robust/model.go sdnet/attack/attack.go sdnet/attack/pgd.go
var Source embed.FS

// Row is a line of docs/paper.md's tables: equations, and the place where the code computes them.
type Row struct{ Equations, Place string }

// PaperRows returns the first two cells of each row of a page's tables whose header is | equation | place | ...
func PaperRows(page string) (rows []Row) {
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
			rows = append(rows, Row{strings.TrimSpace(cells[1]), strings.TrimSpace(cells[2])})
		}
	}
	return rows
}

var placeForm = regexp.MustCompile("^`?([^`:]+):([^`:]+)`?$")

// SplitPlace returns the parts of a place, FILE:NAME, perhaps between backquotes.
func SplitPlace(place string) (file, name string, ok bool) {
	at := placeForm.FindStringSubmatch(place)
	if at == nil {
		return "", "", false
	}
	return at[1], at[2], true
}

// Declaration is where a file declares a function, a method (TYPE.METHOD) or a type.
type Declaration struct {
	Text     string // with its doc comment
	From, To int    // the first line and the last one, from 1
}

// Declared returns the declaration of a name in a file of a module.
func Declared(module fs.FS, file, name string) (Declaration, error) {
	text, err := fs.ReadFile(module, file)
	if err != nil {
		return Declaration{}, err
	}
	files := token.NewFileSet()
	syntax, err := parser.ParseFile(files, file, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return Declaration{}, err
	}
	for _, d := range syntax.Decls {
		if from, to, ok := findDeclaration(d, name); ok {
			first, last := files.Position(from), files.Position(to)
			return Declaration{string(text[first.Offset:last.Offset]), first.Line, last.Line}, nil
		}
	}
	return Declaration{}, fmt.Errorf("%s declares no function, method or type %s", file, name)
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
