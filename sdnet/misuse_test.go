package sdnet_test

import (
	"errors"
	"testing"

	"sdref/sdnet"
	"sdref/tensor"
)

// Calls in the wrong order, and labels and images that do not fit, are typed panics, after which the trainer and the predictor work on.
func TestMisuse(t *testing.T) {
	spec, err := sdnet.Lookup("sdnet8_narrow", "shapes")
	if err != nil {
		t.Fatal(err)
	}
	net, err := sdnet.New[float32](spec)
	if err != nil {
		t.Fatal(err)
	}
	net.Initialize(1)
	net.UpdateSteps()
	trainer, predictor := sdnet.NewTrainer(net, 0.9, 0), sdnet.NewPredictor(net)
	images := tensor.New[float32](2, 3, 32, 32)
	tensor.FillUniform(images, 1, 1, 0)
	short := &tensor.Tensor[float32]{Shape: images.Shape, Data: images.Data[1:]}
	for name, f := range map[string]func(){
		"Apply first":          func() { trainer.Apply(0.1) },
		"Logits first":         func() { trainer.Logits() },
		"label 10 of 10":       func() { trainer.Gradients(images, []int{0, 10}) },
		"label -1":             func() { trainer.Step(images, []int{-1, 0}, 0.1) },
		"too few labels":       func() { trainer.Gradients(images, []int{1}) },
		"labels to a loss":     func() { predictor.Loss(images, []int{1, 2, 3}) },
		"label 10 to a loss":   func() { predictor.Loss(images, []int{1, 10}) },
		"label 10 to TopK":     func() { sdnet.TopK(tensor.New[float32](2, 10), []int{0, 10}, 1) },
		"Apply for a 2nd time": func() { trainer.Step(images, []int{1, 2}, 0.1); trainer.Apply(0.1) },
	} {
		var e *sdnet.MisuseError
		if err := recovered(f); !errors.As(err, &e) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, f := range map[string]func(){
		"one image without batch": func() { predictor.Logits(images.Row(0)) },
		"no image":                func() { predictor.Logits(tensor.New[float32](0, 3, 32, 32)) },
	} {
		var e *tensor.ShapeError
		if err := recovered(f); !errors.As(err, &e) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, f := range map[string]func(){
		"other size":       func() { predictor.Logits(tensor.New[float32](2, 3, 24, 32)) },
		"too few elements": func() { trainer.Gradients(short, []int{1, 2}) },
	} {
		if err := recovered(f); err == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if r := trainer.Step(images, []int{1, 2}, 0.1); !(r.Loss > 0) {
		t.Errorf("%+v", r)
	}
	predictor.Logits(images)
}

// recovered is what f panics with.
func recovered(f func()) (err error) {
	defer func() { err, _ = recover().(error) }()
	f()
	return nil
}
