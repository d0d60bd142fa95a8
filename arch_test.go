// Package sdref_test checks the module's architecture: which package may import which, and what no package may use.
//
// It reads the Go files themselves, in the test process: a test that ran another program could pass from go test's cache after
// a file has changed.
package sdref_test

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "sdref"

// tower lists the packages of each floor. A package imports only from lower floors; a test also from its own.
var tower = [][]string{
	0: {"internal/kernel", "internal/elementary", "internal/random", "internal/parallel", "internal/parallel/paralleltest", "internal/atomicfile", "internal/tfevents",
		"internal/pickle", "internal/narrow", "internal/filekind", "internal/misuse", "internal/names", "."},
	1: {"internal/gemm", "conv/internal/form"},
	2: {"tensor", "conv/internal/direct", "conv/internal/winograd", "golden/precision"},
	3: {"conv", "tensor/safetensors", "tensor/npy", "tensor/matrix", "tensor/picture"},
	4: {"autodiff", "golden", "sdnet/pretrained", "tensor/torchfile"},
	5: {"csc", "csc/spectrum", "sdnet/data", "autodiff/onnx"},
	6: {"csc/solve", "sdnet/optim", "golden/graph"},
	7: {"sdnet", "golden/judge", "csc/learn"},
	8: {"sdnet/training", "sdnet/statedict", "sdnet/robust", "sdnet/attack", "sdnet/figures", "golden/simulate"},
	9: {"sdnet/classify", "golden/cases", "golden/official", "cmd/ref/internal/cli", "cmd/ref/internal/lab/answer"},
	10: {"golden/trial", "golden/faults", "golden/explore", "cmd/ref/internal/cli/clitest", "cmd/ref/internal/figures/plot",
		"cmd/ref/internal/lab/program"},
	11: {"golden/clients", "cmd/ref/internal/train", "cmd/ref/internal/eval", "cmd/ref/internal/judge", "cmd/ref/internal/measure", "cmd/ref/internal/study",
		"cmd/ref/internal/figures", "cmd/ref/internal/convert", "cmd/ref/internal/lab"},
	12: {"cmd/ref", "cmd/ref/train"},
}

// edge is the folder of the program, whose packages talk with the user: the terminal, picture files. They may import any library.
const edge = "cmd/ref"

// libraries lists what the other packages may import besides the standard library.
var libraries = []string{"gonum.org/v1/gonum", "golang.org/x/sync", "github.com/klauspost/cpuid/v2", protowire}

// protowire writes and reads the fields of protocol buffers, the encoding of ONNX files, and nothing else; no part of the arithmetic sees it.
const protowire = "google.golang.org/protobuf/encoding/protowire"

// reserved lists imports and the packages that may use them.
var reserved = map[string][]string{
	"C":                             nil,
	"unsafe":                        {"internal/kernel"},
	"github.com/klauspost/cpuid/v2": {"internal/kernel"},
	protowire:                       {"autodiff/onnx"},
}

// unstable lists imports whose numbers the module does not promise to repeat, and who may use them outside tests.
var unstable = map[string][]string{
	"math/rand":    nil,
	"math/rand/v2": {"internal/atomicfile"}, // for the names of temporary files
	"math/cmplx":   nil,
}

// exact matches what may be used of package math outside tests: constants, bit patterns, and functions whose result is exact
// or exactly rounded. The others have assembly, or are fused, on some architectures; see internal/elementary.
var exact = regexp.MustCompile(`^(Abs|Sqrt|FMA|Floor|Ceil|Trunc|Round|RoundToEven|Copysign|Signbit|Inf|NaN|IsInf|IsNaN|` +
	`Float(32|64)(from)?bits|Nextafter(32)?|Ldexp|Frexp|Pi|E|Sqrt2|Ln2|Log2E|(Max|Min|Smallest).+)$`)

func TestArchitecture(t *testing.T) {
	faults, err := inspect(".", tower)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range faults {
		t.Error(f)
	}
}

// inspect returns what is wrong with the module whose files lie under root.
func inspect(root string, tower [][]string) (faults []string, err error) {
	in := &inspector{root: root, floors: map[string]int{}, seen: map[string]bool{}}
	for floor, packages := range tower {
		for _, p := range packages {
			in.floors[p] = floor
		}
	}
	err = filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != root && in.foreign(name):
			return fs.SkipDir
		case entry.IsDir() || !strings.HasSuffix(name, ".go"):
			return nil
		}
		return in.file(name)
	})
	for p := range in.floors {
		if !in.seen[p] {
			in.faults = append(in.faults, p+": in the tower, but there is no such package")
		}
	}
	slices.Sort(in.faults)
	return in.faults, err
}

// inspector collects what is wrong with a module.
type inspector struct {
	root   string
	floors map[string]int  // by package
	seen   map[string]bool // packages with files that are not tests
	faults []string
}

