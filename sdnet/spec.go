// Package sdnet is the networks of Dai et al., "Revisiting Sparse Convolutional Model for Visual Recognition" (NeurIPS
// 2022): residual networks in which the stem's convolution (SDNet), or every 3x3 convolution (SDNet-All), is a CSC layer, and
// the plain ResNets beside them.
//
// A network's shape is data (Spec), its flow is code (Network.Forward); parameters bear the published checkpoints' names.
// The package is for people who train and run these networks and for those who compare a backend with them. It knows which
// layers there are and in which order a training step does things; it knows nothing of the inside of FISTA or of files.
package sdnet

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"sdref/conv"
	"sdref/csc"
)

// Spec is the shape of a network.
type Spec struct {
	Name      string
	Blocks    []int // residual blocks per stage
	Widths    []int // channels per stage
	CSCStem   bool  // the stem's convolution is a CSC layer, with no ReLU behind it
	CSCBlocks bool  // so are the blocks' 3x3 convolutions; the 1x1 shortcuts stay ordinary
	Plain     bool  // blocks without shortcut and final ReLU: the form that (B.2) and (B.3) invert

	// Chain has groups in place of residual blocks (see Flow.Group): Blocks counts their convolutions, and the feature maps end in
	// a maximum over all pixels rather than their mean.
	Chain      bool
	Atoms      int     // channels of the stem; 0: the first of Widths
	Whitening  bool    // the stem begins with a fixed convolution that whitens patches of the training images (see Network.Whiten)
	FixedStem  bool    // the stem's convolution or atoms are not trained
	LogitScale float64 // a factor on the logits; 0: 1
	Activation Activation
	Norm       NormSettings

	Data      Data
	CSC       csc.Settings   // of every CSC layer, but for the geometry
	Algorithm conv.Algorithm // of every convolution, those of the CSC layers included
}

// String is the name, the data set and what it is made of.
func (s Spec) String() string {
	unit := "blocks"
	if s.Chain {
		unit = "groups"
	}
	parts := []string{fmt.Sprintf("%s %v of %v channels", unit, s.Blocks, s.Widths)}
	switch {
	case s.CSCBlocks && s.Plain:
		parts = append(parts, "CSC layers everywhere, no shortcuts")
	case s.CSCBlocks:
		parts = append(parts, "CSC layers everywhere")
	case s.CSCStem && s.Whitening:
		parts = append(parts, "CSC stem on whitened images")
	case s.CSCStem:
		parts = append(parts, "CSC stem")
	case s.Whitening:
		parts = append(parts, "whitening stem")
	}
	if s.Activation != ReLU {
		parts = append(parts, s.Activation.String())
	}
	parts = append(parts, "stem "+s.Data.Stem.String())
	if s.CSCStem || s.CSCBlocks {
		parts = append(parts, s.CSC.String())
	}
	return fmt.Sprintf("%s for %s: %s", s.Name, s.Data, strings.Join(parts, "; "))
}

// Data is what a network must know of the images it is made for.
type Data struct {
	Name    string
	Classes int
	Image   int // height, and width where that is not given: a multiple of 32 for the ImageNet stem and of 8 for the CIFAR stem in the networks below
	// Width is that of images that are not square, Channels the number of channels of those that are not red, green and blue: 1 for grey
	// ones. Both are 0 for square colour images.
	Width    int `json:",omitempty"`
	Channels int `json:",omitempty"`
	Stem     Stem
}

// Shape is that of an image: channels, height, width.
func (d Data) Shape() [3]int {
	return [3]int{cmp.Or(d.Channels, imageChannels), d.Image, cmp.Or(d.Width, d.Image)}
}

// String is the name with the number of classes and the size of the images, and their channels if these are not three.
func (d Data) String() string {
	shape := d.Shape()
	text := fmt.Sprintf("%s (%d classes, %dx%d", d.Name, d.Classes, shape[1], shape[2])
	if shape[0] != imageChannels {
		text += fmt.Sprintf(", channels: %d", shape[0])
	}
	return text + ")"
}

// Stem is the first convolution.
type Stem struct {
	Kernel int
	conv.Geometry
	Pool bool // a 3x3/2 max-pool follows, or in SDNet-All a CSC layer of that kernel and stride
}

// String is the convolution in a few words.
func (s Stem) String() string {
	text := fmt.Sprintf("%dx%d, %v", s.Kernel, s.Kernel, s.Geometry)
	if s.Pool {
		text += ", max-pool"
	}
	return text
}

// The two stems of the published networks, and the one of 2x2 patches.
var (
	CIFARStem    = Stem{Kernel: 3, Geometry: conv.Geometry{Padding: 1}}
	ImageNetStem = Stem{Kernel: 7, Geometry: conv.Geometry{Stride: 2, Padding: 3}, Pool: true}
	PatchStem    = Stem{Kernel: 2}
)

