package robust_test

import (
	"fmt"

	"sdref/sdnet/data"
	"sdref/sdnet/robust"
	"sdref/sdnet/training"
)

// Noise shows in the residual of the stem's code, and a larger lambda leaves more of it there: what lambda is chosen by.
func ExampleModel_Predict() {
	net, about, err := training.OpenNetwork[float32]("pretrained:sdnet8_slim")
	if err != nil {
		panic(err)
	}
	model, err := robust.NewModel(net, about.Mean, about.Std, 1)
	if err != nil {
		panic(err)
	}
	clean := data.Shapes(0, 1, 1).Test
	noisy := data.AddNoise(clean, []int{0}, data.GaussianNoise, 5, 1)
	residual := func(set *data.Set, lambda float64) float64 {
		return model.Predict(set, robust.Repeat(1, lambda), nil)[0].Residual
	}
	fmt.Println(residual(noisy, model.Lambda) > residual(clean, model.Lambda))
	fmt.Println(residual(noisy, 5*model.Lambda) > residual(noisy, model.Lambda))
	// Output:
	// true
	// true
}