// foreign tells whether the go command takes a folder for no part of the module.
func (in *inspector) foreign(folder string) bool {
	base := filepath.Base(folder)
	_, err := os.Stat(filepath.Join(folder, "go.mod"))
	return err == nil || base == "testdata" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_")
}

// file inspects one Go file.
func (in *inspector) file(name string) error {
	syntax, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	relative, err := filepath.Rel(in.root, name)
	if err != nil {
		return err
	}
	f := goFile{inspector: in, name: filepath.ToSlash(relative), syntax: syntax}
	f.pkg, f.test = path.Dir(f.name), strings.HasSuffix(f.name, "_test.go")
	_, known := in.floors[f.pkg]
	if !known && !(f.test && f.pkg == ".") { // this very file stands beside the tower
		f.fault("package %s has no floor: enter it in the tower", f.pkg)
		return nil
	}
	f.imports()
	if !f.test {
		in.seen[f.pkg] = true
		f.mathematics()
		return f.exports()
	}
	return nil
}

type goFile struct {
	*inspector
	name, pkg string // relative to the module
	test      bool
	syntax    *ast.File
}

func (f *goFile) fault(format string, args ...any) {
	f.faults = append(f.faults, f.name+": "+fmt.Sprintf(format, args...))
}

// imports checks what the file imports.
func (f *goFile) imports() {
	for _, spec := range f.syntax.Imports {
		name, _ := strconv.Unquote(spec.Path.Value) // the parser has checked it
		if users, ok := reserved[name]; ok && !slices.Contains(users, f.pkg) {
			f.fault("imports %s, which is for %q only", name, users)
		}
		if users, ok := unstable[name]; ok && !f.test && !slices.Contains(users, f.pkg) {
			f.fault("imports %s, whose numbers are not promised to be the same everywhere", name)
		}
		first, inside, _ := strings.Cut(name, "/")
		switch {
		case first == module:
			f.floor(inside)
		case strings.Contains(first, ".") && !within(f.pkg, edge) && !slices.ContainsFunc(libraries, func(library string) bool {
			return within(name, library)
		}):
			f.fault("imports %s: libraries other than %q are for packages of %s", name, libraries, edge)
		}
	}
}

// within tells whether an import path is a folder's or below it.
func within(name, folder string) bool { return name == folder || strings.HasPrefix(name, folder+"/") }

// floor checks an import from the module itself.
func (f *goFile) floor(imported string) {
	own, theirs := f.floors[f.pkg], f.floors[imported]
	if theirs > own || theirs == own && !f.test {
		f.fault("floor %d imports %s of floor %d", own, imported, theirs)
	}
}

// mathematics checks what the file uses of package math.
func (f *goFile) mathematics() {
	for _, spec := range f.syntax.Imports {
		if spec.Path.Value == `"math"` && spec.Name != nil {
			f.fault("imports math under another name")
		}
	}
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && x.Name == "math" && !exact.MatchString(s.Sel.Name) {
				f.fault("uses math.%s, which gives other bits on other architectures", s.Sel.Name)
			}
		}
		return true
	})
}

// exports checks that a file which not every build has exports nothing, so that no caller can depend on the build.
func (f *goFile) exports() error {
	tagged := false
	for _, group := range f.syntax.Comments {
		for _, c := range group.List {
			tagged = tagged || constraint.IsGoBuild(c.Text)
		}
	}
	if !tagged { // nor by its name, as in x_amd64.go?
		nowhere := build.Context{GOOS: "none", GOARCH: "none", Compiler: "gc"}
		matches, err := nowhere.MatchFile(filepath.Join(f.root, filepath.FromSlash(f.pkg)), path.Base(f.name))
		if err != nil || matches {
			return err
		}
	}
	for _, d := range f.syntax.Decls {
		for _, name := range declared(d) {
			if ast.IsExported(name) {
				f.fault("exports %s, which only some builds have", name)
			}
		}
	}
	return nil
}

// declared returns the names that a declaration gives to its package, and its exported types' methods.
func declared(d ast.Decl) (names []string) {
	if function, ok := d.(*ast.FuncDecl); ok {
		if function.Recv == nil {
			return []string{function.Name.Name}
		}
		receiver := receiverType(function.Recv.List[0].Type)
		if ast.IsExported(receiver) {
			names = append(names, function.Name.Name)
		}
		return names
	}
	for _, spec := range d.(*ast.GenDecl).Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			names = append(names, s.Name.Name)
		case *ast.ValueSpec:
			for _, n := range s.Names {
				names = append(names, n.Name)
			}
		}
	}
	return names
}

// receiverType is the name of T in T, *T, T[X] and *T[X, Y].
func receiverType(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiverType(e.X)
	case *ast.IndexExpr:
		return receiverType(e.X)
	case *ast.IndexListExpr:
		return receiverType(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}
