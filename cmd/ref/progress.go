package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// progress shows how a long job goes: on a terminal one line that is written over, elsewhere a plain line now and then.
type progress struct {
	out      io.Writer
	terminal bool
	start    time.Time
	shown    time.Time
	offset   float64 // share that was done before start
}

func newProgress(out io.Writer, done float64) *progress {
	f, ok := out.(*os.File)
	return &progress{out: out, terminal: ok && term.IsTerminal(int(f.Fd())), start: time.Now(), offset: done}
}

// The least time between two lines.
const (
	terminalPause = 200 * time.Millisecond
	plainPause    = 15 * time.Second
)

// show writes a line if it is time for one; done is the share of the job that is finished.
func (p *progress) show(done float64, line string) {
	pause := plainPause
	if p.terminal {
		pause = terminalPause
	}
	if time.Since(p.shown) < pause {
		return
	}
	p.shown = time.Now()
	line += p.left(done)
	if p.terminal {
		fmt.Fprintf(p.out, "\r\033[K%s", line)
	} else {
		fmt.Fprintln(p.out, line)
	}
}

// left says how long the rest will take at the speed so far.
func (p *progress) left(done float64) string {
	spent := time.Since(p.start)
	if done <= p.offset || spent < time.Second {
		return ""
	}
	rest := time.Duration(float64(spent) * (1 - done) / (done - p.offset))
	return fmt.Sprintf(", %v left", rest.Round(time.Second))
}

// say writes a line that stays.
func (p *progress) say(format string, args ...any) {
	if p.terminal {
		fmt.Fprint(p.out, "\r\033[K")
	}
	fmt.Fprintf(p.out, format+"\n", args...)
}
