package clitest

import (
	"fmt"
	"slices"
	"testing"

	"sdref/cmd/ref/internal/cli"
	"sdref/internal/tfevents"
)

// Short are the arguments of a run of 2 epochs of 3 steps on the images of CIFAR10.
func Short(data, out string, more ...string) []string {
	return append([]string{"train", "-net", "sdnet8_narrow", "-epochs", "2", "-batch", "4", "-data", data, "-out", out}, more...)
}

// SameRun fails unless two folders hold the same run, to the byte.
func SameRun(t testing.TB, got, want string) {
	t.Helper()
	for _, path := range []func(string) string{cli.CheckpointIn, cli.EpochsIn, cli.StepsIn} {
		if Content(t, path(got)) != Content(t, path(want)) {
			t.Errorf("%s and %s differ", path(got), path(want))
		}
	}
	if a, b := scalars(t, got), scalars(t, want); !slices.Equal(a, b) {
		t.Errorf("%s and %s differ", cli.EventsIn(got), cli.EventsIn(want))
	}
}

// scalars are the lines of a run's file for TensorBoard, without the times.
func scalars(t testing.TB, folder string) (lines []string) {
	t.Helper()
	events, err := tfevents.Read(cli.EventsIn(folder))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		for _, s := range e.Scalars {
			lines = append(lines, fmt.Sprint(e.Step, s.Tag, s.Value))
		}
	}
	return lines
}
