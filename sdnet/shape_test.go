package sdnet_test

import (
	"math"
	"strings"
	"testing"

	"sdref/conv"
	"sdref/csc"
	"sdref/internal/random"
	"sdref/sdnet"
	"sdref/tensor"
)

// transposed is t with its last two axes exchanged.
func transposed(t *tensor.Tensor[float64]) *tensor.Tensor[float64] {
	axes := len(t.Shape)
	if axes < 3 {
		return t.Clone()
	}
	shape := append([]int{}, t.Shape...)
	h, w := shape[axes-2], shape[axes-1]
	shape[axes-2], shape[axes-1] = w, h
	out := tensor.New[float64](shape...)
	for i, v := range t.Data {
		plane, y, x := i/(h*w), i/w%h, i%w
		out.Data[(plane*w+x)*h+y] = v
	}
	return out
}

// A network for high images with its filters transposed says of transposed images what the one for wide images says of these, and
// learns the same from them, whatever the number of channels: height and width are taken for each other nowhere.
func TestTransposedImages(t *testing.T) {
	csc := csc.Settings{Lambda: 0.05, Nonnegative: true, Iterations: 3, UnitNormAtoms: true}
	for name, spec := range map[string]sdnet.Spec{
		"plain":     {Blocks: []int{1, 2}, Widths: []int{4, 6}, Data: sdnet.Data{Stem: sdnet.CIFARStem}},
		"stem":      {Blocks: []int{1, 1}, Widths: []int{4, 6}, CSCStem: true, Data: sdnet.Data{Channels: 1, Stem: sdnet.CIFARStem}},
		"strided":   {Blocks: []int{1, 1}, Widths: []int{4, 6}, CSCStem: true, Data: sdnet.Data{Channels: 2, Stem: sdnet.Stem{Kernel: 5, Geometry: conv.Geometry{Stride: 2, Padding: 2}}}},
		"all":       {Blocks: []int{1, 1}, Widths: []int{4, 6}, CSCStem: true, CSCBlocks: true, Plain: true, Data: sdnet.Data{Channels: 1, Stem: sdnet.CIFARStem}},
		"pooled":    {Blocks: []int{1, 1}, Widths: []int{4, 6}, Data: sdnet.Data{Channels: 1, Stem: sdnet.ImageNetStem}},
		"whitening": {Blocks: []int{1, 1}, Widths: []int{4, 6}, CSCStem: true, Whitening: true, Data: sdnet.Data{Channels: 1, Stem: sdnet.CIFARStem}},
	} {
		spec.Name, spec.CSC, spec.Data.Name, spec.Data.Classes, spec.Data.Image, spec.Data.Width = name, csc, "own", 5, 20, 33
		wide, err := sdnet.New[float64](spec)
		if err != nil {
			t.Fatal(err)
		}
		spec.Data.Image, spec.Data.Width = 33, 20
		high, err := sdnet.New[float64](spec)
		if err != nil {
			t.Fatal(err)
		}
		shape := wide.Data.Shape()
		x, draws := tensor.New[float64](3, shape[0], shape[1], shape[2]), random.New(5)
		for i := range x.Data {
			x.Data[i] = 2*draws.Float(uint64(i)) - 1
		}
		wide.Initialize(2)
		if wide.Whitening {
			wide.Whiten(x)
		}
		for i, s := range wide.State() {
			copy(high.State()[i].Data, transposed(s.Tensor).Data)
		}
		same := func(what string, got, want *tensor.Tensor[float64]) {
			t.Helper()
			for i := range want.Data {
				if math.Abs(got.Data[i]-want.Data[i]) > 1e-9*max(1, math.Abs(want.Data[i])) {
					t.Fatalf("%s: %s: element %d is %g, want %g", name, what, i, got.Data[i], want.Data[i])
				}
			}
		}
		labels := []int{3, 0, 4}
		a, b := sdnet.NewTrainer(wide, 0.9, 1e-3), sdnet.NewTrainer(high, 0.9, 1e-3)
		for range 2 {
			a.Step(x, labels, 0.1)
			b.Step(transposed(x), labels, 0.1)
		}
		for i, s := range wide.State() {
			same(s.Name, high.State()[i].Tensor, transposed(s.Tensor))
		}
		logits := sdnet.NewPredictor(wide.Evaluable()).Logits(x).Clone()
		same("logits", sdnet.NewPredictor(high.Evaluable()).Logits(transposed(x)), logits)
		if tensor.SumAbs(logits) == 0 {
			t.Errorf("%s: logits of zeros", name)
		}
	}
}

func TestShapesOfImages(t *testing.T) {
	good := sdnet.Spec{Name: "mine", Blocks: []int{1, 1}, Widths: []int{4, 6}, Data: sdnet.Data{Name: "own", Classes: 2, Image: 16, Stem: sdnet.CIFARStem}}
	if got := good.Data.Shape(); got != [3]int{3, 16, 16} || good.Data.String() != "own (2 classes, 16x16)" {
		t.Errorf("%v, %s", got, good.Data)
	}
	good.Data.Width, good.Data.Channels = 24, 1
	if got := good.Data.Shape(); got != [3]int{1, 16, 24} || good.Data.String() != "own (2 classes, 16x24, channels: 1)" || good.Check() != nil {
		t.Errorf("%v, %s, %v", got, good.Data, good.Check())
	}
	for want, change := range map[string]func(s *sdnet.Spec){
		"images of -1 channels": func(s *sdnet.Spec) { s.Data.Channels = -1 },
		"16x-3":                 func(s *sdnet.Spec) { s.Data.Width = -3 },
		"100000":                func(s *sdnet.Spec) { s.Data.Width = 100000 },
		"are too small":         func(s *sdnet.Spec) { s.Data.Width, s.Data.Stem = 2, sdnet.Stem{Kernel: 3} },
		"a maximum over a square, and images of 16x24 leave features of 4x6": func(s *sdnet.Spec) { s.Chain = true },
	} {
		s := good
		change(&s)
		if _, err := sdnet.New[float32](s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
	net, err := sdnet.New[float32](good)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if _, ok := recover().(*tensor.ShapeError); !ok {
			t.Error("colour images were taken")
		}
	}()
	sdnet.NewPredictor(net).Logits(tensor.New[float32](1, 3, 16, 24))
}
