package cli

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// Progress shows how a long job goes: on a terminal one line that is written over, elsewhere a plain line now and then.
type Progress struct {
	Start    time.Time // The speed is counted from here.
	out      io.Writer
	control  io.Writer // the terminal itself, for what moves its cursor
	terminal int       // file descriptor, or -1
	shown    time.Time
	offset   float64 // share that was done before Start
	open     bool    // a line stands on the terminal that the next one writes over
}

// NewProgress is the progress, shown on out, of a job of which the share done is finished before it starts.
func NewProgress(out io.Writer, done float64) *Progress {
	p := &Progress{out: out, control: out, terminal: -1, Start: time.Now(), offset: done}
	if c, ok := out.(*console); ok {
		p.control = c.to
	}
	if f, ok := p.control.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.terminal = int(f.Fd())
	}
	return p
}

// clearLine empties the line of a terminal and goes back to its beginning.
const clearLine = "\r\033[K"

// The least time between two lines.
const (
	terminalPause = 200 * time.Millisecond
	plainPause    = 15 * time.Second
)

// Show writes a line if it is time for one; done is the share of the job that is finished.
func (p *Progress) Show(done float64, line string) {
	pause := plainPause
	if p.terminal >= 0 {
		pause = terminalPause
	}
	if time.Since(p.shown) < pause {
		return
	}
	p.shown = time.Now()
	line += p.Left(done)
	if p.terminal < 0 {
		fmt.Fprintln(p.out, line)
		return
	}
	width, _, err := term.GetSize(p.terminal)
	if err != nil || width < 1 {
		width = 80
	}
	fmt.Fprint(p.control, clearLine)
	fmt.Fprint(p.out, line[:min(len(line), width-1)]) // a line that wraps could not be written over
	p.open = true
}

// End takes the line that Show left on a terminal away, so that something else can be written.
func (p *Progress) End() {
	if p.open {
		fmt.Fprint(p.control, clearLine)
		p.open = false
	}
}

// Left says how long the rest will take at the speed so far.
func (p *Progress) Left(done float64) string {
	spent := time.Since(p.Start)
	if done <= p.offset || spent < time.Second {
		return ""
	}
	rest := time.Duration(float64(spent) * (1 - done) / (done - p.offset))
	return fmt.Sprintf(", %v left", rest.Round(time.Second))
}

// Say writes a line that stays.
func (p *Progress) Say(format string, args ...any) {
	p.End()
	fmt.Fprintf(p.out, format+"\n", args...)
}
