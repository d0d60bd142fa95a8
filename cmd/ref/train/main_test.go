package main

import (
	"os"
	"path/filepath"
	"testing"

	"sdref/cmd/ref/internal/cli"
	"sdref/cmd/ref/internal/cli/clitest"
)

// The program trains like ref train, and draws nothing.
func TestTrain(t *testing.T) {
	out := t.TempDir()
	clitest.Program(verbs).Works(t, clitest.Short(clitest.CIFAR10(t), out), "epoch 2: ", "CIFAR-10 test: top-1", "what to try next")
	for path, want := range map[string]bool{cli.CheckpointIn(out): true, cli.EpochsIn(out): true, filepath.Join(out, "loss.png"): false} {
		if _, err := os.Stat(path); (err == nil) != want {
			t.Errorf("%s: %v", path, err)
		}
	}
}
