//go:build unix

package trial

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestFIFOs: a FIFO, whose opening waits for a writer, is refused at once.
func TestFIFOs(t *testing.T) {
	e := small("a")
	dir := written(t, e)
	within(t, syscall.Mkfifo(filepath.Join(dir, "backend.json"), 0o666),
		syscall.Mkfifo(filepath.Join(dir, "a", "outputs", "y.npy"), 0o666))
	if _, err := ReadDeclaration(dir); err == nil || !strings.Contains(err.Error(),
		"backend.json: a FIFO, want a regular file") {
		t.Errorf("backend.json: %v", err)
	}
	if y := ReadAnswers(dir, e)["y"]; y == nil || y.Err == nil ||
		!strings.Contains(y.Err.Error(), "y.npy: a FIFO") {
		t.Errorf("an answer: %+v", y)
	}
	outputs := filepath.Join(dir, "a", "outputs")
	within(t, os.RemoveAll(outputs), syscall.Mkfifo(outputs, 0o666))
	if a := ReadAnswers(dir, e)["outputs"]; a == nil || a.Err == nil {
		t.Error("a FIFO in the folder's place was not reported")
	}
}

// TestLimitEndsChildren: the limit ends the whole process group, and so does the end of the command.
func TestLimitEndsChildren(t *testing.T) {
	for what, script := range map[string]string{
		"the limit":  `sleep 600 & echo $! > "$1/pid"; sleep 600`,
		"a good end": `sleep 600 & echo $! > "$1/pid"`,
	} {
		dir := t.TempDir()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		start := time.Now()
		err := RunCommand(ctx, dir, []string{"/bin/sh", "-c", script, "x"}, new(bytes.Buffer))
		cancel()
		if (err == nil) != (what == "a good end") {
			t.Errorf("%s: %v", what, err)
		}
		text, _ := os.ReadFile(filepath.Join(dir, "pid"))
		pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
		if err != nil {
			t.Fatalf("%s: no child was started: %v", what, err)
		}
		if !ended(pid) {
			t.Errorf("%s: the child is alive after %v", what, time.Since(start))
		}
	}
}

// ended waits until a process is gone, or is left as an entry that its parent has not read, for some seconds.
func ended(pid int) bool {
	for range 100 {
		state, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
		if syscall.Kill(pid, 0) != nil || err == nil && strings.Contains(string(state), ") Z ") {
			return true
		}
		time.Sleep(50 * time.Millisecond)
	}
	return false
}
