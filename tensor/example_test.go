package tensor_test

import (
	"fmt"

	"sdref/tensor"
)

// Images are (N, C, H, W), in row-major order; views share their elements.
func Example() {
	x := tensor.New[float32](2, 3, 4, 4)
	x.Set(7, 1, 2, 0, 3) // image 1, channel 2, row 0, column 3
	image := x.Row(1)
	fmt.Println(x.Len(), image.Shape, image.At(2, 0, 3), x.Data[((1*3+2)*4+0)*4+3])
	// Output: 96 [3 4 4] 7 7
}

func ExampleMatMul() {
	a := tensor.From([]float64{
		1, 2, 3,
		4, 5, 6}, 2, 3)
	b := tensor.From([]float64{
		1, 0, 1,
		0, 1, 1}, 2, 3)
	c := tensor.New[float64](2, 2)
	tensor.MatMul(c, a, b, false, true) // a b*
	fmt.Println(c.Data)
	// Output: [4 5 10 11]
}

// Sums have float64 precision whatever the elements are.
func ExampleSum() {
	x := tensor.From([]float32{1 << 24, 1, 1, -(1 << 24)}, 4)
	fmt.Println(tensor.Sum(x), tensor.SumSquares(x.Reshape(2, 2).Row(0)))
	// Output: 2 2.81474976710657e+14
}

// Test vectors name their inputs by a seed, a scale and an offset; the values are exact in both element
// types.
func ExampleFillUniform() {
	single, double := tensor.New[float32](3), tensor.New[float64](3)
	tensor.FillUniform(single, 1, 0.5, 0)
	tensor.FillUniform(double, 1, 0.5, 0)
	fmt.Println(double.Data)
	fmt.Println(tensor.SameBits(tensor.Convert[float64](single), double))
	// Output:
	// [0.06656152009963989 0.24578171968460083 0.4710026979446411]
	// true
}

// A loop that returns what it took allocates in its first round only.
func ExampleArena() {
	arena := tensor.NewArena[float32]()
	for range 3 {
		x, y := arena.Get(2, 8), arena.Get(16)
		fmt.Println(arena.Live(), "out,", arena.Capacity(), "elements")
		arena.Put(x)
		arena.Put(y)
	}
	// Output:
	// 2 out, 32 elements
	// 2 out, 32 elements
	// 2 out, 32 elements
}

// Whatever does not fit is a mistake of the caller and panics with both shapes.
func ExampleShapeError() {
	defer func() { fmt.Println(recover().(*tensor.ShapeError)) }()
	tensor.Dot(tensor.New[float32](2, 3), tensor.New[float32](3, 2))
	// Output: Dot: shapes [[2 3] [3 2]] do not fit
}
