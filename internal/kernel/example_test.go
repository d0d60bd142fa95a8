package kernel_test

import (
	"fmt"

	"sdref/internal/kernel"
)

// A product of a 1 x 2 and a 2 x Cols matrix, on whichever row is active: b's panel is as wide as the row's
// tiles.
func ExampleTile() {
	row := kernel.Active[float32]()
	tile := row.Tiles[len(row.Tiles)-1] // one row
	// The product of (1, 2, 3), whose elements lie two apart, with three rows of equal numbers.
	a, left := []float32{1, 0, 2, 0, 3}, []int{0, 2, 4}
	b, right := make([]float32, 3*row.Lanes), []int{0, row.Lanes, 2 * row.Lanes}
	for i := range b {
		b[i] = []float32{1, 10, 100}[i/row.Lanes]
	}
	c, first := make([]float32, row.Lanes), []int{0}
	tile.Mul(a, first, 0, left, b, first, right, c, first, row.Lanes, false)
	fmt.Println(c[0])
	tile.Mul(a, first, 0, left, b, first, right, c, first, row.Lanes, true) // goes on from c
	fmt.Println(c[row.Lanes-1])
	// Output:
	// 321
	// 642
}

// Packing: Gather copies runs to lines, Interleave to columns.
func ExampleSet() {
	row := kernel.Active[float64]()
	image := []float64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}

	lines := make([]float64, 2*3)
	row.Gather(lines, 3, image, []int{1, 5}, 3)
	fmt.Println(lines)

	columns := make([]float64, 3*2)
	row.Interleave(columns, 2, image, []int{1, 5}, 3)
	fmt.Println(columns)

	row.Shrink(lines, lines, 1, 2.5) // soft threshold, in place
	fmt.Println(lines)
	// Output:
	// [1 2 3 5 6 7]
	// [1 5 2 6 3 7]
	// [0 0 0.5 2.5 3.5 4.5]
}

// Rounding the product would lose what FMA keeps.
func ExampleFMA() {
	x := float32(1 + 0x1p-23) // the float32 after 1
	product := float32(x * x) // 1 + 2^-22; exactly it is 2^-46 more
	fmt.Println(kernel.FMA(x, x, -product) == 0x1p-46)
	// Output: true
}

func ExampleUse() {
	defer kernel.Use(kernel.ActiveName())
	fmt.Println(kernel.Use("generic"), kernel.ActiveName())
	// Output: <nil> generic
}
