package figures

import (
	"slices"
	"testing"

	"sdref/sdnet"
)

// A network whose layers are A = 1 with lambda 0 and step 1 is a chain of BatchNorms: inverted with the
// epsilon it gives the image back, as published it does not.
func TestReconstructIdentities(t *testing.T) {
	spec, err := sdnet.Lookup("sdnet8_all_narrow_noshortcut", "shapes")
	if err != nil {
		t.Fatal(err)
	}
	spec.Data.Image, spec.Blocks, spec.Widths = 8, []int{2}, []int{3}
	spec.CSC.Lambda, spec.CSC.Nonnegative = 0, false
	n := build(t, spec)
	for _, l := range n.Layers {
		l.Weight.Fill(0)
		for c := range 3 {
			l.Weight.Set(1, c, c, 1, 1)
		}
		l.StepSize.Data[0] = 1
	}
	for i, s := range n.State() {
		for j := range s.Data { // BatchNorms that do something
			switch {
			case len(s.Shape) == 1 && s.Shape[0] == 3:
				s.Data[j] = 0.5 + 0.1*float64(i%7) + 0.05*float64(j)
			}
		}
	}
	x := noise(3, 2, 3, 8, 8)
	list, err := Reconstruct(n, x)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range list {
		names = append(names, r.Block)
		if !near(r.Exact.Data, x.Data, 1e-12) {
			t.Errorf("%s: the exact inverse is not the image", r.Block)
		}
		if near(r.Published.Data, x.Data, 1e-7) {
			t.Errorf("%s: the published inverse is the image", r.Block)
		}
	}
	if !slices.Equal(names, []string{"block0.0", "block1.1", "block1.2"}) {
		t.Errorf("blocks %v", names)
	}
}

func TestReconstructChosen(t *testing.T) {
	n := network(t, "sdnet8_all_narrow_noshortcut", 16)
	x := noise(1, 1, 3, 16, 16)
	all, err := Reconstruct(n, x)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 4 {
		t.Fatalf("%d blocks", len(all))
	}
	one, err := Reconstruct(n, x, "block2.1")
	if err != nil {
		t.Fatal(err)
	}
	if len(one) != 1 || !slices.Equal(one[0].Published.Data, all[2].Published.Data) ||
		!slices.Equal(one[0].Exact.Data, all[2].Exact.Data) {
		t.Error("a block by name is another than among all")
	}
	for _, name := range []string{"block9.1", "layer1", ""} {
		_, err := Reconstruct(n, x, name)
		says(t, err, "no block", name)
	}
	_, err = Reconstruct(network(t, "sdnet8_all_narrow", 16), x, "block1.1")
	says(t, err, "shortcuts")
	_, err = Reconstruct(network(t, "resnet8_narrow", 16), x)
	says(t, err, "resnet8_narrow", "cannot be inverted")
	if got := Invertible(network(t, "sdnet8_narrow", 16)); !slices.Equal(got, []string{"block0.0"}) {
		t.Errorf("a network with shortcuts can be inverted from %v", got)
	}
}
