package kernel

import (
	"fmt"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// restore makes the row that is active now active again when the test ends.
func restore(t *testing.T) {
	active := ActiveName()
	t.Cleanup(func() {
		if err := Use(active); err != nil {
			t.Error(err)
		}
	})
}

func TestUse(t *testing.T) {
	restore(t)
	for i, row := range All[float32]() {
		if err := Use(row.Name); err != nil {
			t.Fatal(err)
		}
		if Active[float32]() != row || Active[float64]() != All[float64]()[i] || ActiveName() != row.Name ||
			Active[float64]().Name != row.Name {
			t.Errorf("Use(%q) chose %q and %q", row.Name, Active[float32]().Name, Active[float64]().Name)
		}
	}
	before := ActiveName()
	err := Use("sse9")
	if err == nil {
		t.Fatal("Use accepts an unknown row")
	}
	for _, row := range All[float32]() {
		if !strings.Contains(err.Error(), row.Name) {
			t.Errorf("the error %q does not name row %s", err, row.Name)
		}
	}
	if ActiveName() != before {
		t.Errorf("a failed Use changed the row from %s to %s", before, ActiveName())
	}
}

func TestEnvironment(t *testing.T) {
	restore(t)
	rows := Rows[float32]()
	best := rows[len(rows)-1].Name
	for _, c := range []struct {
		value, want string
		fails       bool
	}{{"", best, false}, {"generic", "generic", false}, {best, best, false}, {"unfused", "unfused", false},
		{"sse9", best, true}} {
		err := choose(c.value)
		if (err != nil) != c.fails || ActiveName() != c.want {
			t.Errorf("%s=%q: row %s, error %v; want row %s, failure %v", variable, c.value, ActiveName(), err,
				c.want, c.fails)
		}
		if err != nil && !strings.Contains(err.Error(), variable) {
			t.Errorf("the error %q does not name the variable", err)
		}
	}
}

// TestEnvironmentIsRead starts this test again in a process of its own, where the package sees the variable
// as it starts.
func TestEnvironmentIsRead(t *testing.T) {
	const child = "SDREF_KERNEL_TEST_CHILD"
	if os.Getenv(child) != "" {
		fmt.Printf("row %s, error %v\n", ActiveName(), EnvironmentError())
		return
	}
	rows := Rows[float32]()
	best := rows[len(rows)-1].Name
	for _, c := range []struct{ value, want string }{
		{"generic", "row generic, error <nil>\n"},
		{best, "row " + best + ", error <nil>\n"},
		{"unfused", "row unfused, error <nil>\n"},
		{"", "row " + best + ", error <nil>\n"},
		{"sse9", "row " + best + ", error environment variable SDREF_KERNEL: kernel \"sse9\""},
	} {
		command := exec.Command(os.Args[0], "-test.run=^TestEnvironmentIsRead$")
		command.Env = append(os.Environ(), child+"=1", variable+"="+c.value)
		output, err := command.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, output)
		}
		if !strings.HasPrefix(string(output), c.want) {
			t.Errorf("%s=%s: got %q, want it to start with %q", variable, c.value, output, c.want)
		}
	}
}

func TestRowsAgreeWithFeatures(t *testing.T) {
	has := map[string]bool{}
	for _, f := range Features() {
		has[f.Name] = f.Has
	}
	var names []string
	for _, row := range Rows[float64]() {
		names = append(names, row.Name)
	}
	if names[0] != "generic" {
		t.Errorf("the first row is %q, want generic", names[0])
	}
	if slices.Contains(names, "avx2") && !(has["avx2"] && has["fma"] && has["popcnt"] && has["os saves ymm"]) {
		t.Errorf("row avx2 without its features: %v", has)
	}
	if slices.Contains(names, "avx512") &&
		!(has["avx2"] && has["fma"] && has["popcnt"] && has["avx512f"] && has["avx512dq"] && has["avx512vl"] && has["avx512bw"] && has["bmi2"] &&
			has["os saves zmm"]) {
		t.Errorf("row avx512 without its features: %v", has)
	}
	if CPUName() == "" {
		t.Error("CPUName is empty")
	}
}

// TestComplete fails when a row lacks a function, or when a new function is not in the tests of equality.
func TestComplete(t *testing.T) {
	tested := []string{"Name", "Lanes", "Tiles", "Narrow", "Peak", "Gather", "Regular", "GatherAlternate",
		"Mark", "Pack", "Unpack", "Weave", "InsertZeros", "Interleave", "MaxPool2", "MaxPool2Grad", "Sum", "SumSquares", "Dot", "Winograd"}
	for _, f := range functions[float32]() {
		tested = append(tested, f.field)
	}
	for _, row := range All[float32]() {
		testComplete(t, row.Name, reflect.ValueOf(*row), tested)
	}
	for _, row := range All[float64]() {
		testComplete(t, row.Name, reflect.ValueOf(*row), tested)
	}
}

func testComplete(t *testing.T, row string, set reflect.Value, tested []string) {
	for i := range set.NumField() {
		field := set.Type().Field(i).Name
		if set.Field(i).IsZero() {
			t.Errorf("row %s has no %s", row, field)
		}
		if !slices.Contains(tested, field) {
			t.Errorf("Set.%s is in no test", field)
		}
	}
}

func TestPeak(t *testing.T) {
	for _, row := range All[float32]() {
		if one, ten := row.Peak(1), row.Peak(10); one <= 0 || ten != 10*one || row.Peak(0) != 0 {
			t.Errorf("row %s: Peak counts %v operations in 1 iteration, %v in 10, %v in none", row.Name, one,
				ten, row.Peak(0))
		}
	}
}

