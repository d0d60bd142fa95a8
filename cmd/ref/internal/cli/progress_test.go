package cli

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"
)

// On what is no terminal: plain lines, not too many.
func TestProgressPlain(t *testing.T) {
	var b bytes.Buffer
	p := NewProgress(&b, 0)
	long := strings.Repeat("long ", 40)
	p.Show(0.1, "first "+long)
	p.Show(0.2, "too soon")
	p.shown = time.Now().Add(-plainPause)
	p.Show(0.3, "second")
	p.Say("%d %s", 3, "stays")
	p.End()
	if want := "first " + long + "\nsecond\n3 stays\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

// On a terminal: one line, written over, cut before it wraps, and gone when something else is said. The descriptor is none, so
// the width is taken for 80.
func TestProgressOnATerminal(t *testing.T) {
	const clear = "\r\033[K"
	var b bytes.Buffer
	p := NewProgress(&b, 0)
	p.terminal = 1 << 20
	p.Say("head")
	p.Show(0.1, strings.Repeat("x", 100))
	p.Show(0.1, "too soon")
	p.shown = time.Now().Add(-terminalPause)
	p.Show(0.2, "short")
	p.Say("stays")
	p.End()
	p.shown = time.Time{}
	p.Show(0.3, "again")
	p.End()
	if want := "head\n" + clear + strings.Repeat("x", 79) + clear + "short" + clear + "stays\n" + clear + "again" + clear; b.String() != want {
		t.Errorf("got  %q\nwant %q", b.String(), want)
	}
}

func TestTimeLeft(t *testing.T) {
	p := &Progress{Start: time.Now().Add(-10 * time.Second), offset: 0.5}
	for done, want := range map[float64]string{0.5: "", 0.4: "", 0.75: ", 10s left", 0.6: ", 40s left", 1: ", 0s left"} {
		if got := p.Left(done); got != want {
			t.Errorf("half done 10 s ago, %v now: %q, want %q", done, got, want)
		}
	}
	p.Start = time.Now()
	if got := p.Left(0.75); got != "" {
		t.Errorf("at once: %q", got)
	}
}

// A file is no terminal.
func TestFileIsNoTerminal(t *testing.T) {
	f, err := os.Create(t.TempDir() + "/log")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if p := NewProgress(f, 0); p.terminal >= 0 {
		t.Errorf("descriptor %d", p.terminal)
	}
}
