package torchfile_test

import (
	"fmt"
	"os"
	"path/filepath"

	"sdref/tensor/safetensors"
	"sdref/tensor/torchfile"
)

// A file that PyTorch wrote: a state_dict beside the number of the epoch.
func ExampleRead() {
	f, err := torchfile.Read(filepath.Join("testdata", "checkpoint.pth"))
	if err != nil {
		panic(err)
	}
	for _, t := range f.Tensors[:2] {
		fmt.Println(t.Name, t.Type, t.Shape)
	}
	fmt.Println(f.Scalars[0])
	bias, err := f.Tensors[1].Values().Float64s()
	if err != nil {
		panic(err)
	}
	fmt.Printf("%.3f\n", bias)

	_, err = torchfile.Read(filepath.Join("testdata", "attack.pth"))
	fmt.Println(err)
	// Output:
	// state_dict.0.weight float32 [3 2 2 2]
	// state_dict.1.weight float32 [3]
	// {epoch 3}
	// [-2.600 -2.599 -2.600]
	// testdata/attack.pth: record attack/data.pkl: pickle, byte 34, GLOBAL: the pickle names "posix.system", which is not allowed
}

// A file that torch.load reads.
func ExampleWrite() {
	folder, err := os.MkdirTemp("", "torchfile")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "state.pth")
	if err := torchfile.Write(path, []safetensors.Tensor{safetensors.New("linear.bias", []int{2}, []float32{0.5, -1})}); err != nil {
		panic(err)
	}
	f, err := torchfile.Read(path)
	if err != nil {
		panic(err)
	}
	fmt.Println(f.Tensors[0].Name, f.Tensors[0].Values())
	// Output: linear.bias {linear.bias [2] [0.5 -1]}
}
