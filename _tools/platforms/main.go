// Command platforms tells whether all packages of a module, their tests included, compile for platforms other than this machine's:
//
//	platforms linux/386 js/wasm
//
// It checks names, types and the ranges of constants from the sources, which takes seconds where go vet, which compiles the standard
// library for each platform first, takes minutes.
package main

import (
	"cmp"
	"fmt"
	"os"
	"strings"

	"golang.org/x/tools/go/packages"
)

func main() {
	status := 0
	for _, platform := range os.Args[1:] {
		mistakes, count, err := check(platform)
		if err == nil && count == 0 {
			err = fmt.Errorf("no packages")
		}
		if err != nil {
			mistakes = append(mistakes, err.Error())
		}
		fmt.Printf("%s: %d packages and test programs, %d mistakes\n", platform, count, len(mistakes))
		for _, m := range mistakes {
			fmt.Println("\t" + m)
			status = 1
		}
	}
	os.Exit(status)
}

// check returns what a compiler for the platform, GOOS/GOARCH, would refuse in the module of the working directory, and how many packages that are.
func check(platform string) (mistakes []string, count int, err error) {
	system, processor, ok := strings.Cut(platform, "/")
	if !ok {
		return nil, 0, fmt.Errorf("%q is not of the form GOOS/GOARCH", platform)
	}
	loaded, err := packages.Load(&packages.Config{
		// The sources of all that is imported, too: their compiled form would have to be built for the platform.
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports | packages.NeedDeps |
			packages.NeedSyntax | packages.NeedTypes | packages.NeedTypesSizes,
		Env:   append(os.Environ(), "GOOS="+system, "GOARCH="+processor, "CGO_ENABLED=0"),
		Tests: true,
	}, "./...")
	packages.Visit(loaded, nil, func(p *packages.Package) {
		for _, e := range p.Errors {
			mistakes = append(mistakes, strings.TrimSpace(cmp.Or(e.Pos, p.PkgPath)+": "+e.Msg))
		}
	})
	return mistakes, len(loaded), err
}
