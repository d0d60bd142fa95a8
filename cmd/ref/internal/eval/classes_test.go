package eval

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sdref/cmd/ref/internal/cli"
	"sdref/cmd/ref/internal/cli/clitest"
	"sdref/tensor/safetensors"
)

// onPictures trains a network for a few steps on a folder of four classes, disc, ring, square and frame.
func onPictures(t testing.TB) (folder, checkpoint string) {
	t.Helper()
	folder, out := clitest.Pictures(t, 4, map[string]int{"train": 3, "val": 2}), filepath.Join(t.TempDir(), "run")
	ref.Works(t, clitest.Short(folder, out, "-size", "32", "-test=false"))
	return folder, cli.CheckpointIn(out)
}

// Labels follow the names of the classes.
func TestEvalByName(t *testing.T) {
	folder, checkpoint := onPictures(t)
	eval := func(more ...string) []string {
		return append([]string{"eval", "-checkpoint", checkpoint, "-data", folder}, more...)
	}
	in := func(part, class string) string { return filepath.Join(folder, part, class) }
	result := ref.Works(t, eval()).Line(t, "val of ")
	// All classes in another order: the labels of the data are others, the result is not.
	var names struct {
		Images struct {
			Classes []string `json:"classes"`
		}
	}
	f, err := safetensors.Read(checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(f.Metadata["images"]), &names.Images); err != nil || strings.Join(names.Images.Classes, " ") != "disc frame ring square" {
		t.Fatalf("classes %q, %v", names.Images.Classes, err)
	}
	turned := strings.Replace(f.Metadata["images"], `["disc","frame","ring","square"]`, `["square","disc","frame","ring"]`, 1)
	f.Metadata["images"] = turned
	other := filepath.Join(t.TempDir(), "turned.safetensors")
	if err := safetensors.Write(other, f); err != nil {
		t.Fatal(err)
	}
	r := ref.Works(t, []string{"eval", "-checkpoint", other, "-data", folder, "-by-class"}, "labels are mapped by the names of the classes, which come in another order")
	if r.Line(t, "val of ") == result && r.Line(t, "val of ") == "" {
		t.Error("nothing was evaluated")
	}
	ref.Call(t, "train", "-resume", filepath.Dir(checkpoint), "-data", folder) // done already
	// A class renamed is refused.
	clitest.Move(t, in("train", "disc"), in("train", "zdisc"))
	clitest.Move(t, in("val", "disc"), in("val", "zdisc"))
	ref.Call(t, eval()...).Refused(t, "imagenet of 4 classes", "no class disc", "a new class zdisc")
	ref.Call(t, "attack", "-checkpoint", checkpoint, "-data", folder, "-images", "2").Refused(t, "attack")
	clitest.Move(t, in("train", "zdisc"), in("train", "disc"))
	clitest.Move(t, in("val", "zdisc"), in("val", "disc"))
	// Images of a further class are left out.
	for _, part := range []string{"train", "val"} {
		if err := os.MkdirAll(in(part, "apple"), 0o777); err != nil {
			t.Fatal(err)
		}
		clitest.Put(t, filepath.Join(in(part, "apple"), "1.png"), []byte(clitest.Content(t, filepath.Join(in("train", "ring"), "000.png"))))
	}
	if got := ref.Works(t, eval(), "2 images are left out, being of classes that the network does not know: apple", "on 8 images").Line(t, "val of "); got != result {
		t.Errorf("with a class more: %q, want %q", got, result)
	}
	for _, part := range []string{"train", "val"} {
		os.RemoveAll(in(part, "apple"))
		os.RemoveAll(in(part, "frame"))
	}
	ref.Works(t, eval(), "there are no images of frame", "on 6 images")
	// A checkpoint of an older version says nothing of its classes.
	delete(f.Metadata, "images")
	if err := safetensors.Write(other, f); err != nil {
		t.Fatal(err)
	}
	ref.Call(t, "eval", "-checkpoint", other, "-data", folder).Refused(t, "imagenet of 4 classes", "of 3")
	whole, _ := onPictures(t)
	ref.Works(t, []string{"eval", "-checkpoint", other, "-data", whole}, "does not name its classes, so that they are not compared")
}

