package pretrained_test

import (
	"fmt"

	"sdref/sdnet/pretrained"
)

// The checkpoints are safetensors files within the program: training.LoadNetwork makes one a network, and training.OpenNetwork and
// classify.Open take its path. The atoms of the first layer, for instance, are a tensor of one.
func ExampleOpen() {
	for _, name := range pretrained.Names() {
		f, err := pretrained.Open(name)
		if err != nil {
			panic(err)
		}
		atoms, err := f.Get("layer0.0.dn.weight")
		if err != nil {
			panic(err)
		}
		fmt.Println(f.Path, atoms.Shape)
	}
	_, err := pretrained.Open("alexnet")
	fmt.Println(err)
	// Output:
	// pretrained:sdnet8_all_slim_noshortcut [32 3 3 3]
	// pretrained:sdnet8_slim [64 3 3 3]
	// pretrained:sdnet_air_whitened [32 3 3 3]
	// no pretrained network "alexnet"; there are sdnet8_all_slim_noshortcut, sdnet8_slim, sdnet_air_whitened
}
