package main

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"sdref/cmd/ref/internal/cli"
	"sdref/cmd/ref/internal/cli/clitest"
	"sdref/sdnet/training"
	"sdref/tensor/safetensors"
)

// kills is how many times killed kills the program, at least.
const kills = 20

// killed kills runs at moments nobody chose, by a signal that cannot be caught. Each leaves a checkpoint that goes on, and what it ends in is,
// to the byte, the run that nobody killed: weights, optimiser, tables, and TensorBoard's file but for the times.
func killed(t *testing.T, program string) {
	data, whole := clitest.CIFAR10(t), t.TempDir()
	settings := func(out string) []string {
		return clitest.Short(data, out, "-epochs", "12", "-holdout", "2", "-save", "1ms")
	}
	begin := time.Now()
	if r := callProgram(t, exec.Command(program, settings(whole)...)); r.Status != 0 {
		t.Fatal(r.Err)
	}
	alone := time.Since(begin)
	seed := uint64(begin.UnixNano())
	moments := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d; a run alone takes %v", seed, alone)
	for count, runs := 0, 0; count < kills; runs++ {
		if runs > kills {
			t.Fatalf("%d runs and only %d kills", runs, count)
		}
		out, again := t.TempDir(), false
		for {
			args := settings(out)
			if again {
				args = []string{"train", "-resume", out, "-data", data, "-save", "1ms"}
			}
			command := exec.Command(program, args...)
			if err := command.Start(); err != nil {
				t.Fatal(err)
			}
			timer := time.AfterFunc(time.Duration(moments.Int64N(int64(alone/3))), func() { command.Process.Kill() })
			err := command.Wait()
			timer.Stop()
			if err == nil {
				break
			}
			if status := command.ProcessState.ExitCode(); status >= 0 {
				t.Fatalf("after %d kills: status %d", count, status)
			}
			count++
			again = survives(t, out, data, again)
		}
		clitest.SameRun(t, out, whole)
		if files, err := os.ReadDir(out); err != nil || len(files) != 7 { // checkpoint, three logs, two pictures, call.json
			t.Errorf("left behind: %v, %v", files, err)
		}
	}
}

// survives checks the checkpoint in the folder of a run that was killed and tells whether there is one, as there must be once there was.
func survives(t *testing.T, out, data string, must bool) bool {
	t.Helper()
	if _, err := os.Stat(cli.CheckpointIn(out)); os.IsNotExist(err) && !must {
		return false
	}
	f, err := safetensors.Read(cli.CheckpointIn(out))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := training.Resume[float32](f, clitest.Open(t, data)); err != nil {
		t.Fatal(err)
	}
	return true
}
