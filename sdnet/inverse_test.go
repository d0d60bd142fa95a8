package sdnet_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"sdref/conv"
	"sdref/sdnet"
	"sdref/tensor"
)

// TestInvertIsExactForIdentities gives every layer the dictionary A = 1, lambda 0 and step 1, so that its code is its input and
// what is left of the network is BatchNorm: there the inverse is one, and without the epsilon it is not.
func TestInvertIsExactForIdentities(t *testing.T) {
	spec := small(t, "sdnet8_all_narrow_noshortcut", 8)
	spec.Blocks, spec.Widths = []int{3}, []int{3}
	spec.CSC.Lambda, spec.CSC.Nonnegative = 0, false
	n := build[float64](t, spec, 1)
	stir(n, 2)
	for _, l := range n.Layers {
		l.Weight.Fill(0)
		for c := range 3 {
			l.Weight.Set(1, c, c, 1, 1)
		}
		l.StepSize.Data[0] = 1
	}
	x := noise[float64](3, 1, 2, 3, 8, 8)
	blocks := observed(n, x)
	for _, b := range [][2]int{{0, 0}, {1, 1}, {1, 2}, {1, 3}} {
		z := blocks[fmt.Sprintf("block%d.%d", b[0], b[1])]
		if near(z.Data, x.Data, 1e-3) {
			t.Errorf("block %v: the output is the input", b)
		}
		for _, exact := range []bool{true, false} {
			got, err := n.Invert(z, b[0], b[1], exact)
			if err != nil {
				t.Fatal(err)
			}
			if is := near(got.Data, x.Data, 1e-12); is != exact {
				t.Errorf("block %v: the image came back: %t, want %t", b, is, exact)
			}
		}
	}
}

// observed returns what a network's observer is shown in evaluation.
func observed(n *sdnet.Network[float64], x *tensor.Tensor[float64]) map[string]*tensor.Tensor[float64] {
	values := map[string]*tensor.Tensor[float64]{}
	p := sdnet.NewPredictor(n)
	p.Observe = func(name string, value *tensor.Tensor[float64]) { values[name] = value.Clone() }
	p.Logits(x)
	return values
}

// TestInvertStem compares the inverse of the stem's output with A applied to the stem's code itself.
func TestInvertStem(t *testing.T) {
	for _, kind := range []string{"sdnet8_narrow", "sdnet8_all_narrow"} {
		n := build[float64](t, small(t, kind, 16), 1)
		stir(n, 2)
		values := observed(n, noise[float64](3, 1, 2, 3, 16, 16))
		want := n.Layers[0].Reconstruct(values["layer0.0.dn"])
		for _, exact := range []bool{true, false} {
			got, err := n.Invert(values["block0.0"], 0, 0, exact)
			if err != nil {
				t.Fatal(err)
			}
			if is := near(got.Data, want.Data, 1e-12); is != exact {
				t.Errorf("%s: A z came back: %t, want %t", kind, is, exact)
			}
		}
	}
}

// TestInvertByHand undoes a network layer by layer from its state, by name.
func TestInvertByHand(t *testing.T) {
	n := build[float64](t, small(t, "sdnet8_all_narrow_noshortcut", 16), 1)
	stir(n, 2)
	for _, s := range n.State() {
		if strings.HasSuffix(s.Name, ".running_var") {
			for i, v := range s.Data {
				s.Data[i] = math.Abs(v)
			}
		}
	}
	for _, exact := range []bool{true, false} {
		epsilon := 0.0
		if exact {
			epsilon = 1e-5 // PyTorch's default
		}
		z := noise[float64](3, 1, 2, 6, 8, 8)
		got, err := n.Invert(z, 2, 1, exact)
		if err != nil {
			t.Fatal(err)
		}
		half, plain := conv.Geometry{Stride: 2, Padding: 1}, conv.Geometry{Padding: 1}
		for _, l := range []struct {
			norm, layer string
			side        int
			g           conv.Geometry
		}{
			{"layer2.layers.0.bn2", "layer2.layers.0.conv2", 8, plain}, {"layer2.layers.0.bn1", "layer2.layers.0.conv1", 16, half},
			{"layer1.layers.0.bn2", "layer1.layers.0.conv2", 16, plain}, {"layer1.layers.0.bn1", "layer1.layers.0.conv1", 16, plain},
			{"layer0.1", "layer0.0", 16, plain},
		} {
			w := state(t, n, l.layer+".dn.weight")
			z = undo(t, n, z, l.norm, epsilon)
			x := tensor.New[float64](2, w.Shape[1], l.side, l.side)
			conv.DefineTranspose(x, z, w, l.g)
			z = x
		}
		if !near(got.Data, z.Data, 1e-12) {
			t.Errorf("exact %t: the inverse differs from the one by hand", exact)
		}
	}
}

// undo solves y = gamma (x - mean)/sqrt(var + epsilon) + beta for x.
func undo(t *testing.T, n *sdnet.Network[float64], y *tensor.Tensor[float64], name string, epsilon float64) *tensor.Tensor[float64] {
	x := tensor.New[float64](y.Shape...)
	gamma, beta := state(t, n, name+".weight"), state(t, n, name+".bias")
	mean, variance := state(t, n, name+".running_mean"), state(t, n, name+".running_var")
	for image := range y.Shape[0] {
		for c := range y.Shape[1] {
			for i := range y.Shape[2] {
				for j := range y.Shape[3] {
					v := (y.At(image, c, i, j) - beta.Data[c]) / gamma.Data[c]
					x.Set(v*math.Sqrt(variance.Data[c]+epsilon)+mean.Data[c], image, c, i, j)
				}
			}
		}
	}
	return x
}