// What the flags add agrees with the line of the accuracy and with each other.
func TestEvalDetails(t *testing.T) {
	folder, checkpoint := onPictures(t)
	out := t.TempDir()
	table, report, picture := filepath.Join(out, "images.csv"), filepath.Join(out, "eval.json"), filepath.Join(out, "plots")
	r := ref.Works(t, []string{"eval", "-checkpoint", checkpoint, "-data", folder, "-set", "train", "-by-class", "-confusion", "-worst", "3", "-csv", table,
		"-json", report, "-confusion-plot", picture}, "accuracy %", "taken for", "the most confident of ", "the class has %", "confusion.png")
	var e evaluated
	if err := json.Unmarshal([]byte(clitest.Content(t, report)), &e); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(clitest.Content(t, table))).ReadAll()
	if err != nil || len(rows) != 13 || strings.Join(rows[0], ",") != "image,class,answer,right,probability,probability_of_class" {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	right, diagonal, all := 0, 0, 0
	for _, row := range rows[1:] {
		if row[3] == "true" {
			right++
		}
		if (row[1] == row[2]) != (row[3] == "true") || !strings.HasPrefix(row[0], row[1]+string(filepath.Separator)) {
			t.Errorf("row %q", row)
		}
	}
	for c, row := range e.Confusion {
		diagonal += row[c]
		given := 0
		for k, n := range row {
			all += n
			given += e.Confusion[k][c]
		}
		if k := e.Classes[c]; k.Images != 3 || k.Right != row[c] || k.Given != given || k.Accuracy != float64(row[c])/3 {
			t.Errorf("class %+v, row %v", k, row)
		}
	}
	if diagonal != right || all != 12 || e.Top1 != float64(right)/12 || len(e.Classes) != 4 || e.Classes[1].Class != "frame" {
		t.Errorf("%d right, %d on the diagonal of %d, %+v", right, diagonal, all, e)
	}
	r.Says(t, fmt.Sprintf("of %d mistakes", 12-right))
	numbers := clitest.Content(t, filepath.Join(picture, "confusion.csv"))
	if !strings.HasPrefix(numbers, "class,disc,frame,ring,square\ndisc,") || !strings.HasPrefix(clitest.Content(t, filepath.Join(picture, "confusion.png")), "\x89PNG") {
		t.Errorf("numbers %q", numbers)
	}
	ref.Works(t, []string{"eval", "-checkpoint", checkpoint, "-data", folder, "-augment", "both"}, "each image in 10 views, the mean of their probabilities counts")
	ref.Works(t, []string{"eval", "-checkpoint", checkpoint, "-by-class", "-csv", table, "-overwrite"}, "no results by class")
	ref.Call(t, "eval", "-checkpoint", checkpoint, "-augment", "turns").Refused(t, "-augment", `"turns"`, "none, flips, shifts, both, crops")
	ref.Call(t, "eval", "-checkpoint", checkpoint, "-worst", "-1").Refused(t, "-worst")
}

// A network of images of one size takes pictures in folders by the names of its classes, as they are.
func TestEvalPicturesOfTheNetworksSize(t *testing.T) {
	folder := clitest.Pictures(t, 10, map[string]int{"test": 1})
	ref.Works(t, []string{"eval", "-checkpoint", drawnNetwork(t), "-data", folder}, "on 10 images of test of "+folder, "top-1")
}

// drawnNetwork is a network trained for a step on drawn images.
func drawnNetwork(t testing.TB) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "run")
	ref.Works(t, []string{"train", "-images", "8", "-batch", "4", "-epochs", "1", "-test=false", "-out", out})
	return cli.CheckpointIn(out)
}
