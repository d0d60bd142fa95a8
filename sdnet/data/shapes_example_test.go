package data_test

import (
	"fmt"

	"sdref/sdnet/data"
)

// Ten classes, the same bytes for the same seed.
func ExampleShapes() {
	d := data.Shapes(2000, 500, 1)
	fmt.Println(d.Train.Len(), d.Test.Len())
	for label, name := range d.Train.Classes {
		fmt.Println(label, name)
	}
	// Output:
	// 2000 500
	// 0 disc
	// 1 ring
	// 2 square
	// 3 frame
	// 4 triangle
	// 5 cross
	// 6 star
	// 7 stripes
	// 8 checkerboard
	// 9 crescent
}
