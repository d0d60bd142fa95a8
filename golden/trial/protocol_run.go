package trial

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// stopTimeout is how long a command's output may be waited for after its end.
const stopTimeout = 2 * time.Second

// RunCommand starts the command with the folder as its last argument and waits for its end. What the command
// prints goes to log. Where the system has process groups, the command gets one of its own, and whatever is
// left of it is ended with the command: when the command has ended, or when ctx is done.
func RunCommand(ctx context.Context, dir string, command []string, log io.Writer) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	output, end, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("%s: %w", Printable(command[0]), reason(err))
	}
	defer output.Close()
	cmd := exec.CommandContext(ctx, command[0], append(command[1:len(command):len(command)], dir)...)
	cmd.Stdout, cmd.Stderr = end, end
	ownGroup(cmd)
	err = cmd.Start()
	end.Close()
	if err != nil {
		return fmt.Errorf("%s: %w", Printable(command[0]), reason(err))
	}
	copied := make(chan struct{})
	go func() {
		_, _ = io.Copy(log, output) // that what the command prints cannot be shown is no matter of the judge
		close(copied)
	}()
	err = cmd.Wait()
	endGroup(cmd)
	select {
	case <-copied:
	case <-time.After(stopTimeout): // a child outside of the group holds the output open
		output.Close()
		<-copied
	}
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return fmt.Errorf("%s: %w", Printable(command[0]), err)
	}
	return err
}

// reason is the cause of an error that names a file and an operation besides.
func reason(err error) error {
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	return err
}
