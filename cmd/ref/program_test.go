package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"sdref/cmd/ref/internal/cli"
	"sdref/cmd/ref/internal/cli/clitest"
	"sdref/tensor/npy"
)

// The program itself, as a process: signals, exit statuses, the environment, a disk that is full.
func TestProgram(t *testing.T) {
	if testing.Short() || runtime.GOOS == "windows" {
		t.Skip("builds the program and sends it signals")
	}
	program := filepath.Join(t.TempDir(), "ref")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Skipf("cannot build: %v: %s", err, out)
	}
	if err := exec.Command(program, "cpu").Run(); err != nil {
		t.Skipf("cannot run what was built: %v", err)
	}
	t.Run("statuses", func(t *testing.T) { statuses(t, program) })
	t.Run("environment", func(t *testing.T) { environment(t, program) })
	t.Run("interrupt", func(t *testing.T) { interrupt(t, program, os.Interrupt) })
	t.Run("terminate", func(t *testing.T) { interrupt(t, program, syscall.SIGTERM) })
	t.Run("killed", func(t *testing.T) { killed(t, program) })
	t.Run("bench", func(t *testing.T) { benchFile(t, program) })
	t.Run("full disk", func(t *testing.T) { fullDisk(t, program) })
}

// call runs the command to its end.
func callProgram(t *testing.T, command *exec.Cmd) clitest.Result {
	t.Helper()
	var out, err bytes.Buffer
	command.Stdout, command.Stderr = &out, &err
	if failed := command.Run(); failed != nil && !errors.As(failed, new(*exec.ExitError)) {
		t.Fatal(failed)
	}
	return clitest.Result{Args: command.Args, Status: command.ProcessState.ExitCode(), Out: out.String(), Err: err.String()}
}

func statuses(t *testing.T, program string) {
	if r := callProgram(t, exec.Command(program, "describe")); r.Status != 0 || r.Err != "" {
		t.Errorf("status %d, %q", r.Status, r.Err)
	}
	certify := []string{"certify", "-lambda", "1", "-tolerance", "0"}
	folder := t.TempDir()
	for name, value := range map[string]float64{"x": 3, "w": 1, "z": 1} { // the solution is 2
		path := filepath.Join(folder, name+".npy")
		if err := npy.Write(path, npy.Array{Shape: []int{1, 1}, DType: "float64", Data: []float64{value}}); err != nil {
			t.Fatal(err)
		}
		certify = append(certify, "-"+name, path)
	}
	if r := callProgram(t, exec.Command(program, certify...)); r.Status != cli.ExitFailed || r.Err != "" {
		t.Errorf("status %d, %q", r.Status, r.Err)
	}
	callProgram(t, exec.Command(program, "check")).Refused(t, "-vectors")
}

func environment(t *testing.T, program string) {
	with := func(value string) clitest.Result {
		command := exec.Command(program, "cpu")
		command.Env = append(os.Environ(), "SDREF_KERNEL="+value)
		return callProgram(t, command)
	}
	with("generic").Says(t, "kernel generic,")
	with("unfused").Says(t, "kernel unfused (bits of its own),")
	with("sse9").Refused(t, "SDREF_KERNEL", `"sse9"`, "generic", "unfused")
}

// interrupt stops a run by a signal. What was saved is what ref train -stop saves at that step.
func interrupt(t *testing.T, program string, signal os.Signal) {
	data, out, other := clitest.CIFAR10(t), t.TempDir(), t.TempDir()
	command := exec.Command(program, clitest.Short(data, out, "-epochs", "100000")...)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	pipe, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	stopped, sent := "", false
	for lines := bufio.NewScanner(pipe); lines.Scan(); {
		if line := lines.Text(); !sent && strings.HasPrefix(line, "epoch 1:") {
			sent = true
			if err := command.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
		} else if match := regexp.MustCompile("^stopped after step ([0-9]+) and saved").FindStringSubmatch(line); match != nil {
			stopped = match[1]
		}
	}
	err = command.Wait()
	if status := command.ProcessState.ExitCode(); status != cli.ExitInterrupted || stopped == "" || strings.Contains(stderr.String(), "goroutine") {
		t.Fatalf("%v, status %d, stopped at %q: %s", err, status, stopped, &stderr)
	}
	ref.Works(t, clitest.Short(data, other, "-epochs", "100000", "-stop", stopped))
	clitest.SameRun(t, out, other)
}

// fullDisk resumes a run where no file may grow beyond a few blocks, which is smaller than a checkpoint.
func fullDisk(t *testing.T, program string) {
	data, out := clitest.CIFAR10(t), t.TempDir()
	ref.Works(t, clitest.Short(data, out, "-stop", "2"))
	before := clitest.Content(t, cli.CheckpointIn(out))
	limited := func(args ...string) *exec.Cmd {
		return exec.Command("sh", append([]string{"-c", `ulimit -f 64 && exec "$0" "$@"`, program}, args...)...)
	}
	if r := callProgram(t, limited("cpu")); r.Status != 0 {
		t.Skipf("no limit on files here: %s", r.Err)
	}
	callProgram(t, limited("train", "-resume", out, "-data", data)).Refused(t, "saving the run", cli.CheckpointIn(out), "too large", "still there")
	if clitest.Content(t, cli.CheckpointIn(out)) != before {
		t.Error("the old checkpoint was touched")
	}
	ref.Works(t, []string{"eval", "-checkpoint", cli.CheckpointIn(out), "-data", data})
	fresh := filepath.Join(t.TempDir(), "fresh")
	callProgram(t, limited(clitest.Short(data, fresh)...)).Refused(t, "saving the run", cli.CheckpointIn(fresh))
	left, err := os.ReadDir(fresh)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", fmt.Sprint(left), err)
	}
}
