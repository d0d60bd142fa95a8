package main

import (
	"sdref/sdnet/cifar"
	"sdref/sdnet/shapes"
)

// The drawn images: how many, and from which seed. They are the same in every run.
const (
	shapesName  = "shapes"
	shapesTrain = 10_000
	shapesTest  = 2_000
	shapesSeed  = 1
)

// openImages returns the drawn images for the name shapes, and the data set in a folder otherwise.
func openImages(where string) (*cifar.Data, error) {
	if where == shapesName {
		return shapes.Data(shapesTrain, shapesTest, shapesSeed), nil
	}
	return cifar.Open(where)
}
