package study

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sdref/cmd/ref/internal/cli"
	"sdref/cmd/ref/internal/cli/clitest"
	"sdref/csc"
	"sdref/csc/spectrum"
	"sdref/sdnet"
)

// cells returns the lines of the table whose first line has the word, cut into fields.
func cells(t *testing.T, text, word string) (rows [][]string) {
	t.Helper()
	_, table, found := strings.Cut(text, word)
	if !found {
		t.Fatalf("no %q in\n%s", word, text)
	}
	for i, line := range strings.Split(table, "\n") {
		if i > 0 && strings.TrimSpace(line) == "" {
			break
		}
		if i > 0 {
			rows = append(rows, strings.Fields(line))
		}
	}
	return rows
}

func marked(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(strings.Trim(s, "*+"), 64)
	if err != nil {
		t.Errorf("no number: %q", s)
	}
	return v
}

// TestSpectrum reads the bounds of an initial network's layers: power iteration, Ritz value and bound in
// order, t as published.
func TestSpectrum(t *testing.T) {
	r := ref.Works(t, []string{"spectrum", "-net", "sdnet8_all_narrow", "-images", "0", "-vectors", "40"},
		"sdnet8_all_narrow for cifar10 with initial weights, seed 1",
		"proven for 7 of 7 layers, refuted for 0, open for 0")
	rows := cells(t, r.Out, "t < 1/lambda_max")
	if len(rows) != 7 || strings.Contains(r.Out, "codes of") {
		t.Fatalf("%d layers:\n%s", len(rows), r.Out)
	}
	for _, row := range rows {
		power, ritz, bound, step := marked(t, row[2]), marked(t, row[3]), marked(t, row[5]), marked(t, row[7])
		if !(power <= ritz*1.001 && ritz <= bound && bound < 1.2*ritz) {
			t.Errorf("%s: power %g, Ritz %g, bound %g", row[0], power, ritz, bound)
		}
		if math.Abs(step*power-0.9) > 1e-3 || math.Abs(marked(t, row[8])-step*ritz) > 1e-3 ||
			math.Abs(marked(t, row[9])-step*bound) > 1e-3 || row[10] != "proven" {
			t.Errorf("%s: t %g, %v", row[0], step, row[7:])
		}
	}
}

// TestSpectrumOfSteps reads the codes and objectives: up to 1/lambda_max no step raises the objective.
func TestSpectrumOfSteps(t *testing.T) {
	r := ref.Works(t, []string{"spectrum", "-net", "sdnet8_narrow", "-data", clitest.CIFAR10(t), "-images",
		"1", "-iterations", "4"},
		"objective F(z_k) of layer0.0.dn on 1 images of CIFAR-10 test",
		"the least F is proven to lie between", "descends")
	for _, row := range cells(t, r.Out, "nonzeros'") {
		if row[1] != "2" || !(marked(t, row[4]) > 0 && marked(t, row[4]) < 0.05) {
			t.Errorf("codes: %v", row)
		}
	}
	objective := cells(t, r.Out, "outcome")
	if len(objective) != 3*(1+len(stepShares)) {
		t.Fatalf("%d lines of objectives", len(objective))
	}
	for i, row := range objective {
		if name := []string{"ista", "fista", "published"}[i%3]; row[1] != name {
			t.Errorf("line %d is of %s, want %s", i, row[1], name)
		}
		first, last := marked(t, row[2]), marked(t, row[4]) // k = 1 and 4
		if marked(t, row[0]) <= 1.0001 && (!(last < first) || row[5] != "0") {
			t.Errorf("t lambda_max = %s, %s: from %g to %g, %s rises", row[0], row[1], first, last, row[5])
		}
	}
}

// TestSpectrumOfThePretrainedStem: on the stem of a trained network the certified bound is within 1 % of the
// Ritz value.
func TestSpectrumOfThePretrainedStem(t *testing.T) {
	r := ref.Works(t, []string{"spectrum", "-images", "0"},
		"sdnet8_slim for cifar10 from pretrained:sdnet8_slim")
	row := cells(t, r.Out, "t < 1/lambda_max")[0]
	if ritz, bound := marked(t, row[3]), marked(t, row[5]); !(bound >= ritz && bound < 1.01*ritz) ||
		row[10] != "proven" {
		t.Errorf("%v", row)
	}
}