// TestPanics: what does not fit panics with the function's name, before anything is touched.
func TestPanics(t *testing.T) {
	long, short := make([]float32, 1000), make([]float32, 15)
	for _, row := range All[float32]() {
		type call struct {
			name string
			run  func()
		}
		calls := []call{
			{"Gather", func() { row.Gather(short, 16, long, []int{0}, 16) }},
			{"Gather", func() { row.Gather(long, 15, long, []int{0}, 16) }},
			{"Gather", func() { row.Gather(long, 16, short, []int{0}, 16) }},
			{"Gather", func() { row.Gather(long, 16, long, []int{0, 985}, 16) }},
			{"Gather", func() { row.Gather(long, 16, long, []int{-1}, 16) }},
			{"Gather", func() { row.Gather(long, 16, long, []int{0}, -1) }},
			{"GatherAlternate", func() { row.GatherAlternate(short, 16, long, []int{0}, 16) }},
			{"GatherAlternate", func() { row.GatherAlternate(long, 15, long, []int{0}, 16) }},
			{"GatherAlternate", func() { row.GatherAlternate(long, 16, long, []int{0, 970}, 16) }},
			{"GatherAlternate", func() { row.GatherAlternate(long, 16, long, []int{-1}, 16) }},
			{"GatherAlternate", func() { row.GatherAlternate(long, 16, long, []int{0}, -1) }},
			{"Weave", func() { row.Weave(long[:32], long[:31], 16) }},
			{"Weave", func() { row.Weave(long[:30], long[:30], 16) }},
			{"Weave", func() { row.Weave(long[:30], long[:30], 0) }},
			{"Weave", func() { row.Weave(long[:30], long[:30], -1) }},
			{"InsertZeros", func() { row.InsertZeros(long[:64], long[:15], 15) }},
			{"InsertZeros", func() { row.InsertZeros(long[:64], long[:16], 15) }},
			{"InsertZeros", func() { row.InsertZeros(long[:64], long[:16], 0) }},
			{"InsertZeros", func() { row.InsertZeros(long[:64], long[:16], -1) }},
			{"Interleave", func() { row.Interleave(short, 1, long, []int{0}, 16) }},
			{"Interleave", func() { row.Interleave(long, 1, long, []int{0, 16}, 16) }},
			{"Interleave", func() { row.Interleave(long, 1, short, []int{0}, 16) }},
			{"MaxPool2", func() { row.MaxPool2(long[:15], long[:64], 8, 8) }},
			{"MaxPool2", func() { row.MaxPool2(long[:16], long[:63], 8, 8) }},
			{"MaxPool2", func() { row.MaxPool2(long[:0], long[:8], 1, 8) }},
			{"MaxPool2", func() { row.MaxPool2(long[:0], long[:8], 8, 1) }},
			{"MaxPool2Grad", func() { row.MaxPool2Grad(long[:64], long[:64], long[:15], 8, 8) }},
			{"MaxPool2Grad", func() { row.MaxPool2Grad(long[:64], long[:63], long[:16], 8, 8) }},
			{"MaxPool2Grad", func() { row.MaxPool2Grad(long[:63], long[:64], long[:16], 8, 8) }},
			{"Normalize", func() { row.Normalize(long[:30], long, long[:4], long, long) }},
			{"Normalize", func() { row.Normalize(long[:30], long, nil, long, long) }},
			{"Normalize", func() { row.Normalize(long[:30], long, long[:3], long[:2], long) }},
			{"Normalize", func() { row.Normalize(long[:30], long, long[:3], long, long[:2]) }},
			{"Dot", func() { row.Dot(long, short, 0) }},
		}
		for _, f := range functions[float32]() {
			for i := 1; i < f.slices; i++ {
				x := [][]float32{long, long, long}
				x[i] = short
				calls = append(calls, call{f.field, func() { f.run(row, x, make([]float32, 4)) }})
			}
		}
		for _, tile := range append(row.Narrow[:1:1], row.Tiles...) {
			spoil := func(how func(p *tileCall[float32])) {
				p := packed(tile, row.Lanes, Vectors, 3)
				how(p)
				calls = append(calls, call{"Tile", func() { p.mul(tile, p.c) }})
			}
			spoil(func(p *tileCall[float32]) { p.a = p.a[1:] })
			spoil(func(p *tileCall[float32]) { p.b = p.b[1:] })
			spoil(func(p *tileCall[float32]) { p.c = p.c[1:] })
			spoil(func(p *tileCall[float32]) { p.rows = p.rows[1:] })
			spoil(func(p *tileCall[float32]) { p.rows[0] = -1 })
			spoil(func(p *tileCall[float32]) { p.left = p.left[1:] })
			spoil(func(p *tileCall[float32]) { p.right[2]++ })
			spoil(func(p *tileCall[float32]) { p.cols[1]++ })
			spoil(func(p *tileCall[float32]) { p.cols = p.cols[1:] })
			spoil(func(p *tileCall[float32]) { p.out[0] = -1 })
			spoil(func(p *tileCall[float32]) { p.step = -1 })
		}
		for _, c := range calls {
			if message := panicOf(c.run); !strings.Contains(message, c.name) {
				t.Errorf("row %s, %s: panic %q does not name the function", row.Name, c.name, message)
			}
		}
	}
}

// panicOf returns the text that run panics with.
func panicOf(run func()) (message string) {
	defer func() { message, _ = recover().(string) }()
	run()
	return ""
}
