package conv_test

import (
	"fmt"

	"sdref/conv"
	"sdref/tensor"
)

// The algorithm is part of the geometry. Winograd's results differ from the direct ones by rounding errors.
func ExampleAlgorithm() {
	x, w := tensor.New[float32](1, 8, 6, 6), tensor.New[float32](8, 8, 3, 3)
	tensor.FillUniform(x, 1, 1, 0)
	tensor.FillUniform(w, 2, 1, 0)
	direct := conv.Geometry{Padding: 1}
	fast := direct
	fast.Algorithm = conv.Winograd

	a := tensor.New[float32](direct.CodeShape(x.Shape, w.Shape)...)
	b := tensor.New[float32](a.Shape...)
	conv.Forward(a, x, w, direct)
	conv.Forward(b, x, w, fast)
	largest := float32(0)
	for i := range a.Data {
		largest = max(largest, a.Data[i]-b.Data[i], b.Data[i]-a.Data[i])
	}
	fmt.Println(fast)
	fmt.Println("same bits:", tensor.FirstDifference(a, b) < 0)
	fmt.Println("within 1e-4:", largest < 1e-4)
	// Output:
	// stride 1, padding 1, output padding 0, dilation 1, algorithm winograd
	// same bits: false
	// within 1e-4: true
}
