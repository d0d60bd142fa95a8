package sdnet

import (
	"sdref/conv"
	"sdref/tensor"
)

// The iterations of dewhiten, at most, and the share of the first residual at which it has arrived.
const (
	dewhitenIterations = 2000
	dewhitenResidual   = 1e-10
)

// dewhiten returns the images x that the whitening convolution W makes nearest to y, both (N, C, H, W), each by conjugate gradients on
// W*W x = W*y (M. Hestenes and E. Stiefel, 1952) in float64. W is regular but passes slowly varying colours on weakly, so that an error
// of y there is larger in x.
func (n *Network[T]) dewhiten(y *tensor.Tensor[T]) *tensor.Tensor[T] {
	w, g := tensor.Convert[float64](n.byName[whiteningName]), conv.Geometry{Padding: whiteningKernel / 2}
	images := tensor.New[T](y.Shape...)
	size := tensor.Size(y.Shape[1:])
	one := append([]int{1}, y.Shape[1:]...)
	normal, forward := tensor.New[float64](one...), tensor.New[float64](one...)
	for i := range y.Shape[0] {
		image := tensor.Convert[float64](tensor.From(y.Data[i*size:(i+1)*size], one...))
		x, r := tensor.New[float64](one...), tensor.New[float64](one...)
		conv.Transpose(r, image, w, g)
		p, before := r.Clone(), tensor.SumSquares(r)
		for k, least := 0, before*(dewhitenResidual*dewhitenResidual); k < dewhitenIterations && before > least; k++ {
			conv.Forward(forward, p, w, g)
			t := before / tensor.SumSquares(forward)
			conv.Transpose(normal, forward, w, g)
			tensor.AddScaled(x, x, p, t)
			tensor.AddScaled(r, r, normal, -t)
			now := tensor.SumSquares(r)
			tensor.AddScaled(p, r, p, now/before)
			before = now
		}
		copy(images.Data[i*size:(i+1)*size], tensor.Convert[T](x).Data)
	}
	return images
}
