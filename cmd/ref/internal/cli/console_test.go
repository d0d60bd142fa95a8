package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestVisible(t *testing.T) {
	for text, want := range map[string]string{
		"plain äöü → ∑\n\tnext":     "plain äöü → ∑\n\tnext",
		"\x1b[2Jgone":               `\x1b[2Jgone`,
		"a\rb\ab\x7f":               `a\x0db\x07b\x7f`,
		"\u009b31m":                 `\u009b31m`,
		"\x9b31m":                   `\x9b31m`,
		"gnp.\u202ecat":             `gnp.\u202ecat`,
		"a replaced one: \ufffd.":   "a replaced one: \ufffd.",
		"line\u2028two\u2066inside": `line\u2028two\u2066inside`,
	} {
		if got := string(visible([]byte(text))); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// full is a disk without room.
type full struct{ left int }

func (f *full) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errors.New("no space left on device")
	}
	return len(p), nil
}

// TestFullOutput: a result that could not be printed is an error, whatever the verb says.
func TestFullOutput(t *testing.T) {
	verbs := []Verb{{Name: "speak", Run: func(c *Call) error {
		fmt.Fprintln(c.Stdout, "a result")
		return c.Parse("")
	}}}
	for room, want := range map[int]int{100: 0, 3: ExitError} {
		var stderr bytes.Buffer
		if status := Run(context.Background(), verbs, []string{"speak"}, &full{room}, &stderr); status != want {
			t.Errorf("room for %d bytes: status %d, want %d", room, status, want)
		}
		if said := strings.Contains(stderr.String(), "standard output: no space left"); said != (want != 0) {
			t.Errorf("room for %d bytes: %q", room, stderr.String())
		}
	}
}
