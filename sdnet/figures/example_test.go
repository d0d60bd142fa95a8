package figures_test

import (
	"fmt"

	"sdref/sdnet/data"
	"sdref/sdnet/figures"
	"sdref/sdnet/training"
	"sdref/tensor"
)

// What the layers of an embedded network keep of a drawn image: Figure B.1 without the picture, and the zeros of Figure D.1.
func Example() {
	trained, about, err := training.OpenNetwork[float32]("pretrained:sdnet8_all_slim_noshortcut")
	if err != nil {
		panic(err)
	}
	net := trained.Evaluable()
	shape := about.Shape()
	x := tensor.New[float32](1, shape[0], shape[1], shape[2])
	data.NewNormaliser[float32](about.Mean, about.Std).Values(x.Data, data.Shapes(0, 1, 1).Test.Image(0), shape[0])

	pixels := figures.Pixels{Mean: about.Mean, Std: about.Std}
	list, err := figures.Reconstruct(net, x, "block0.0", "block1.1")
	if err != nil {
		panic(err)
	}
	for _, r := range list {
		fmt.Printf("%s: %.1f dB\n", r.Block, figures.PSNR(figures.Values(pixels, r.Exact, 0), figures.Values(pixels, x, 0)))
	}
	// figures.Picture(figures.Values(pixels, list[0].Exact, 0), shape[1], shape[2]) is an image.Image.

	batches := []*tensor.Tensor[float32]{x}
	codes := figures.CountCodes(net, func() (next *tensor.Tensor[float32]) {
		if len(batches) > 0 {
			next, batches = batches[0], batches[1:]
		}
		return next
	})
	fmt.Printf("%s: %.1f %% of %d codes are zero\n", codes[0].Layer, 100*codes[0].ZeroShare(), codes[0].Total)
	// Output:
	// block0.0: 13.4 dB
	// block1.1: 8.7 dB
	// layer0.0.dn: 50.4 % of 32768 codes are zero
}
