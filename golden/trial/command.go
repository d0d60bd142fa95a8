package trial

import (
	"context"
	"errors"
	"fmt"
	"io"
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
		err := RunCommand(limited, dir, command, log)
		var stopped error
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
			stopped, err = &StoppedError{fmt.Errorf("not done after %s", limit)}, nil
		}
		if err != nil {
			return Declaration{}, nil, err
		}
		d, err := ReadDeclaration(dir)
		if err != nil && stopped != nil {
			err = &StoppedError{fmt.Errorf("not done after %s; %w", limit, err)}
		}
		if err != nil {
			return d, nil, err
		}
		return d, func(r Request) (judge.Answers, error) { return ReadAnswers(dir, r), nil }, stopped
	}
}
