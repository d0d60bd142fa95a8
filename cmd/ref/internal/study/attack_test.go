package study

import (
	"encoding/csv"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sdref/cmd/ref/internal/cli"
	"sdref/cmd/ref/internal/cli/clitest"
)

// The output and the files of the command: without an attack the count is that of ref eval, and a larger
// epsilon leaves no more images. With -short in one of the two norms.
func TestAttack(t *testing.T) {
	data := clitest.CIFAR10(t)
	run := narrow(t, data)
	norms := []string{"linf", "l2"}
	if testing.Short() {
		norms = norms[:1]
	}
	for _, norm := range norms {
		out := filepath.Join(t.TempDir(), "new")
		r := ref.Call(t, slim("attack", data, "-norm", norm, "-steps", "3", "-lambdas", "0.4,0.8", "-beside",
			run, "-out", out)...)
		if r.Status > cli.ExitFailed || r.Err != "" { // the checks of so few images may fail
			t.Fatalf("status %d, %s", r.Status, r.Err)
		}
		r.Says(t, "4 images of CIFAR-10 test, "+norm+" attack of 3 steps", "sdnet8_slim with lambda 0.4",
			"sdnet8_slim with lambda 0.8", "sdnet8_narrow", "images made for sdnet8_slim:",
			"images made for sdnet8_narrow:", "is the attack on sdnet8_slim one?")
		report := decode[attackReport](t, filepath.Join(out, "attack.json"))
		epsilons := map[string]int{"linf": 6, "l2": 5}[norm]
		if len(report.Networks) != 4 || len(report.Transfer) != 6 || len(report.Checks) != 4+6 ||
			len(report.Epsilons) != epsilons {
			t.Fatalf("%+v", report)
		}
		ref.Works(t, []string{"eval", "-checkpoint", "pretrained:sdnet8_slim", "-data", data},
			fmt.Sprintf("top-1 %.2f %%", 25*float64(report.Networks[0].Correct[0])))
		ref.Works(t, []string{"eval", "-checkpoint", run, "-data", data},
			fmt.Sprintf("top-1 %.2f %%", 25*float64(report.Networks[3].Correct[0])))
		for _, c := range report.Networks {
			down := slices.Clone(c.Correct)
			slices.SortFunc(down, func(a, b int) int { return b - a })
			if len(down) != epsilons || !slices.Equal(down, c.Correct) {
				t.Errorf("%s: %v", c.Name, c.Correct)
			}
		}
		rows, err := csv.NewReader(strings.NewReader(clitest.Content(t,
			filepath.Join(out, "attack-"+norm+".csv")))).ReadAll()
		if err != nil || len(rows) != 1+10*epsilons {
			t.Errorf("%d lines of CSV, %v", len(rows), err)
		}
	}
}

// A network that is compared with itself gives the same answers until it is attacked. The checks of the
// attack succeed: exit status 0.
func TestAttackOnDrawnImages(t *testing.T) {
	if testing.Short() {
		t.Skip("draws 12,000 images")
	}
	out := t.TempDir()
	ref.Works(t, []string{"attack", "-images", "8", "-steps", "5", "-epsilons", "0.25,1", "-out", out},
		"no accuracy, since these are none of the classes of cifar10",
		"right answers in %", "0/255  100.0 +- 0.0", "1/255", "yes  gradients are there: 0 of 8",
		"nothing withstands everything: epsilon 0.5: 0 images")
	if c := decode[attackReport](t, filepath.Join(out, "attack.json")).Networks[0].Correct; c[0] != 8 ||
		c[2] == 8 {
		t.Errorf("answers that stay: %v of 8", c)
	}
}

// A network that only seems to be robust: its stem's codes are zero, so its answer and its gradient are
// always the same.
func TestAttackChecksItself(t *testing.T) {
	data := clitest.CIFAR10(t)
	run := narrow(t, data, "-lambda", "1000", "-stop", "1")
	r := ref.Call(t, "attack", "-checkpoint", run, "-data", data, "-images", "4", "-steps", "2")
	if r.Status != cli.ExitFailed || r.Err != "" {
		t.Errorf("status %d, want %d; %s", r.Status, cli.ExitFailed, r.Err)
	}
	r.Says(t, "NO   gradients are there: 4 of 4")
	if quiet := ref.Works(t, []string{"attack", "-checkpoint", run, "-data", data, "-images", "4", "-steps",
		"2", "-checks=false"}); strings.Contains(quiet.Out, "gradients") {
		t.Error("checked although it should not be")
	}
}