// TestSpectrumConclusions: proven below the bound, refuted above the Ritz value, open between.
func TestSpectrumConclusions(t *testing.T) {
	for want, step := range map[string]float64{"proven": 0.099, "open": 0.11, "refuted": 0.13} {
		l := csc.NewLayer[float64](2, 1, 3, 8, 8, csc.Settings{Iterations: 1})
		l.StepSize.Data[0] = step
		s := layerSpectrum{CSC: &sdnet.CSC[float64]{Layer: l}, ritz: spectrum.Ritz{Value: 8},
			bound: spectrum.Bound{Value: 10}}
		if got := s.conclusion(); got != want || s.certified() != 0.09 {
			t.Errorf("t = %g between 1/10 and 1/8: %s, want %s; certified %g", step, got, want, s.certified())
		}
	}
	if got := shownIterations(20); !slices.Equal(got, []int{1, 2, 5, 10, 20}) {
		t.Errorf("shown: %v", got)
	}
	if got := shownIterations(1); !slices.Equal(got, []int{1}) {
		t.Errorf("shown of one: %v", got)
	}
}

func TestSpectrumRefuses(t *testing.T) {
	folder := t.TempDir()
	truncated := filepath.Join(folder, "truncated.safetensors")
	clitest.Put(t, truncated, []byte("\x40\x00\x00\x00\x00\x00\x00\x00{\"__meta"))
	for _, c := range []struct {
		args []string
		says []string
	}{
		{[]string{"-checkpoint", filepath.Join(folder, "nothing")}, []string{"nothing"}},
		{[]string{"-checkpoint", truncated}, []string{"truncated.safetensors"}},
		{[]string{"-checkpoint", "pretrained:other"}, []string{"other", "sdnet8_slim"}},
		{[]string{"-net", "sdnet19"}, []string{"sdnet19", "sdnet18_all"}},
		{[]string{"-net", "resnet8_narrow"}, []string{"no CSC layer"}},
		{[]string{"-net", "sdnet8_narrow", "-layer", "layer9"}, []string{"-layer", "layer9", "layer0.0.dn"}},
		{[]string{"-net", "sdnet8_narrow", "-checkpoint", truncated}, []string{"-net and -checkpoint"}},
		{[]string{"-vectors", "0"}, []string{"-vectors: 0"}},
		{[]string{"-images", "-1"}, []string{"-images: -1"}},
		{[]string{"-iterations", "0"}, []string{"-iterations: 0"}},
		{[]string{"-data", folder}, []string{"CIFAR-10"}},
		{[]string{"-data", clitest.CIFAR10(t), "-images", "5"}, []string{"-images: 5 of 4"}},
	} {
		ref.Call(t, append([]string{"spectrum"}, c.args...)...).Refused(t, c.says...)
	}
	if _, err := os.Stat(truncated); err != nil {
		t.Error(err)
	}
}

// TestSpectrumStops: a cancelled context ends it after the tables so far.
func TestSpectrumStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	r := ref.CallWith(t, ctx, clitest.CancelAt("objective F(z_k)", cancel), "spectrum", "-net",
		"sdnet8_narrow", "-data", clitest.CIFAR10(t), "-images", "1", "-iterations", "1000")
	if r.Status != cli.ExitInterrupted || !strings.Contains(r.Out, "proven for 1 of 1") ||
		strings.Contains(r.Out, "the least F") {
		t.Errorf("status %d:\n%s", r.Status, r.Out)
	}
	cancelled, now := context.WithCancel(context.Background())
	now()
	if r := ref.CallWith(t, cancelled, nil, "spectrum", "-net", "sdnet8_narrow", "-images",
		"0"); r.Status != cli.ExitInterrupted {
		t.Errorf("status %d", r.Status)
	}
}
