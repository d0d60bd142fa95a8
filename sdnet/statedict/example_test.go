package statedict_test

import (
	"fmt"
	"os"
	"path/filepath"

	"sdref/sdnet"
	"sdref/sdnet/statedict"
	"sdref/tensor/torchfile"
)

// A network goes out to PyTorch, and comes back without being told which it is.
func ExampleDict_Find() {
	folder, err := os.MkdirTemp("", "statedict")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	spec, err := sdnet.Lookup("sdnet8_narrow", "cifar10")
	if err != nil {
		panic(err)
	}
	net, err := sdnet.New[float32](spec)
	if err != nil {
		panic(err)
	}
	net.Initialize(1)
	path := filepath.Join(folder, "weights.pth")
	if err := torchfile.Write(path, statedict.Export(net, 0)); err != nil {
		panic(err)
	}

	d, err := statedict.Open(path)
	if err != nil {
		panic(err)
	}
	m, err := d.Find(statedict.Query{})
	if err != nil {
		panic(err)
	}
	fmt.Println(m.Spec.Name, m.Spec.Data.Name, m.Fits(), m.Computed)
	back, err := statedict.Fill[float32](m)
	if err != nil {
		panic(err)
	}
	for _, c := range statedict.Complete(back, m, nil) {
		fmt.Println(c.Layer, c.FileStep == float64(net.Layers[0].StepSize.Data[0]))
	}
	// Another network differs name by name.
	m, err = d.Find(statedict.Query{Network: "resnet8_narrow", Data: "cifar10"})
	fmt.Println(m.Summary(), err)
	// Output:
	// sdnet8_narrow cifar10 true [layer0.0.dn.v0]
	// layer0.0.dn true
	// 1 missing, 2 extra, 0 of another shape <nil>
}
