package sdnet_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"sdref/golden"
	"sdref/sdnet"
)

func TestParameterCounts(t *testing.T) {
	for _, c := range []struct {
		network, data string
		want          int
	}{
		// The published networks' counts, as their own code gives them.
		{"resnet18", "cifar10", 11_173_962},
		{"sdnet18", "cifar10", 11_173_962},
		{"sdnet18_all", "cifar10", 11_173_962},
		{"sdnet18_all_noshortcut", "cifar10", 11_000_138},
		{"sdnet34", "cifar100", 21_328_292},
		{"sdnet18", "imagenet", 11_689_512},
		{"sdnet18_all", "imagenet", 11_726_376},
		// torchvision's resnet18 and resnet34.
		{"resnet18", "imagenet", 11_689_512},
		{"resnet34", "imagenet", 21_797_672},
	} {
		spec, err := sdnet.Lookup(c.network, c.data)
		if err != nil {
			t.Fatal(err)
		}
		n, err := sdnet.New[float32](spec)
		if err != nil {
			t.Fatal(err)
		}
		if got := n.CountParameters(); got != c.want {
			t.Errorf("%s for %s: %d parameters, want %d", c.network, c.data, got, c.want)
		}
		described := 0
		for _, l := range spec.Describe() {
			described += l.Parameters
		}
		if described != c.want {
			t.Errorf("%s for %s: Describe counts %d parameters, want %d", c.network, c.data, described, c.want)
		}
	}
}

func TestDescribe(t *testing.T) {
	count := func(network, data string) (total int, lines []string) {
		spec, err := sdnet.Lookup(network, data)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range spec.Describe() {
			if l.Kind != "BatchNorm" {
				total += l.MultiplyAdds
			}
			lines = append(lines, fmt.Sprint(l.Name, " ", l.Kind, " ", l.Output))
		}
		return total, lines
	}
	// 118,013,952 in the stem, 462,422,016 and three times 411,041,792 in the stages, 512,000 in the classifier.
	if got, _ := count("resnet18", "imagenet"); got != 1_814_073_344 {
		t.Errorf("resnet18 for ImageNet: %d multiply-adds, want 1814073344", got)
	}
	// Two iterations cost two analyses and a synthesis: the stem thrice.
	if got, _ := count("sdnet18", "imagenet"); got != 1_814_073_344+2*118_013_952 {
		t.Errorf("sdnet18 for ImageNet: %d multiply-adds", got)
	}
	// A stem of 2x2 without padding leaves 31 of 32 pixels, each max-pool half of them: 276,768 in the stem, 13,284,864 + 8,294,400,
	// 33,177,600 + 28,901,376 and 28,901,376 + 5,308,416 in the groups, 2,560 in the classifier.
	if got, lines := count("whitened_air", "cifar10"); got != 118_147_360 || lines[2] != "layer1.pool max-pool 2x2/2 [64 15 15]" {
		t.Errorf("whitened_air: %d multiply-adds, line 2 %s", got, lines[2])
	}
	_, lines := count("sdnet18_all", "imagenet")
	for i, want := range []string{"layer0.0.dn CSC 7x7/2 [64 112 112]", "layer0.1 BatchNorm [64 112 112]",
		"layer0.2.dn CSC 3x3/2 [64 56 56]", "layer1.layers.0.conv1.dn CSC 3x3 [64 56 56]"} {
		if lines[i] != want {
			t.Errorf("line %d of sdnet18_all: %s, want %s", i, lines[i], want)
		}
	}
	if _, lines := count("resnet18", "imagenet"); lines[2] != "layer0.pool max-pool 3x3/2 [64 56 56]" {
		t.Errorf("line 2 of resnet18: %s", lines[2])
	}
}

