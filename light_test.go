package sdref_test

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// light lists the libraries that the program of make run may compile, in a fresh clone while its user waits: none that draws.
var light = []string{"github.com/klauspost/cpuid/v2", "golang.org/x/image/bmp", "golang.org/x/image/tiff", "golang.org/x/image/webp", "golang.org/x/sync", "golang.org/x/term"}

func TestTrainingCompilesLittle(t *testing.T) {
	before := map[string]string{"cmd/ref/train": ""} // which package each was found in
	for found := []string{"cmd/ref/train"}; len(found) > 0; found = found[1:] {
		files, err := filepath.Glob(filepath.Join(filepath.FromSlash(found[0]), "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", found[0], len(files), err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			syntax, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
			if err != nil {
				t.Fatal(err)
			}
			for _, spec := range syntax.Imports {
				name, _ := strconv.Unquote(spec.Path.Value) // the parser has checked it
				first, inside, _ := strings.Cut(name, "/")
				switch {
				case first == module:
					if _, seen := before[inside]; !seen {
						before[inside] = found[0]
						found = append(found, inside)
					}
				case strings.Contains(first, ".") && !slices.ContainsFunc(light, func(library string) bool { return within(name, library) }):
					t.Errorf("make run compiles %s, which %s imports (reached from %s)", name, found[0], before[found[0]])
				}
			}
		}
	}
	if len(before) < 20 {
		t.Errorf("only %d packages were found", len(before))
	}
}
