package attack_test

import (
	"fmt"

	"sdref/sdnet/attack"
	"sdref/sdnet/data"
	"sdref/sdnet/training"
)

// A change of 8/255 is hard to see; with it the network that comes with the module sees other things on each of these images.
func ExampleModel_Attack() {
	net, about, err := training.OpenNetwork[float32]("pretrained:sdnet8_slim")
	if err != nil {
		panic(err)
	}
	model := attack.NewModel(net, about.Mean, about.Std, 4)
	set, indices := data.Shapes(0, 4, 1).Test, []int{0, 1, 2, 3} // drawn; what the network takes them for is called right
	for i, class := range model.Classes(model.Begin(set, indices).Images) {
		set.Labels[i] = uint8(class)
	}
	examples := model.Begin(set, indices)
	fmt.Println("before:", examples.Remaining(), "of", len(examples.Labels))
	model.Attack(examples, attack.PGD{Norm: attack.Linf, Epsilon: 8. / 255, Steps: 10, Restarts: 1, Seed: 1}, nil)
	fmt.Println("after:", examples.Remaining(), "of", len(examples.Labels))
	// Output:
	// before: 4 of 4
	// after: 0 of 4
}
