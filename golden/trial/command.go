package trial

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"sdref/golden/judge"
)

// Command is the client that starts a command once, with the folder dir as its last argument, and reads its
// files. dir is made, and must be empty if it exists. What the command prints goes to log. After the limit,
// if it is not 0, the command is stopped, and its answers are what it had written by then.
func Command(dir string, command []string, limit time.Duration, log io.Writer) Client {
	return func(ctx context.Context, requests []Request) (Declaration, func(Request) (judge.Answers, error),
		error) {
		if err := WriteRequests(dir, requests); err != nil {
			return Declaration{}, nil, err
		}
		limited, cancel := ctx, func() {}
		if limit > 0 {
			limited, cancel = context.WithTimeout(ctx, limit)
		}
		defer cancel()
		return readFolder(ctx, dir, limit, RunCommand(limited, dir, command, log),
			func() (Declaration, error) { return ReadDeclaration(dir) })
	}
}

// readFolder reads what a backend declares and answers in a folder. err is how it ended: a backend that was
// stopped after the limit is a StoppedError, and any other error is returned.
func readFolder(ctx context.Context, dir string, limit time.Duration, err error,
	declared func() (Declaration, error)) (d Declaration, answers func(Request) (judge.Answers, error),
	stopped error) {
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		stopped, err = &StoppedError{fmt.Errorf("not done after %s", limit)}, nil
	}
	if err != nil {
		return Declaration{}, nil, err
	}
	d, err = declared()
	if err != nil && stopped != nil {
		err = &StoppedError{fmt.Errorf("not done after %s; %w", limit, err)}
	}
	if err != nil {
		return d, nil, err
	}
	return d, func(r Request) (judge.Answers, error) { return ReadAnswers(dir, r), nil }, stopped
}

// BrokeDown tells whether a backend failed to get through the cases that it was asked: it was stopped, it
// crashed, or it ended before it was done.
func BrokeDown(err error) bool {
	var stopped *StoppedError
	var exit *exec.ExitError
	return errors.As(err, &stopped) || errors.As(err, &exit) || errors.Is(err, errNotDone)
}

// Rounds is a command that is asked round after round, each in a folder of its own. It is started once a
// round, or once for all if its declaration says that it reads folders from standard input.
type Rounds struct {
	Dir     string // where the folders are made, 1, 2, ...
	Keep    bool   // they stay; otherwise a round's folder is removed when the next one begins
	Command []string
	Limit   time.Duration // for each round; 0: none
	Log     io.Writer     // to which goes what the command prints

	round   int
	process *process    // that waits for a folder, if there is one
	said    Declaration // by it
}

// Client is the client of one round: method Client of the same Rounds is that of the next one.
func (r *Rounds) Client(ctx context.Context, requests []Request) (Declaration,
	func(Request) (judge.Answers, error), error) {
	r.clear()
	r.round++
	dir := r.folder()
	if err := WriteRequests(dir, requests); err != nil {
		return Declaration{}, nil, err
	}
	limited, cancel := ctx, func() {}
	if r.Limit > 0 {
		limited, cancel = context.WithTimeout(ctx, r.Limit)
	}
	defer cancel()
	if r.process != nil {
		err := r.process.ask(limited, dir)
		if err != nil {
			r.process = nil
		}
		if !errors.Is(err, errGone) {
			return readFolder(ctx, dir, r.Limit, err, func() (Declaration, error) { return r.said, nil })
		}
	}
	p, err := startProcess(dir, r.Command, r.Log, true)
	if err != nil {
		return Declaration{}, nil, err
	}
	for {
		ended, err := p.wait(limited)
		if ended {
			return readFolder(ctx, dir, r.Limit, err, func() (Declaration, error) { return ReadDeclaration(dir) })
		}
		// without the declaration such a line means nothing
		if d, err := ReadDeclaration(dir); err == nil && d.Folders == Stdin {
			r.process, r.said = p, d
			return d, func(q Request) (judge.Answers, error) { return ReadAnswers(dir, q), nil }, nil
		}
	}
}

func (r *Rounds) folder() string { return filepath.Join(r.Dir, strconv.Itoa(r.round)) }

// clear removes the folder of the last round.
func (r *Rounds) clear() {
	if r.round > 0 && !r.Keep {
		_ = os.RemoveAll(r.folder()) // what cannot be removed is no matter of the judge
	}
}

// Close ends the command, if it waits for another folder, and removes what is left of the last round.
func (r *Rounds) Close() {
	if r.process != nil {
		r.process.close(stopTimeout)
		r.process = nil
	}
	r.clear()
}