// DataSets lists the data sets that a network can be made for.
var DataSets = []Data{
	{Name: "cifar10", Classes: 10, Image: 32, Stem: CIFARStem},
	{Name: "cifar100", Classes: 100, Image: 32, Stem: CIFARStem},
	{Name: "imagenet", Classes: 1000, Image: 224, Stem: ImageNetStem},
	{Name: "shapes", Classes: 10, Image: 32, Stem: CIFARStem},
}

// PublishedCSC is the problem of the published networks: lambda 0.1, two iterations, codes not negative, atoms of norm 1.
var PublishedCSC = csc.Settings{Lambda: 0.1, Nonnegative: true, Iterations: 2, UnitNormAtoms: true}

var (
	blocks18 = []int{2, 2, 2, 2}
	blocks34 = []int{3, 4, 6, 3}
	full     = []int{64, 128, 256, 512}
	narrow   = []int{16, 32, 64}
)

// Networks lists the networks: the published ones; slim ones of the same design, which learn CIFAR in a quarter of an hour on a
// CPU and whose weights are small; narrow ones for quick runs; and chains, which learn CIFAR best for their arithmetic.
var Networks = []Spec{
	{Name: "resnet18", Blocks: blocks18, Widths: full},
	{Name: "resnet34", Blocks: blocks34, Widths: full},
	{Name: "sdnet18", Blocks: blocks18, Widths: full, CSCStem: true},
	{Name: "sdnet34", Blocks: blocks34, Widths: full, CSCStem: true},
	{Name: "sdnet18_all", Blocks: blocks18, Widths: full, CSCStem: true, CSCBlocks: true},
	{Name: "sdnet34_all", Blocks: blocks34, Widths: full, CSCStem: true, CSCBlocks: true},
	{Name: "sdnet18_all_noshortcut", Blocks: blocks18, Widths: full, CSCStem: true, CSCBlocks: true, Plain: true},
	{Name: "sdnet34_all_noshortcut", Blocks: blocks34, Widths: full, CSCStem: true, CSCBlocks: true, Plain: true},
	{Name: "sdnet8_slim", Blocks: []int{1, 1, 1}, Widths: []int{64, 64, 96}, CSCStem: true},
	{Name: "sdnet8_all_slim_noshortcut", Blocks: []int{1, 1, 1}, Widths: []int{32, 64, 64}, CSCStem: true, CSCBlocks: true, Plain: true},
	{Name: "resnet8_narrow", Blocks: []int{1, 1, 1}, Widths: narrow},
	{Name: "sdnet8_narrow", Blocks: []int{1, 1, 1}, Widths: narrow, CSCStem: true},
	{Name: "sdnet8_all_narrow", Blocks: []int{1, 1, 1}, Widths: narrow, CSCStem: true, CSCBlocks: true},
	{Name: "sdnet8_all_narrow_noshortcut", Blocks: []int{1, 1, 1}, Widths: narrow, CSCStem: true, CSCBlocks: true, Plain: true},
	chain("whitened_air", Spec{Widths: airWidths, Atoms: 24, Whitening: true, FixedStem: true, Data: Data{Stem: PatchStem}}),
	chain("convnet_air", Spec{Widths: airWidths, Atoms: 32}),
	chain("sdnet_air", Spec{Widths: airWidths, Atoms: 32, CSCStem: true}),
	chain("sdnet_air_whitened", Spec{Widths: airWidths, Atoms: 32, CSCStem: true, Whitening: true}),
	chain("sdnet_air_all", Spec{Widths: airWidths, Atoms: 32, CSCStem: true, CSCBlocks: true}),
	chain("whitened_air_wide", Spec{Widths: airWide, Atoms: 24, Whitening: true, FixedStem: true, Data: Data{Stem: PatchStem}}),
	chain("sdnet_air_wide", Spec{Widths: airWide, Atoms: 32, CSCStem: true}),
	chain("sdnet_air_narrow", Spec{Widths: narrow, Atoms: 16, CSCStem: true}),
}

// Lookup returns the named network for the named data set, with PublishedCSC. What it returns is the caller's to change.
func Lookup(network, data string) (Spec, error) {
	for _, s := range Networks {
		if s.Name != network {
			continue
		}
		for _, d := range DataSets {
			if d.Name == data {
				if s.Data.Stem.Kernel != 0 {
					d.Stem = s.Data.Stem
				}
				s.Data, s.CSC = d, PublishedCSC
				s.Blocks, s.Widths = slices.Clone(s.Blocks), slices.Clone(s.Widths)
				return s, nil
			}
		}
		return Spec{}, fmt.Errorf("unknown data set %q; there are %s", data, list(DataSets, func(d Data) string { return d.Name }))
	}
	return Spec{}, fmt.Errorf("unknown network %q; there are %s", network, list(Networks, func(s Spec) string { return s.Name }))
}

func list[E any](items []E, name func(E) string) string {
	var names []string
	for _, i := range items {
		names = append(names, name(i))
	}
	return strings.Join(names, ", ")
}

// maxStem is the greatest number in a stem: images have fewer pixels along an axis, and sums of such numbers do not overflow.
const maxStem = 1 << 16

