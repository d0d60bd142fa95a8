package csc

import (
	"fmt"
	"testing"
)

// Settings print as themselves, not as the geometry that they embed.
func TestSettingsText(t *testing.T) {
	s := Settings{Lambda: 0.1, Nonnegative: true, Iterations: 2, Variant: Paper}
	if got, want := fmt.Sprint(s), "lambda 0.1, z >= 0, 2 iterations, variant paper, stride 1, padding 0, output padding 0, dilation 1"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
