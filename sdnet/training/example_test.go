package training_test

import (
	"fmt"
	"os"
	"path/filepath"

	"sdref/sdnet/data"
	"sdref/sdnet/training"
	"sdref/tensor/safetensors"
)

// tiny is a run that takes no time: 2 epochs of 3 steps on 10 drawn images.
func tiny() training.Config {
	c := training.Demo()
	c.Epochs, c.Images, c.Batch = 2, 10, 4
	return c
}

// A run is made from a configuration and its data, and goes step by step.
func ExampleNew() {
	d := data.Shapes(10, 0, 1)
	run, err := training.New[float32](tiny(), d.Dataset())
	if err != nil {
		panic(err)
	}
	for !run.Done() {
		step, err := run.Step()
		if err != nil {
			panic(err)
		}
		if step.Epoch != nil {
			fmt.Printf("epoch %d ends with step %d of %d\n", step.Epoch.Epoch, step.Iteration,
				run.TotalSteps())
		}
	}
	_, err = training.New[float32](training.Published(), d.Dataset())
	fmt.Println(err)
	// Output:
	// epoch 1 ends with step 3 of 6
	// epoch 2 ends with step 6 of 6
	// images: 0 training images
}

// A saved run goes on where it was, with the same bits as if it had not been interrupted.
func ExampleResume() {
	folder, err := os.MkdirTemp("", "run")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "checkpoint.safetensors")
	d := data.Shapes(10, 0, 1)

	run, err := training.New[float32](tiny(), d.Dataset())
	if err != nil {
		panic(err)
	}
	for range 4 {
		if _, err := run.Step(); err != nil {
			panic(err)
		}
	}
	if err := run.Save(path); err != nil {
		panic(err)
	}

	file, err := safetensors.Read(path)
	if err != nil {
		panic(err)
	}
	resumed, err := training.Resume[float32](file, d.Dataset())
	if err != nil {
		panic(err)
	}
	one, err := run.Step()
	if err != nil {
		panic(err)
	}
	other, err := resumed.Step()
	if err != nil {
		panic(err)
	}
	fmt.Println(other.Iteration, one.Loss == other.Loss)
	// Output: 5 true
}

// A network in training is evaluated as a copy whose step sizes and atoms are in order.
func ExampleEvaluate() {
	d := data.Shapes(10, 8, 1)
	run, err := training.New[float32](tiny(), d.Dataset())
	if err != nil {
		panic(err)
	}
	e := training.Evaluate(run.Net().Evaluable(), d.Test, d.Mean, d.Std, 3, func(e training.Evaluation) bool {
		fmt.Println(e.Images, "of", d.Test.Len())
		return true
	})
	fmt.Println(e.Codes[0].Layer, e.Codes[0].Total, e.Accuracy() <= e.Accuracy5())
	// Output:
	// 3 of 8
	// 6 of 8
	// 8 of 8
	// layer0.0.dn 131072 true
}
