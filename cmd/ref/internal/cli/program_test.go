package cli

import (
	"bytes"
	"context"
	"io"
	"testing"
)

// An argument that brings the program down is reported in one line.
func TestPanicIsOneLine(t *testing.T) {
	verbs := []Verb{{"burst", "panics", func(*Call) error { panic("first\nsecond") }}}
	var stderr bytes.Buffer
	if status := Run(context.Background(), verbs, []string{"burst"}, io.Discard, &stderr); status != ExitError || stderr.String() != "ref: internal error, please report it: first\n" {
		t.Errorf("status %d, %q", status, &stderr)
	}
}

// The instance is that of the type; a flag that names none is refused.
func TestByType(t *testing.T) {
	for name, want := range map[string]int{"float32": 32, "float64": 64} {
		if got := ByType(name, 32, 64); got != want || CheckType(name) != nil {
			t.Errorf("%s: %d, %v", name, got, CheckType(name))
		}
	}
	if CheckType("float16") == nil || CheckType("") == nil {
		t.Error("float16 and no type are not refused")
	}
}
