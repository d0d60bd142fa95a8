// A network trained on images of one's own, grey ones here, by a recipe, until it is done or interrupted.
package main

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"log"
	"os"
	"os/signal"

	"sdref/sdnet"
	"sdref/sdnet/data"
	"sdref/sdnet/training"
)

// bars yields n grey pictures: odd ones of upright bars, label 1, even ones of level bars, label 0.
func bars(n, phase int) func(yield func(image.Image, int) bool) {
	return func(yield func(image.Image, int) bool) {
		for i := range n {
			m := image.NewGray(image.Rect(0, 0, 16, 16))
			for k := range 256 {
				at := [2]int{k / 16, k % 16}[i%2]
				m.SetGray(k%16, k/16, color.Gray{uint8(255 * ((at + i + phase) / 2 % 2))})
			}
			if !yield(m, i%2) {
				return
			}
		}
	}
}

func main() {
	shape := [3]int{1, 16, 16} // one channel: 3 are red, green, blue
	train, err := data.NewPictures("bars", shape, bars(64, 0))
	check(err)
	test, err := data.NewPictures("other bars", shape, bars(32, 1))
	check(err)
	set, err := data.Own("bars", []string{"level", "upright"}, train, test)
	check(err)
	config := training.Demo().For(sdnet.Spec{Name: "barnet", Blocks: []int{1, 1}, Widths: []int{4, 8}, CSCStem: true, CSC: sdnet.PublishedCSC,
		Data: sdnet.Data{Name: "bars", Classes: 2, Image: 16, Channels: 1, Stem: sdnet.CIFARStem}})
	config.Images, config.Batch, config.Epochs, config.Augment = train.Len(), 16, 20, true
	run, err := training.New[float32](config, set)
	check(err)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	check(run.Train(ctx, nil))
	e := training.Evaluate(run.Net().Evaluable(), set.Test, set.Mean, set.Std, 32, nil)
	fmt.Printf("recognised %d of %d\n", e.Top1, e.Images)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
