package trial

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"time"
)

// patience is how long a backend that was told to stop may take.
const patience = 5 * time.Second

// RunCommand starts the command with the folder as its last argument and waits for its end. What the command prints goes to log.
func RunCommand(ctx context.Context, dir string, command []string, log io.Writer) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, command[0], append(command[1:len(command):len(command)], dir)...)
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = log, log, patience
	err = cmd.Run()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return fmt.Errorf("%s: %w", command[0], err)
	}
	return err
}