// check tells which field of the stem has a value without meaning. Whether the kernel fits the images is another question.
func (s Stem) check() error {
	for _, field := range []struct {
		name         string
		value, least int
	}{{"Kernel", s.Kernel, 1}, {"Stride", s.Stride, 0}, {"Padding", s.Padding, 0}, {"Dilation", s.Dilation, 0}} {
		if field.value < field.least || field.value > maxStem {
			return fmt.Errorf("Data.Stem.%s is %d, not from %d to %d", field.name, field.value, field.least, maxStem)
		}
	}
	if reach := max(1, s.Dilation)*(s.Kernel-1) + 1; s.Padding >= reach {
		return fmt.Errorf("Data.Stem.Padding is %d: a kernel that reaches over %d would see nothing but zeros there", s.Padding, reach)
	}
	if s.OutputPadding != 0 {
		return fmt.Errorf("Data.Stem.OutputPadding is %d: it follows from the images' size", s.OutputPadding)
	}
	return nil
}

// Check tells what is wrong with a specification that was not made by Lookup.
func (s Spec) Check() error {
	if err := s.Data.Stem.check(); err != nil {
		return fmt.Errorf("network %s: %w", s.Name, err)
	}
	shape := s.Data.Shape()
	height, width := s.features()
	switch {
	case min(s.Data.Image, s.Data.Width, s.Data.Channels) < 0 || max(shape[1], shape[2]) > maxStem || shape[0] > maxStem:
		return fmt.Errorf("network %s: images of %d channels, %dx%d", s.Name, shape[0], shape[1], shape[2])
	case len(s.Blocks) == 0 || len(s.Blocks) != len(s.Widths):
		return fmt.Errorf("network %s: %d stages of blocks, %d of widths", s.Name, len(s.Blocks), len(s.Widths))
	case s.Chain && s.Plain:
		return fmt.Errorf("network %s: a chain has no shortcuts to leave out", s.Name)
	case s.Atoms < 0:
		return fmt.Errorf("network %s: a stem of %d channels", s.Name, s.Atoms)
	case s.Whitening && !s.CSCStem && s.stemChannels() > 2*s.patch():
		return fmt.Errorf("network %s: patches of %d numbers have no %d whitening filters", s.Name, s.patch(), s.stemChannels())
	case !(s.LogitScale >= 0) || !(s.Norm.Epsilon >= 0) || !(s.Norm.Momentum >= 0 && s.Norm.Momentum <= 1):
		return fmt.Errorf("network %s: logits scaled by %g, BatchNorm's epsilon %g and momentum %g", s.Name, s.LogitScale, s.Norm.Epsilon, s.Norm.Momentum)
	case s.Plain && !s.CSCBlocks:
		return fmt.Errorf("network %s: only networks of CSC blocks come without shortcuts", s.Name)
	case slices.Min(s.Blocks) < 1 || slices.Min(s.Widths) < 1:
		return fmt.Errorf("network %s: stages of %d blocks and widths %d must have at least 1 each", s.Name, s.Blocks, s.Widths)
	case s.CSC.Iterations > maxIterations || s.CSC.Iterations < 1 && (s.CSCStem || s.CSCBlocks):
		return fmt.Errorf("network %s: %d FISTA iterations", s.Name, s.CSC.Iterations)
	case !(s.CSC.Lambda >= 0) || !(s.CSC.Mu >= 0):
		return fmt.Errorf("network %s: lambda %g, mu %g must not be negative", s.Name, s.CSC.Lambda, s.CSC.Mu)
	case s.CSC.LearnStep && s.CSC.Gradient == csc.Implicit:
		return fmt.Errorf("network %s: the step size cannot be learned from the implicit gradient: the solution does not depend on it", s.Name)
	case s.Data.Classes < 1:
		return fmt.Errorf("network %s: %d classes", s.Name, s.Data.Classes)
	case height < 1 || width < 1:
		return fmt.Errorf("network %s: images of %dx%d are too small", s.Name, shape[1], shape[2])
	case s.Chain && height != width:
		return fmt.Errorf("network %s: a chain ends in a maximum over a square, and images of %dx%d leave features of %dx%d", s.Name,
			shape[1], shape[2], height, width)
	}
	return s.checkSizes()
}

// features are the height and width of the last stage's output.
func (s Spec) features() (height, width int) {
	shape := s.Data.Shape()
	return s.featureSide(shape[1]), s.featureSide(shape[2])
}

// featureSide is the height or width that an image's becomes.
func (s Spec) featureSide(side int) int {
	side = s.Data.Stem.CodeSize(side, s.Data.Stem.Kernel)
	halve := conv.Geometry{Stride: 2, Padding: 1}
	if s.Data.Stem.Pool {
		side = halve.CodeSize(side, 3)
	}
	if s.Chain {
		return side >> len(s.Blocks)
	}
	for range len(s.Blocks) - 1 {
		side = halve.CodeSize(side, 3)
	}
	return side
}
