package trial

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"
)

// stopTimeout is how long a command's output may be waited for after its end, and its end after that of its
// input.
const stopTimeout = 2 * time.Second

// RunCommand starts the command with the folder as its last argument and waits for its end. What the command
// prints goes to log. Where the system has process groups, the command gets one of its own, and whatever is
// left of it is ended with the command: when the command has ended, or when ctx is done.
func RunCommand(ctx context.Context, dir string, command []string, log io.Writer) error {
	p, err := startProcess(dir, command, log, false)
	if err != nil {
		return err
	}
	for {
		if ended, err := p.wait(ctx); ended {
			return err
		}
	}
}

// process is a command that was started.
type process struct {
	name  string
	input io.WriteCloser // nil if it has none
	kill  context.CancelFunc
	done  chan struct{} // has something in it after a line that says done
	ended chan struct{} // closed when it has ended, and what it printed has been passed on
	err   error         // how it ended, from then on
}

// startProcess starts a command with the folder as its last argument, with an input for more folders if it
// listens to them.
func startProcess(dir string, command []string, log io.Writer, listens bool) (*process, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	p := &process{name: Printable(command[0]), done: make(chan struct{}, 1), ended: make(chan struct{})}
	ctx, kill := context.WithCancel(context.Background())
	p.kill = kill
	cmd := exec.CommandContext(ctx, command[0], append(command[1:len(command):len(command)], dir)...)
	ownGroup(cmd)
	shared := &sharedWriter{to: log}
	lines := &doneFilter{to: shared, done: p.done}
	out, err1 := newOutput(lines)
	errs, err2 := newOutput(shared)
	cmd.Stdout, cmd.Stderr = out.end, errs.end
	var err3 error
	if listens {
		p.input, err3 = cmd.StdinPipe()
	}
	err = errors.Join(err1, err2, err3)
	if err == nil {
		err = cmd.Start()
	}
	out.end.Close()
	errs.end.Close()
	if err != nil {
		kill()
		return nil, fmt.Errorf("%s: %w", p.name, reason(err))
	}
	go func() {
		err := cmd.Wait()
		endGroup(cmd)
		kill()
		out.finish()
		errs.finish()
		lines.flush()
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%s: %w", p.name, err)
		}
		p.err = err
		close(p.ended)
	}()
	return p, nil
}

// wait waits until the command has ended, or has printed a line that says done. When ctx is done the command
// is ended, which is an error.
func (p *process) wait(ctx context.Context) (ended bool, err error) {
	select {
	case <-p.ended:
		return true, p.err
	case <-p.done:
		return false, nil
	case <-ctx.Done():
		p.close(0)
		return true, ctx.Err()
	}
}

// errGone says that a command had ended before it was asked, errNotDone that it ended afterwards.
var (
	errGone    = errors.New("it has ended")
	errNotDone = errors.New("ended, and was not done with a folder")
)

// ask hands the command another folder and waits until it is done with it. After an error the command has
// ended.
func (p *process) ask(ctx context.Context, dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	select {
	case <-p.done: // once too often
	default:
	}
	if _, err := io.WriteString(p.input, dir+"\n"); err != nil {
		p.close(0)
		return errGone
	}
	ended, err := p.wait(ctx)
	if ended && err == nil {
		err = fmt.Errorf("%s: %w", p.name, errNotDone)
	}
	return err
}

// close ends the command's input, and after a time the command.
func (p *process) close(after time.Duration) {
	if p.input != nil {
		p.input.Close()
	}
	select {
	case <-p.ended:
	case <-time.After(after):
		p.kill()
		<-p.ended
	}
}

// output is a pipe from a command, whose end is the command's.
type output struct {
	end    *os.File
	from   *os.File
	copied chan struct{}
}

// newOutput returns a pipe that is copied to a writer.
func newOutput(to io.Writer) (output, error) {
	from, end, err := os.Pipe()
	o := output{end, from, make(chan struct{})}
	go func() {
		_, _ = io.Copy(to, from) // that what the command prints cannot be shown is no matter of the judge
		close(o.copied)
	}()
	return o, err
}

// finish waits until all has been copied. A child outside of the command's group that holds the output open
// is not waited for.
func (o output) finish() {
	select {
	case <-o.copied:
	case <-time.After(stopTimeout):
	}
	o.from.Close()
	<-o.copied
}

// sharedWriter is a writer for several goroutines.
type sharedWriter struct {
	sync.Mutex
	to io.Writer
}

func (w *sharedWriter) Write(text []byte) (int, error) {
	w.Lock()
	defer w.Unlock()
	return w.to.Write(text)
}

// doneFilter passes on what is written but for lines that say done and nothing else, which it tells a channel.
type doneFilter struct {
	to     io.Writer
	done   chan<- struct{}
	held   []byte // the beginning of a line that may become such a one
	within bool   // of a line that is another
}

func (f *doneFilter) Write(text []byte) (int, error) {
	for rest := text; len(rest) > 0; {
		piece, ends := rest, false
		if i := bytes.IndexByte(rest, '\n'); i >= 0 {
			piece, ends = rest[:i+1], true
		}
		rest = rest[len(piece):]
		if !f.within {
			f.held = append(f.held, piece...)
			switch {
			case ends && string(bytes.TrimRight(f.held, "\r\n")) == "done":
				f.held = nil
				select {
				case f.done <- struct{}{}:
				default: // one that nobody has seen yet is as good
				}
				continue
			case !ends && bytes.HasPrefix([]byte("done\r"), f.held):
				continue
			}
			piece, f.held = f.held, nil
		}
		if _, err := f.to.Write(piece); err != nil {
			return 0, err
		}
		f.within = !ends
	}
	return len(text), nil
}

// flush passes on what is held when there is no more.
func (f *doneFilter) flush() { _, _ = f.to.Write(f.held) }

// reason is the cause of an error that names a file and an operation besides.
func reason(err error) error {
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	return err
}
