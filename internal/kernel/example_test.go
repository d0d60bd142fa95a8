package kernel_test

import (
	"fmt"

	"sdref/internal/kernel"
)

// A product of a 1 x 2 and a 2 x Cols matrix, on whichever row is active: b's panel is as wide as the row's tiles.
func ExampleTile() {
	row := kernel.Active[float32]()
	tile := row.Tiles[len(row.Tiles)-1] // the one with 1 row
	a := []float32{2, 3}
	b := make([]float32, 2*row.Cols)
	b[0], b[row.Cols] = 10, 100 // column 0
	b[1], b[row.Cols+1] = 1, 1  // column 1

	c := make([]float32, row.Cols)
	tile.Mul(2, a, b, c, row.Cols, false)
	fmt.Println(c[:2])
	tile.Mul(2, a, b, c, row.Cols, true) // go on from what is there
	fmt.Println(c[:2])
	// Output:
	// [320 5]
	// [640 10]
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
