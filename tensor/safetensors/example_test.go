package safetensors_test

import (
	"bytes"
	"fmt"

	"sdref/tensor/safetensors"
)

func Example() {
	var file bytes.Buffer
	err := safetensors.Encode(&file, &safetensors.File{
		Metadata: map[string]string{"network": "sdnet18"},
		Tensors: []safetensors.Tensor{
			safetensors.New("weight", []int{2, 3}, []float32{1, 2, 3, 4, 5, 6}),
			safetensors.New("steps", nil, []int64{7}),
		},
	})
	if err != nil {
		panic(err)
	}

	f, err := safetensors.Decode(file.Bytes())
	if err != nil {
		panic(err)
	}
	for _, t := range f.Tensors {
		fmt.Println(t.Name, t.DType(), t.Shape)
	}
	t, err := f.GetShaped("weight", 2, 3)
	if err != nil {
		panic(err)
	}
	weight, err := safetensors.Values[float32](t)
	fmt.Println(weight, err)
	_, err = f.GetShaped("weight", 3, 2)
	fmt.Println(err)
	// Output:
	// weight F32 [2 3]
	// steps I64 []
	// [1 2 3 4 5 6] <nil>
	// tensor "weight" has shape [2 3], want [3 2]
}
