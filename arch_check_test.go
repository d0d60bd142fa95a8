package sdref_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestInspectFindsFaults shows the checks of TestArchitecture a made-up module with one fault of each kind.
func TestInspectFindsFaults(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":                      "module sdref",
		"good/good.go":                `package good; import ("math"; "sync"; "gonum.org/v1/gonum/mat"); var X = math.Sqrt(math.Pi)`,
		"good/good_amd64.go":          `package good; type hidden struct{}; func (hidden) String() string { return "" }; func (h *gen[T]) Get() {}`,
		"good/good_test.go":           `package good; import ("math"; "math/rand/v2"; "sdref/beside"); var x = math.Exp(1)`,
		"beside/beside.go":            "package beside",
		"high/high.go":                `package high; import "sdref/good"`,
		"cmd/ref/main.go":             `package main; import ("sdref/cmd/ref/internal/talk"; "golang.org/x/term")`,
		"cmd/ref/internal/talk/t.go":  `package talk; import ("sdref/high"; "gonum.org/v1/plot")`,
		"cmd/reference/main.go":       `package main; import "golang.org/x/term"`,
		"_tool/tool.go":               `package tool; import "C"`,
		"good/testdata/broken.go":     "not Go",
		"nested/go.mod":               "module nested",
		"nested/nested.go":            "package nested",
		"arch_test.go":                "package sdref_test",
		"root.go":                     "package sdref",
		"new/new.go":                  "package new",
		"beside/up.go":                `package beside; import "sdref/high"`,
		"beside/level.go":             `package beside; import "sdref/good"`,
		"beside/up_test.go":           `package beside; import "sdref/high"`,
		"beside/cgo.go":               `package beside; import "C"`,
		"beside/cgo_test.go":          `package beside; import "C"`,
		"beside/unsafe.go":            `package beside; import "unsafe"`,
		"beside/cpu.go":               `package beside; import "github.com/klauspost/cpuid/v2"`,
		"beside/library.go":           `package beside; import "golang.org/x/synchrotron"`,
		"beside/library_test.go":      `package beside; import "golang.org/x/term"`,
		"beside/random.go":            `package beside; import "math/rand"`,
		"beside/exp.go":               `package beside; import "math"; var x = []func(float64) float64{math.Exp}`,
		"beside/renamed.go":           `package beside; import . "math"; var x = Exp(1)`,
		"beside/tag.go":               "//go:build purego\n\npackage beside\n\nvar a, B = 1, 2",
		"beside/tag_arm64.go":         "package beside; func New() {}",
		"beside/tag_linux_amd64.go":   "package beside; func (t *Table[K, V]) Get() {}",
		"beside/tag_windows.go":       "package beside; type Table[K, V any] struct{}",
		"beside/tagged_amd64_test.go": "package beside; func TestX() {}",
	} {
		if err := os.MkdirAll(filepath.Join(root, filepath.Dir(name)), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	got, err := inspect(root, [][]string{{"good", "beside", "gone"}, {"high"}, {"cmd/ref/internal/talk"}, {"cmd/ref", "cmd/reference"}})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`beside/cgo.go: imports C`,
		`beside/cgo_test.go: imports C`,
		`beside/cpu.go: imports github.com/klauspost/cpuid/v2`,
		`beside/exp.go: uses math.Exp`,
		`beside/level.go: floor 0 imports good of floor 0`,
		`beside/library.go: imports golang.org/x/synchrotron`,
		`beside/library_test.go: imports golang.org/x/term`,
		`beside/random.go: imports math/rand`,
		`beside/renamed.go: imports math under`,
		`beside/tag.go: exports B`,
		`beside/tag_arm64.go: exports New`,
		`beside/tag_linux_amd64.go: exports Get`,
		`beside/tag_windows.go: exports Table`,
		`beside/unsafe.go: imports unsafe`,
		`beside/up.go: floor 0 imports high of floor 1`,
		`beside/up_test.go: floor 0 imports high of floor 1`,
		`cmd/reference/main.go: imports golang.org/x/term`,
		`gone: in the tower, but`,
		`new/new.go: package new has no floor`,
		`root.go: package . has no floor`,
	}
	if !slices.EqualFunc(got, want, strings.HasPrefix) {
		t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// TestReadmeShowsTheTower compares the README's table of floors with the one that is enforced.
func TestReadmeShowsTheTower(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if os.IsNotExist(err) {
		t.Skip("no README.md")
	}
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(text), "\n| floor |")
	if !ok {
		t.Skip("README.md has no table with the header | floor |")
	}
	shown := map[string]int{}
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) < 3 {
			break // behind the table
		}
		floor, err := strconv.Atoi(strings.TrimSpace(cells[1]))
		if err != nil {
			continue // the header and the rule below it
		}
		for _, p := range regexp.MustCompile("`[^`]+`").FindAllString(cells[2], -1) {
			shown[strings.Trim(p, "`")] = floor
		}
	}
	count := 0
	for floor, packages := range tower {
		count += len(packages)
		for _, p := range packages {
			if at, ok := shown[p]; !ok || at != floor {
				t.Errorf("package %s is on floor %d; README.md shows it on floor %d (%t)", p, floor, at, ok)
			}
		}
	}
	if len(shown) != count {
		t.Errorf("README.md shows %d packages, the tower has %d", len(shown), count)
	}
}
