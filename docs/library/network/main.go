// A network of one's own with a loop of one's own: built, trained, saved, loaded.
package main

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"sdref/csc"
	"sdref/sdnet"
	"sdref/sdnet/data"
	"sdref/sdnet/training"
	"sdref/tensor"
)

func main() {
	spec := sdnet.Spec{Name: "tiny", Blocks: []int{1, 1}, Widths: []int{8, 16}, CSCStem: true,
		Data: sdnet.Data{Name: "shapes", Classes: 10, Image: data.Side, Stem: sdnet.CIFARStem},
		CSC:  csc.Settings{Lambda: 0.1, Nonnegative: true, Iterations: 2, UnitNormAtoms: true}}
	net, err := sdnet.New[float32](spec)
	if err != nil {
		log.Fatal(err)
	}
	net.Initialize(1)

	set := data.Shapes(512, 0, 1)
	normal := data.NewNormaliser[float32](set.Mean, set.Std)
	const batch = 32
	images, labels := tensor.New[float32](batch, 3, data.Side, data.Side), make([]int, batch)
	trainer := sdnet.NewTrainer(net, 0.9, 5e-4)
	for step := range 96 {
		indices := make([]int, batch)
		for i := range indices {
			indices[i] = (step*batch + i) % set.Train.Len()
			labels[i] = set.Train.Label(indices[i])
		}
		normal.Plain(images.Data, set.Train, indices)
		r := trainer.Step(images, labels, 0.05)
		if step%24 == 23 {
			fmt.Printf("step %d: loss %.3f\n", step+1, r.Loss)
		}
	}

	about, err := set.Dataset().Describe()
	if err != nil {
		log.Fatal(err)
	}
	path := filepath.Join(os.TempDir(), "tiny.safetensors")
	if err := training.SaveNetwork(path, net, &about); err != nil {
		log.Fatal(err)
	}
	again, _, err := training.OpenNetwork[float32](path)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("the same weights:", again.Digest() == net.Digest())
}
