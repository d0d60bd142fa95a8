package sdnet_test

import (
	"fmt"

	"sdref/sdnet"
	"sdref/sdnet/data"
	"sdref/tensor"
)

// A network is made by name, filled, and asked for the classes of images.
func Example() {
	spec, err := sdnet.Lookup("sdnet8_narrow", "shapes")
	if err != nil {
		panic(err)
	}
	net, err := sdnet.New[float32](spec)
	if err != nil {
		panic(err)
	}
	net.Initialize(1) // or a checkpoint, into the tensors of net.State()
	fmt.Println(net.CountParameters(), "parameters; first", net.State()[0].Name, net.State()[0].Shape)

	images := tensor.New[float32](4, data.Channels, data.Side, data.Side)
	tensor.FillUniform(images, 1, 1, 0)
	logits := sdnet.NewPredictor(net.Evaluable()).Logits(images)
	fmt.Println("logits", logits.Shape)
	// Output:
	// 78042 parameters; first layer0.0.dn.weight [16 3 3 3]
	// logits [4 10]
}

// One training step reports the loss before it, and what power iteration found about each CSC layer's dictionary.
func ExampleTrainer() {
	spec, err := sdnet.Lookup("sdnet8_narrow", "shapes")
	if err != nil {
		panic(err)
	}
	net, err := sdnet.New[float32](spec)
	if err != nil {
		panic(err)
	}
	net.Initialize(1)

	d := data.Shapes(8, 0, 1)
	images := tensor.New[float32](8, data.Channels, data.Side, data.Side)
	var indices, labels []int
	for i, label := range d.Train.Labels {
		indices, labels = append(indices, i), append(labels, int(label))
	}
	data.NewNormaliser[float32](d.Mean, d.Std).Plain(images.Data, d.Train, indices)

	trainer := sdnet.NewTrainer(net, 0.9, 5e-4)
	for range 2 {
		result := trainer.Step(images, labels, 0.05)
		fmt.Printf("loss %.4f, %d of 8 right, largest eigenvalue %.4f\n", result.Loss, result.Correct, result.Estimates[0].Value)
	}
	// Output:
	// loss 2.3909, 1 of 8 right, largest eigenvalue 10.3218
	// loss 1.7164, 7 of 8 right, largest eigenvalue 10.3728
}
