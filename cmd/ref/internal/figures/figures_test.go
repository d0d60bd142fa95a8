package figures

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/csv"
	"encoding/xml"
	"fmt"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"sdref/cmd/ref/internal/cli"
	"sdref/cmd/ref/internal/cli/clitest"
	"sdref/sdnet/training"
	"sdref/tensor/safetensors"
)

// table reads a figure's CSV file without its header.
func table(t *testing.T, folder, name string) [][]string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(clitest.Content(t,
		filepath.Join(folder, name+".csv")))).ReadAll()
	if err != nil || len(rows) < 2 {
		t.Fatalf("%s: %d rows, %v", name, len(rows), err)
	}
	return rows[1:]
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// names of all figures of a network that can be inverted.
var allFigures = []string{"figure-C1", "figure-B1", "figure-B1-stretched", "figure-B1-contrast", "figure-D1",
	"figure-D1-layers", "training-loss", "training-accuracy",
	"fista-objective", "fista-step", "power", "spectrum", "singular-values"}

// All figures of a trained network that can be inverted: the files, their numbers and the page; a second call,
// which -short leaves out, gives the same bytes.
func TestFigures(t *testing.T) {
	data, run, out, again := clitest.CIFAR10(t), t.TempDir(), t.TempDir(), t.TempDir()
	ref.Works(t, clitest.Short(data, run, "-net", "sdnet8_all_narrow_noshortcut", "-epochs", "1"))
	args := func(out string) []string {
		return []string{"figures", "-checkpoint", cli.CheckpointIn(run), "-data", data, "-show", "3", "-out",
			out}
	}
	ref.Works(t, args(out), "figure-C1.png: 16 atoms of 3 x 3", "report: "+filepath.Join(out, "report.html"))
	if testing.Short() {
		again = out
	} else {
		ref.Works(t, args(again))
	}
	for _, name := range allFigures {
		picture := clitest.Content(t, filepath.Join(out, name+".png"))
		if _, err := png.Decode(strings.NewReader(picture)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := xml.Unmarshal([]byte(clitest.Content(t, filepath.Join(out, name+".svg"))),
			new(struct{})); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, extension := range []string{".png", ".svg", ".csv"} {
			if clitest.Content(t, filepath.Join(out, name+extension)) != clitest.Content(t,
				filepath.Join(again, name+extension)) {
				t.Errorf("%s%s: drawn again, other bytes", name, extension)
			}
		}
	}
	page := clitest.Content(t, filepath.Join(out, "report.html"))
	if page != clitest.Content(t, filepath.Join(again, "report.html")) {
		t.Error("the page, written again, has other bytes")
	}
	if entries, err := os.ReadDir(out); err != nil || len(entries) != 3*len(allFigures)+1 {
		t.Errorf("%d files, %v", len(entries), err)
	}
	file, err := safetensors.Read(cli.CheckpointIn(run))
	if err != nil {
		t.Fatal(err)
	}
	net, _, err := training.LoadNetwork[float32](file)
	if err != nil {
		t.Fatal(err)
	}
	whole(t, page, out, net.Digest(), "sdnet8_all_narrow_noshortcut", "weight decay",
		"layer1.layers.0.conv1.dn")

	weight := net.Evaluable().Layers[0].Weight
	for i, row := range table(t, out, "figure-C1") {
		if at := [4]float64{number(t, row[0]), number(t, row[1]), number(t, row[2]),
			number(t, row[3])}; number(t, row[4]) != number(t, fmt.Sprint(weight.Data[i])) ||
			at != [4]float64{float64(i / 27), float64(i / 9 % 3), float64(i / 3 % 3), float64(i % 3)} {
			t.Fatalf("atoms, row %d: %v, want %v", i, row, weight.Data[i])
		}
	}
	counts(t, out, ref.Works(t, []string{"eval", "-checkpoint", cli.CheckpointIn(run), "-data", data}))
}

// counts compares the figures of codes with what ref eval says: 4 test images, 16 codes a pixel.
func counts(t *testing.T, out string, eval clitest.Result) {
	t.Helper()
	total := 0.0
	for _, row := range table(t, out, "figure-D1") {
		total += number(t, row[2])
	}
	const codes = 4 * 16 * 32 * 32
	if total > codes || total < 0.998*codes {
		t.Errorf("the histogram has %v codes of %d", total, codes)
	}
	for _, row := range table(t, out, "figure-D1-layers") {
		eval.Says(t, fmt.Sprintf("zeros in the codes of %s: %.1f %%", row[0], 100*number(t, row[3])))
	}
}

// whole fails unless a page has the texts and every figure of the folder, and refers to no other file.
func whole(t *testing.T, page, folder string, says ...string) {
	t.Helper()
	for _, text := range says {
		if !strings.Contains(page, text) {
			t.Errorf("the page does not say %q", text)
		}
	}
	pictures := map[string]bool{}
	picture := regexp.MustCompile(`<img src="data:image/svg(?:\+|&#43;)xml;base64,([^"]+)" alt="[^"]+">`)
	for _, m := range picture.FindAllStringSubmatch(page, -1) {
		svg, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(m[1], "&#43;", "+"))
		if err != nil {
			t.Fatal(err)
		}
		pictures[string(svg)] = true
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.svg"))
	if err != nil || len(files) == 0 || len(files) != len(pictures) {
		t.Errorf("%d pictures in the page, %d in the folder, %v", len(pictures), len(files), err)
	}
	for _, path := range files {
		if !pictures[clitest.Content(t, path)] {
			t.Errorf("%s is not in the page", path)
		}
	}
	rest := regexp.MustCompile(`base64,[^"]+`).ReplaceAllString(page, "")
	for _, part := range []string{"<script", "http:", "https:", "<link", "url(", "@import"} {
		if strings.Contains(rest, part) {
			t.Errorf("the page has %s", part)
		}
	}
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	for depth := 0; ; {
		token, err := d.Token()
		if token == nil {
			if depth != 0 {
				t.Errorf("%d elements are not closed: %v", depth, err)
			}
			break
		}
		switch token.(type) {
		case xml.StartElement:
			depth++
		case xml.EndElement:
			depth--
		}
	}
}

// Figures that a network does not allow are left out, and the page says so.
func TestFiguresMissing(t *testing.T) {
	run, out := t.TempDir(), t.TempDir()
	ref.Works(t, clitest.Short(clitest.CIFAR10(t), run, "-net", "resnet8_narrow", "-stop", "1"))
	ref.Works(t, []string{"figures", "-checkpoint", cli.CheckpointIn(run), "-out", out},
		"no C1: resnet8_narrow has no CSC layer", "no B1: the stem of resnet8_narrow cannot be inverted",
		"no training: the checkpoint tells of no completed epoch")
	page := clitest.Content(t, filepath.Join(out, "report.html"))
	for _, text := range []string{"What is not shown", "C1: resnet8_narrow has no CSC layer",
		"trained on cifar10; the images here are shapes test"} {
		if !strings.Contains(page, text) {
			t.Errorf("the page does not say %q", text)
		}
	}
}

// Without a checkpoint the networks that come with the program are drawn, each in its folder.
func TestFiguresPretrained(t *testing.T) {
	if testing.Short() {
		t.Skip("evaluates each network on the drawn images")
	}
	out := t.TempDir()
	ref.Works(t, []string{"figures", "-only", "C1,B1", "-show", "2", "-out", out}, "64 atoms of 3 x 3",
		"32 atoms of 3 x 3")
	for _, file := range []string{"sdnet8_slim/figure-C1.png", "sdnet8_all_slim_noshortcut/figure-B1.svg",
		"report.html"} {
		if len(clitest.Content(t, filepath.Join(out, file))) < 1000 {
			t.Errorf("%s is nearly empty", file)
		}
	}
	// The reconstruction from the stem is the most similar to the image.
	best := ""
	for _, row := range table(t, filepath.Join(out, "sdnet8_all_slim_noshortcut"), "figure-B1-contrast") {
		if correlation := number(t, row[3]); row[2] == "0" && !(number(t, row[1]) > 0) ||
			math.Abs(correlation) > 1 || row[0] == "block0.0" && correlation < 0.5 {
			t.Errorf("%v", row)
		}
		best = max(best, row[0])
	}
	if best != "block3.1" {
		t.Errorf("the last block is %s", best)
	}
	ref.Call(t, "figures", "-checkpoint", "pretrained:sdnet8_slim", "-checkpoint", "pretrained:sdnet8_slim",
		"-only", "C1", "-out", t.TempDir()).Refused(t, "-checkpoint", "sdnet8_slim")
}

// The gap of FISTA's objective falls in the file; the variants agree up to two iterations.
func TestFiguresIterates(t *testing.T) {
	out := t.TempDir()
	ref.Works(t, []string{"figures", "-checkpoint", "pretrained:sdnet8_slim", "-only", "fista,power", "-out",
		out})
	values := map[string][]float64{}
	for _, row := range table(t, out, "fista-objective") {
		values[row[0]] = append(values[row[0]], number(t, row[2]))
		if sum := number(t, row[3]) + number(t, row[4]); math.Abs(sum-number(t, row[2])) > 1e-9*sum {
			t.Fatalf("the terms of %v do not add up", row)
		}
	}
	paper, published := values["paper"], values["published"]
	if len(paper) != iteratesShown || len(published) != iteratesShown || paper[1] != published[1] ||
		paper[2] == published[2] || !(paper[iteratesShown-1] < paper[1]/2) {
		t.Errorf("objectives %v and %v", paper, published)
	}
	rows := table(t, out, "power")
	if first, last := number(t, rows[0][2]), number(t, rows[powerShown-1][2]); len(rows) != powerShown ||
		!(first < last) {
		t.Errorf("%d rounds, from %v to %v", len(rows), first, last)
	}
}

func TestFiguresRefused(t *testing.T) {
	data, run, out := clitest.CIFAR10(t), t.TempDir(), t.TempDir()
	ref.Works(t, clitest.Short(data, run, "-net", "sdnet8_all_narrow_noshortcut", "-stop", "1"))
	figures := func(more ...string) clitest.Result {
		return ref.Call(t, append([]string{"figures", "-checkpoint", cli.CheckpointIn(run), "-data", data,
			"-out", out}, more...)...)
	}
	figures("-only", "B1", "-blocks", "block7.1").Refused(t, "B1", `"block7.1"`,
		"sdnet8_all_narrow_noshortcut")
	figures("-data", clitest.CIFAR100(t)).Refused(t, cli.CheckpointIn(run), "cifar10", "cifar100")
	figures("-data", "nowhere").Refused(t, "nowhere")
	figures("-checkpoint", "nowhere").Refused(t, "nowhere") // before the other checkpoint's are drawn
	if _, err := os.Stat(filepath.Join(out, "sdnet8_all_narrow_noshortcut")); err == nil {
		t.Error("figures were drawn")
	}
	figures("-checkpoint", "pretrained:sdnet9").Refused(t, "sdnet9", "sdnet8_slim")
	clitest.Put(t, filepath.Join(run, "half"), []byte(clitest.Content(t, cli.CheckpointIn(run))[:5000]))
	ref.Call(t, "figures", "-checkpoint", filepath.Join(run, "half"), "-out", out).Refused(t, "half")
	clitest.Put(t, filepath.Join(run, "file"), nil)
	figures("-out", filepath.Join(run, "file")).Refused(t, "file")

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if r := ref.CallWith(t, ctx, nil, "figures", "-out", out); r.Status != cli.ExitInterrupted ||
		r.Err != "" {
		t.Errorf("cancelled: status %d, %q", r.Status, r.Err)
	}
	if _, err := os.Stat(filepath.Join(out, "report.html")); err == nil {
		t.Error("a page was written")
	}
	if left, err := filepath.Glob(filepath.Join(out, "*.tmp*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// Stopped after its first figure, it leaves that, a page that shows it, and the command for the rest.
func TestFiguresStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	out := t.TempDir()
	r := ref.CallWith(t, ctx, clitest.CancelAt("C1.png", cancel), "figures", "-checkpoint", "pretrained:sdnet8_slim", "-only", "C1,D1,spectrum", "-out", out)
	if r.Status != cli.ExitInterrupted || r.Err != "" {
		t.Fatalf("status %d, %q", r.Status, r.Err)
	}
	r.Says(t, "report: ", "stopped; the figures above are written", "-checkpoint pretrained:sdnet8_slim -only D1,spectrum and another -out")
	if page := clitest.Content(t, filepath.Join(out, "report.html")); !strings.Contains(page, "sdnet8_slim") || strings.Count(page, "<img") != 1 {
		t.Errorf("the page has %d pictures", strings.Count(page, "<img"))
	}
}

// The progress line shows the number of codes counted so far.
func TestFiguresProgress(t *testing.T) {
	var watch bytes.Buffer
	if r := ref.CallWith(t, context.Background(), &watch, "figures", "-checkpoint", "pretrained:sdnet8_slim",
		"-only", "D1", "-images", "150", "-out", t.TempDir()); r.Status != 0 {
		t.Fatalf("%s", r.Err)
	}
	for _, text := range []string{"sdnet8_slim: D1", "150 images)", cli.Thousands(150 * 64 * 32 * 32)} {
		if !strings.Contains(watch.String(), text) {
			t.Errorf("no %q in\n%s", text, watch.String())
		}
	}
}
