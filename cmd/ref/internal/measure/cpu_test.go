package measure

import (
	"regexp"
	"strings"
	"testing"

	"sdref/internal/kernel"
)

func TestCPU(t *testing.T) {
	for _, row := range kernel.All[float32]() {
		r := ref.Works(t, []string{"cpu", "-kernel", row.Name}, kernel.CPUName(), "kernel "+row.Name)
		for line := range strings.Lines(r.Out) {
			if used := strings.HasSuffix(line,
				"in use\n"); used != regexp.MustCompile("^"+row.Name+" +[0-9]").MatchString(line) {
				t.Errorf("-kernel %s: the line %q", row.Name, line)
			}
		}
		for _, f := range kernel.Features() {
			r.Says(t, "  "+f.Name)
		}
	}
	ref.Works(t, []string{"cpu"}, "kernel "+kernel.ActiveName(), "in use")
}