// TestInvertImageNetStem goes back through SDNet-All's second stem layer, which has no BatchNorm.
func TestInvertImageNetStem(t *testing.T) {
	build32 := func(network string) *sdnet.Network[float64] {
		spec := small(t, network, 32)
		spec.Data.Stem = sdnet.ImageNetStem
		return build[float64](t, spec, 1)
	}
	n := build32("sdnet8_all_narrow")
	values := observed(n, noise[float64](3, 1, 2, 3, 32, 32))
	if z := values["block0.0"]; !tensor.SameBits(z, values["layer0.2.dn"]) {
		t.Fatal("the stem ends with its second layer")
	}
	got, err := n.Invert(values["block0.0"], 0, 0, true)
	if err != nil {
		t.Fatal(err)
	}
	want := n.Layers[0].Reconstruct(undo(t, n, n.Layers[1].Reconstruct(values["layer0.2.dn"]), "layer0.1", 1e-5))
	if !near(got.Data, want.Data, 1e-12) {
		t.Error("the stem's inverse differs from the one by hand")
	}
	if _, err := build32("sdnet8_narrow").Invert(values["block0.0"], 0, 0, true); err == nil {
		t.Error("a max-pool was inverted")
	}
}

func TestInvertRefuses(t *testing.T) {
	z := tensor.New[float32](1, 4, 16, 16)
	for _, c := range []struct {
		network      string
		stage, block int
		says         string
	}{
		{"resnet8_narrow", 0, 0, "stem"},
		{"sdnet8_narrow", 1, 1, "shortcuts"},
		{"sdnet8_all_narrow", 1, 1, "shortcuts"},
		{"sdnet8_all_narrow_noshortcut", 1, 2, "no block 2 in stage 1"},
		{"sdnet8_all_narrow_noshortcut", 1, 0, "no block 0 in stage 1"},
		{"sdnet8_all_narrow_noshortcut", 4, 1, "no block 1 in stage 4"},
		{"sdnet8_all_narrow_noshortcut", -1, 1, "no block 1 in stage -1"},
	} {
		got, err := build[float32](t, small(t, c.network, 16), 1).Invert(z, c.stage, c.block, true)
		if got != nil || err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), c.network) {
			t.Errorf("%s, stage %d, block %d: error %v, want one that says %s", c.network, c.stage, c.block, err, c.says)
		}
	}
}

// TestInvertMisfit hands a code to the wrong block.
func TestInvertMisfit(t *testing.T) {
	n := build[float32](t, small(t, "sdnet8_all_narrow_noshortcut", 16), 1)
	for _, shape := range [][]int{{1, 4, 16, 16}, {1, 10, 8, 8}, {1, 6, 8, 7}, {6, 8, 8}, {}} {
		func() {
			defer func() {
				var misfit *tensor.ShapeError
				if err, ok := recover().(error); !ok || !errors.As(err, &misfit) || !strings.Contains(misfit.Op, "Invert") {
					t.Errorf("code %v for a block of [N 6 8 8]: panic %v, want a *tensor.ShapeError", shape, err)
				}
			}()
			n.Invert(tensor.New[float32](shape...), 2, 1, true)
		}()
	}
}

func TestParseBlock(t *testing.T) {
	n := build[float64](t, small(t, "sdnet8_all_narrow_noshortcut", 16), 1)
	count := 0
	for name := range observed(n, noise[float64](3, 1, 1, 3, 16, 16)) {
		stage, block, ok := sdnet.ParseBlock(name)
		if ok != strings.HasPrefix(name, "block") {
			t.Errorf("%s: %t", name, ok)
		}
		if ok {
			count++
			if back := fmt.Sprintf("block%d.%d", stage, block); back != name {
				t.Errorf("%s was read as %s", name, back)
			}
		}
	}
	if count != 4 {
		t.Errorf("%d blocks, want the stem and three", count)
	}
	for _, name := range []string{"", "block", "block1", "block1.", "blocka.b", "layer1.1", "block1.2.3", "block1.2x", "block01.2", "block+1.2", "block1. 2"} {
		if stage, block, ok := sdnet.ParseBlock(name); ok {
			t.Errorf("%q was read as stage %d, block %d", name, stage, block)
		}
	}
}

// A stem behind whitening is undone to the images: those that the whitening makes of A z, if it makes that of any.
func TestInvertWhitenedStem(t *testing.T) {
	spec := small(t, "sdnet_air_whitened", 16)
	spec.Atoms, spec.CSC.Lambda, spec.CSC.Nonnegative = 3, 0, false
	n := build[float64](t, spec, 1)
	stir(n, 2)
	images, _ := drawn[float64](40)
	n.Whiten(images)
	l := n.Layers[0]
	l.Weight.Fill(0)
	for c := range 3 {
		l.Weight.Set(1, c, c, 1, 1)
	}
	l.StepSize.Data[0] = 1
	x := noise[float64](3, 1, 2, 3, 16, 16)
	got, err := n.Invert(observed(n, x)["block0.0"], 0, 0, true)
	if err != nil || !near(got.Data, x.Data, 1e-6) {
		t.Errorf("the images did not come back, %v", err)
	}
}
