package main

import (
	"bytes"
	"context"
	"io"
	"testing"
)

// An argument that brings the program down is reported in one line.
func TestPanicIsOneLine(t *testing.T) {
	verbs := []verb{{"burst", "panics", func(*call) error { panic("first\nsecond") }}}
	var stderr bytes.Buffer
	if status := run(context.Background(), verbs, []string{"burst"}, io.Discard, &stderr); status != exitError || stderr.String() != "ref: internal error, please report it: first\n" {
		t.Errorf("status %d, %q", status, &stderr)
	}
}

// The instance is that of the type; a flag that names none is refused.
func TestByType(t *testing.T) {
	for name, want := range map[string]int{"float32": 32, "float64": 64} {
		if got := byType(name, 32, 64); got != want || checkType(name) != nil {
			t.Errorf("%s: %d, %v", name, got, checkType(name))
		}
	}
	if checkType("float16") == nil || checkType("") == nil {
		t.Error("float16 and no type are not refused")
	}
}