// TestStateNames pins the names of the published checkpoints.
func TestStateNames(t *testing.T) {
	names := func(network string) []string {
		spec, err := sdnet.Lookup(network, "shapes")
		if err != nil {
			t.Fatal(err)
		}
		n, err := sdnet.New[float32](spec)
		if err != nil {
			t.Fatal(err)
		}
		var list []string
		for _, s := range n.State() {
			list = append(list, fmt.Sprint(s.Name, s.Shape, " ", s.Buffer))
		}
		return list
	}
	norm := func(name string, width int) (list []string) {
		for _, s := range []struct {
			name   string
			buffer bool
		}{{"weight", false}, {"bias", false}, {"running_mean", true}, {"running_var", true}} {
			list = append(list, fmt.Sprint(name, ".", s.name, []int{width}, " ", s.buffer))
		}
		return list
	}
	all := names("sdnet8_all_narrow")
	want := append([]string{"layer0.0.dn.weight[16 3 3 3] false", "layer0.0.dn.step_size[] true", "layer0.0.dn.v0[1 16 32 32] true"}, norm("layer0.1", 16)...)
	want = append(want, "layer1.layers.0.conv1.dn.weight[16 16 3 3] false")
	if !slices.Equal(all[:len(want)], want) {
		t.Errorf("sdnet8_all_narrow begins with\n%v, want\n%v", all[:len(want)], want)
	}
	want = append([]string{"layer3.layers.0.shortcut.0.weight[64 32 1 1] false"}, norm("layer3.layers.0.shortcut.1", 64)...)
	want = append(want, "linear.weight[10 64] false", "linear.bias[10] false")
	if at := len(all) - len(want); !slices.Equal(all[at:], want) {
		t.Errorf("sdnet8_all_narrow ends with\n%v, want\n%v", all[at:], want)
	}
	plain := names("resnet8_narrow")
	want = append([]string{"layer0.0.weight[16 3 3 3] false"}, norm("layer0.1", 16)...)
	want = append(append(want, "layer1.0.conv1.weight[16 16 3 3] false"), norm("layer1.0.bn1", 16)...)
	want = append(append(want, "layer1.0.conv2.weight[16 16 3 3] false"), norm("layer1.0.bn2", 16)...)
	want = append(want, "layer2.0.conv1.weight[32 16 3 3] false")
	if !slices.Equal(plain[:len(want)], want) {
		t.Errorf("resnet8_narrow begins with\n%v, want\n%v", plain[:len(want)], want)
	}
	air := names("whitened_air") // which trains neither the stem's filters nor BatchNorm's scale
	want = []string{"layer0.0.weight[24 3 2 2] true", "layer0.0.bias[24] false", "layer1.conv1.weight[64 24 3 3] false",
		"layer1.bn1.weight[64] true", "layer1.bn1.bias[64] false", "layer1.bn1.running_mean[64] true", "layer1.bn1.running_var[64] true",
		"layer1.conv2.weight[64 64 3 3] false"}
	if !slices.Equal(air[:len(want)], want) {
		t.Errorf("whitened_air begins with\n%v, want\n%v", air[:len(want)], want)
	}
	for _, name := range names("sdnet8_all_narrow_noshortcut") {
		if strings.Contains(name, "shortcut") {
			t.Errorf("a network without shortcuts has %s", name)
		}
	}
}

// TestOfficialNames compares the state's names and shapes with those of the authors' networks.
func TestOfficialNames(t *testing.T) {
	cases, err := golden.Open("../golden/testdata/official/network")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		network, err1 := c.Attrs.String("network")
		data, err2 := c.Attrs.String("dataset")
		shortcut, err3 := c.Attrs.Bool("shortcut")
		image, err4 := c.Attrs.Int("image")
		if err1 != nil || err2 != nil || err3 != nil || err4 != nil {
			t.Fatal(err1, err2, err3, err4)
		}
		if !shortcut {
			network += "_noshortcut"
		}
		spec, err := sdnet.Lookup(network, data)
		if err != nil {
			t.Fatal(err)
		}
		spec.Data.Image = image
		n, err := sdnet.New[float32](spec)
		if err != nil {
			t.Fatal(err)
		}
		known := 0
		for _, s := range n.State() {
			fill, ok := c.Parameters[s.Name]
			switch {
			case strings.HasSuffix(s.Name, ".step_size"): // computed, not filled
			case !ok || !slices.Equal(fill.Shape, s.Shape):
				t.Errorf("%s: %s has shape %v, the authors' %v", c.Name, s.Name, s.Shape, fill.Shape)
			default:
				known++
			}
		}
		if known != len(c.Parameters) {
			t.Errorf("%s: %d of the authors' %d tensors", c.Name, known, len(c.Parameters))
		}
	}
}

