package train

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"sdref/cmd/ref/internal/cli"
	"sdref/cmd/ref/internal/cli/clitest"
	"sdref/conv"
	"sdref/csc"
	"sdref/sdnet"
)

// ownSpec is a network that no list has, for grey images of 12 x 20; what the images tell is left out.
func ownSpec() sdnet.Spec {
	return sdnet.Spec{Name: "mine", Blocks: []int{1, 1}, Widths: []int{4, 6}, CSCStem: true,
		Data: sdnet.Data{Image: 12, Width: 20, Channels: 1, Stem: sdnet.Stem{Kernel: 5, Geometry: conv.Geometry{Stride: 2, Padding: 2}}},
		CSC:  csc.Settings{Lambda: 0.05, Nonnegative: true, Iterations: 3, UnitNormAtoms: true, Variant: csc.Paper}}
}

func specFile(t *testing.T, s sdnet.Spec) string {
	t.Helper()
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "mine.json")
	clitest.Put(t, path, text)
	return path
}

// A network of one's own for grey, oblong images is trained on a folder of classes, stopped, resumed to the bit, evaluated with the very
// numbers of the run's end, and is where another run begins.
func TestTrainOwnNetwork(t *testing.T) {
	folder, whole, out := classFolder(t, 4), t.TempDir(), t.TempDir()
	for _, name := range []string{"", "things", "imagenet"} {
		s := ownSpec()
		s.Data.Name = name
		spec := specFile(t, s)
		args := func(out string, more ...string) []string {
			return append([]string{"train", "-data", folder, "-out", out, "-spec", spec, "-recipe", "short", "-batch", "4", "-warmup", "0", "-epochs", "2"}, more...)
		}
		if name != "" {
			whole, out = t.TempDir(), t.TempDir()
		}
		w := ref.Works(t, args(whole), "mine on 8 images of train of "+folder, "2 epochs of 2 steps", "val of "+folder+": top-1 ", "on 4 images")
		ref.Works(t, args(out, "-stop", "3"))
		ref.Works(t, []string{"train", "-resume", out}, w.Line(t, "val of "))
		clitest.SameRun(t, out, whole)
		ref.Works(t, []string{"eval", "-checkpoint", cli.CheckpointIn(whole), "-data", folder}, w.Line(t, "val of "))
		wanted := name
		if name == "" {
			wanted = "imagenet" // as folders of classes are called
		}
		ref.Works(t, []string{"describe", "-checkpoint", cli.CheckpointIn(whole)}, "mine for "+wanted+": images 1 x 12 x 20, 4 classes", "CSC 5x5/2")
	}
	// Other classes, of which there are fewer: the last layer begins anew.
	ref.Works(t, []string{"train", "-data", classFolder(t, 3), "-out", t.TempDir(), "-start", cli.CheckpointIn(whole), "-recipe", "short", "-batch", "4",
		"-warmup", "0", "-stop", "1"}, "mine on 6 images", "the linear layer begins anew")
}

// What ref describe prints as JSON, the two verbs read again.
func TestSpecAsJSON(t *testing.T) {
	r := ref.Works(t, []string{"describe", "-net", "sdnet8_narrow", "-data", "shapes", "-json"})
	path := filepath.Join(t.TempDir(), "s.json")
	clitest.Put(t, path, []byte(r.Out))
	table := ref.Works(t, []string{"describe", "-net", "sdnet8_narrow", "-data", "shapes"})
	if again := ref.Works(t, []string{"describe", "-spec", path}); again.Out != table.Out {
		t.Errorf("%s\nwant\n%s", again.Out, table.Out)
	}
	more := []string{"-images", "12", "-batch", "4", "-epochs", "1", "-test=false"}
	listed, own := t.TempDir(), t.TempDir()
	ref.Works(t, append([]string{"train", "-out", listed}, more...))
	ref.Works(t, append([]string{"train", "-out", own, "-spec", path}, more...))
	if got, want := clitest.Content(t, cli.StepsIn(own)), clitest.Content(t, cli.StepsIn(listed)); got != want || strings.Count(got, "\n") < 3 {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestSpecsThatAreRefused(t *testing.T) {
	folder := classFolder(t, 2)
	changed := func(change func(s *sdnet.Spec)) string {
		s := ownSpec()
		change(&s)
		return specFile(t, s)
	}
	put := func(text string) string {
		path := filepath.Join(t.TempDir(), "s.json")
		clitest.Put(t, path, []byte(text))
		return path
	}
	good := specFile(t, ownSpec())
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"-spec", good, "-net", "sdnet18"}, "-net: the specification of network mine says it"},
		{[]string{"-spec", good, "-lambda", "1"}, "-lambda: the specification"},
		{[]string{"-spec", "nowhere.json"}, "nowhere.json"},
		{[]string{"-spec", folder}, "a folder"},
		{[]string{"-spec", put(`{"Name":"x","Block":[1]}`)}, `unknown field "Block"`},
		{[]string{"-spec", put(`{"Name":"x"}{}`)}, "more than one JSON value"},
		{[]string{"-spec", put(`{`)}, "EOF"},
		{[]string{"-spec", put(`{}`)}, "no Name"},
		{[]string{"-spec", put(strings.Repeat(" ", 1<<20+1))}, "no specification of a network"},
		{[]string{"-spec", changed(func(s *sdnet.Spec) { s.Data.Image = 0 })}, "Data.Image, the height"},
		{[]string{"-spec", changed(func(s *sdnet.Spec) { s.Data.Channels = 2 })}, "images of 2 channels"},
		{[]string{"-spec", changed(func(s *sdnet.Spec) { s.Data.Name = "cifar10" })}, "Data.Name is cifar10, and "},
		{[]string{"-spec", changed(func(s *sdnet.Spec) { s.Data.Classes = 3 })}, "made for 3 classes, the images have 2"},
		{[]string{"-spec", changed(func(s *sdnet.Spec) { s.Widths = s.Widths[:1] })}, "2 stages of blocks, 1 of widths"},
	} {
		ref.Call(t, append([]string{"train", "-data", folder, "-out", t.TempDir(), "-recipe", "short"}, c.args...)...).Refused(t, c.says)
	}
	ref.Call(t, "train", "-out", t.TempDir(), "-spec", good).Refused(t, "images of 12 x 20 grey pixels", "32 x 32")
	ref.Call(t, "describe", "-spec", good).Refused(t, "0 classes")
	ref.Call(t, "describe", "-spec", good, "-net", "sdnet18").Refused(t, "-net", "the specification says it")
	ref.Call(t, "describe", "-spec", good, "-checkpoint", "x").Refused(t, "-spec", "the checkpoint says it")
}
