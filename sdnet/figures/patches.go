package figures

import (
	"image"

	"sdref/tensor"
)

// Patches returns the atoms w (M, 3, k, k) of a dictionary over colour images, or (M, 1, k, k) over grey ones, as M images of k x k pixels,
// each atom scaled by itself so that its smallest element is 0 and its largest 1: Figure C.1.
func Patches[T tensor.Float](w *tensor.Tensor[T]) []*image.NRGBA {
	var list []*image.NRGBA
	for m := range w.Shape[0] {
		atom := w.Row(m)
		mustBeImage("figures.Patches", atom.Shape)
		values := make([]float64, atom.Len())
		stretch(values, tensor.Convert[float64](atom).Data)
		list = append(list, Picture(values, atom.Shape[1], atom.Shape[2]))
	}
	return list
}