func TestLookupNamesWhatThereIs(t *testing.T) {
	_, err := sdnet.Lookup("resnet19", "cifar10")
	for _, s := range sdnet.Networks {
		if err == nil || !strings.Contains(err.Error(), `"resnet19"`) || !strings.Contains(err.Error(), s.Name) {
			t.Fatalf("error %v names no %s", err, s.Name)
		}
	}
	_, err = sdnet.Lookup("resnet18", "mnist")
	for _, d := range sdnet.DataSets {
		if err == nil || !strings.Contains(err.Error(), `"mnist"`) || !strings.Contains(err.Error(), d.Name) {
			t.Fatalf("error %v names no %s", err, d.Name)
		}
	}
	for _, s := range sdnet.Networks {
		for _, d := range sdnet.DataSets {
			spec, err := sdnet.Lookup(s.Name, d.Name)
			if s.Data.Stem != (sdnet.Stem{}) { // the network has a stem of its own
				d.Stem = s.Data.Stem
			}
			if err != nil || spec.Name != s.Name || spec.Data != d || spec.CSC != sdnet.PublishedCSC || spec.Check() != nil {
				t.Errorf("%s for %s: %+v, %v, %v", s.Name, d.Name, spec, err, spec.Check())
			}
		}
	}
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		says  string
		spoil func(s *sdnet.Spec)
	}{
		{"0 stages", func(s *sdnet.Spec) { s.Blocks = nil }},
		{"2 stages", func(s *sdnet.Spec) { s.Blocks = s.Blocks[:2] }},
		{"no shortcuts to leave out", func(s *sdnet.Spec) { s.Chain, s.Plain = true, true }},
		{"8x8 are too small", func(s *sdnet.Spec) {
			s.Chain, s.Blocks, s.Widths, s.Data.Image = true, []int{1, 1, 1, 1}, []int{4, 4, 4, 4}, 8
		}},
		{"stem of -1", func(s *sdnet.Spec) { s.Atoms = -1 }},
		{"no 55 whitening filters", func(s *sdnet.Spec) { s.CSCStem, s.Whitening, s.Atoms = false, true, 55 }},
		{"logits scaled by -1", func(s *sdnet.Spec) { s.LogitScale = -1 }},
		{"momentum 2", func(s *sdnet.Spec) { s.Norm.Momentum = 2 }},
		{"[1 0 1] blocks", func(s *sdnet.Spec) { s.Blocks = []int{1, 0, 1} }},
		{"widths [4 -1 8]", func(s *sdnet.Spec) { s.Widths = []int{4, -1, 8} }},
		{"CSC blocks", func(s *sdnet.Spec) { s.CSCBlocks, s.Plain = false, true }},
		{"0 FISTA", func(s *sdnet.Spec) { s.CSC.Iterations = 0 }},
		{"0 FISTA", func(s *sdnet.Spec) { s.CSCStem, s.CSC.Iterations = false, 0 }},
		{"lambda -0.1", func(s *sdnet.Spec) { s.CSC.Lambda = -0.1 }},
		{"lambda NaN", func(s *sdnet.Spec) { s.CSC.Lambda = math.NaN() }},
		{"mu -1", func(s *sdnet.Spec) { s.CSC.Mu = -1 }},
		{"Stem.Kernel is 0", func(s *sdnet.Spec) { s.Data.Stem.Kernel = 0 }},
		{"Stem.Kernel is -3", func(s *sdnet.Spec) { s.Data.Stem.Kernel = -3 }},
		{"Stem.Kernel is 65537", func(s *sdnet.Spec) { s.Data.Stem.Kernel = 65537 }},
		{"Stem.Kernel is", func(s *sdnet.Spec) { s.Data.Stem.Kernel = math.MaxInt }},
		{"Stem.Stride is -1", func(s *sdnet.Spec) { s.Data.Stem.Stride = -1 }},
		{"Stem.Padding is -1", func(s *sdnet.Spec) { s.Data.Stem.Padding = -1 }},
		{"Stem.Padding is 3", func(s *sdnet.Spec) { s.Data.Stem.Padding = 3 }},
		{"Stem.Dilation is -2", func(s *sdnet.Spec) { s.Data.Stem.Dilation = -2 }},
		{"Stem.OutputPadding is 1", func(s *sdnet.Spec) { s.Data.Stem.OutputPadding = 1 }},
		{"0 classes", func(s *sdnet.Spec) { s.Data.Classes = 0 }},
		{"more than 1024", func(s *sdnet.Spec) { s.Blocks = []int{1, 1, 1023} }},
		{"more than 1024", func(s *sdnet.Spec) { s.Blocks = []int{math.MaxInt, math.MaxInt, 3} }}, // whose sum is 1 in an int
		{"FISTA iterations", func(s *sdnet.Spec) { s.CSC.Iterations = math.MaxInt }},
		{"make tensors of more", func(s *sdnet.Spec) { s.Widths = []int{4, 4, math.MaxInt} }},
		{"make tensors of more", func(s *sdnet.Spec) { s.Atoms = math.MaxInt / 9 }},
		{"make tensors of more", func(s *sdnet.Spec) { s.Data.Classes = math.MaxInt }},
		{"make tensors of more", func(s *sdnet.Spec) { s.Widths, s.Data.Stem.Kernel, s.Data.Image = []int{1 << 16, 4, 4}, 1<<16, 1<<16 }},
		{"multiply-adds for an image", func(s *sdnet.Spec) {
			s.Widths, s.Data.Image, s.CSC.Iterations = []int{64, 64, 64}, 1<<16, 1<<20
		}},
		{"0x0", func(s *sdnet.Spec) { s.Data.Image = 0 }},
		{"6x6", func(s *sdnet.Spec) { s.Data.Image, s.Data.Stem = 6, sdnet.Stem{Kernel: 7} }},
	} {
		spec := small(t, "sdnet8_all_narrow", 16)
		c.spoil(&spec)
		err := spec.Check()
		if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), spec.Name) {
			t.Errorf("error %v, want one that names the network and says %q", err, c.says)
			continue
		}
		if _, again := sdnet.New[float32](spec); again == nil || again.Error() != err.Error() {
			t.Errorf("New: error %v, Check: %v", again, err)
		}
	}
}
