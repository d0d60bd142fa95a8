package measure

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"sdref/cmd/ref/internal/cli"
	"sdref/cmd/ref/internal/cli/clitest"
)

// The rows of the table, by name and number of parameters, without measuring anything.
func TestTableRows(t *testing.T) {
	r := ref.Works(t, []string{"table", "-unmeasured"})
	for _, want := range []string{
		"cifar10 sdnet18 11,173,962 95.34 - 32", "cifar10 sdnet34_all 21,282,122 - - 32",
		"cifar100 sdnet18_all 11,220,132 77.89 - 32",
		"imagenet sdnet18 11,689,512 69.78 - 8", "imagenet sdnet18_all 11,726,376 - - 8",
	} {
		if !strings.Contains(strings.Join(strings.Fields(r.Out), " "), want) {
			t.Errorf("no row %q in\n%s", want, r.Out)
		}
	}
	if n := strings.Count(r.Out, "\n"); n != 3+12 {
		t.Errorf("%d lines", n)
	}
}

// The accuracy of a checkpoint is in its network's row, and is that of ref eval.
func TestTableAccuracy(t *testing.T) {
	data, run, files := clitest.CIFAR10(t), t.TempDir(), t.TempDir()
	ref.Works(t, clitest.Short(data, run))
	args := []string{"table", "-unmeasured", "-net", "sdnet18", "-sets", "cifar10", "-checkpoint",
		cli.CheckpointIn(run), "-data", data,
		"-json", filepath.Join(files, "table.json"), "-csv", filepath.Join(files, "table.csv")}
	ref.Works(t, args)
	var report tableReport
	if err := json.Unmarshal([]byte(clitest.Content(t, filepath.Join(files, "table.json"))),
		&report); err != nil {
		t.Fatal(err)
	}
	if len(report.Rows) != 2 || report.Rows[0].Images != 0 || report.Rows[1].Network != "sdnet8_narrow" ||
		report.Rows[1].Images != 4 || report.CPU == "" {
		t.Fatalf("%+v", report)
	}
	eval := ref.Works(t, []string{"eval", "-checkpoint", cli.CheckpointIn(run), "-data", data})
	eval.Says(t, "top-1 "+known("%.2f", report.Rows[1].Accuracy, "0.00")+" %")
	rows, err := csv.NewReader(strings.NewReader(clitest.Content(t,
		filepath.Join(files, "table.csv")))).ReadAll()
	if err != nil || len(rows) != 3 || rows[2][1] != "sdnet8_narrow" || rows[2][5] != "4" ||
		rows[1][5] != "" {
		t.Errorf("%v, %v", rows, err)
	}
	ref.Call(t, "table", "-unmeasured", "-checkpoint", cli.CheckpointIn(run), "-data",
		clitest.CIFAR100(t)).Refused(t, cli.CheckpointIn(run), "cifar10", "cifar100")
}

// A job measures in this process; ref table runs it in another one.
func TestTableJob(t *testing.T) {
	for _, job := range []string{"train/sdnet8_narrow/shapes", "predict/sdnet8_all_narrow/cifar10"} {
		var s speed
		if err := json.Unmarshal([]byte(ref.Works(t,
			[]string{"table", "-job", job, "-quick", "-batch", "2"}).Out), &s); err != nil ||
			!(s.ImagesPerSec > 0) {
			t.Errorf("%s: %+v, %v", job, s, err)
		}
	}
	ref.Call(t, "table", "-job", "bake/sdnet18/cifar10").Refused(t, "-job", "bake")
	ref.Call(t, "table", "-job", "train/sdnet19/cifar10").Refused(t, "sdnet19")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if r := ref.CallWith(t, ctx, nil, "table", "-net", "sdnet8_narrow", "-sets",
		"cifar10"); r.Status != cli.ExitInterrupted || r.Out != "" {
		t.Errorf("cancelled: status %d, %q", r.Status, r.Out)
	}
}

func TestRatios(t *testing.T) {
	row := func(net, data string, memory, images float64) tableRow {
		return tableRow{Network: net, Data: data, Train: speed{PeakRSS: memory, ImagesPerSec: images}}
	}
	got := ratios([]tableRow{row("sdnet18", "cifar10", 100, 30), row("sdnet18_all", "cifar10", 250, 10),
		row("sdnet18_all", "cifar100", 9, 9),
		row("sdnet34", "cifar10", 0, 0), row("sdnet34_all", "cifar10", 5, 5),
		row("resnet18", "cifar10", 1, 1)})
	if len(got) != 1 || got[0].All != "sdnet18_all" || got[0].Data != "cifar10" ||
		math.Abs(got[0].Memory-2.5) > 1e-15 || math.Abs(got[0].Time-3) > 1e-15 {
		t.Errorf("%+v", got)
	}
}
