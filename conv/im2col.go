package conv

import "sdref/tensor"

// Im2col returns the columns of one image x (C, H, W) as a matrix (C*KH*KW, Ho*Wo): row (c, u, v), column (i,
// j) holds x[c, i*s+u*d-p, j*s+v*d-p], so that the convolution is a matrix product:
//
//	    w                  Im2col(x)              y
//	M x C*KH*KW   times   C*KH*KW x Ho*Wo   =   M x Ho*Wo
//
// This is the readable form; Forward reads the same matrix from the images without ever writing it.
func Im2col[T tensor.Float](x *tensor.Tensor[T], kh, kw int, g Geometry) *tensor.Tensor[T] {
	batch := x.Reshape(append([]int{1}, x.Shape...)...)
	c, ho, wo := x.Shape[0], g.CodeSize(x.Shape[1], kh), g.CodeSize(x.Shape[2], kw)
	col := tensor.New[T](c*kh*kw, ho*wo)
	s, d := g.stride(), g.dilation()
	for row := range c * kh * kw {
		k, u, v := row/(kh*kw), row/kw%kh, row%kw
		for i := range ho {
			for j := range wo {
				col.Set(inside(batch, 0, k, i*s+u*d-g.Padding, j*s+v*d-g.Padding), row, i*wo+j)
			}
		}
	}
	return col
}

// Col2im is the adjoint of Im2col: it returns the image (c, h, w) in which each column element is added to
// the place that Im2col would read it from; elements of the padding are dropped.
func Col2im[T tensor.Float](col *tensor.Tensor[T], c, h, w, kh, kw int, g Geometry) *tensor.Tensor[T] {
	x := tensor.New[T](c, h, w)
	ho, wo := g.CodeSize(h, kh), g.CodeSize(w, kw)
	s, d := g.stride(), g.dilation()
	for row := range c * kh * kw {
		k, u, v := row/(kh*kw), row/kw%kh, row%kw
		for i := range ho {
			for j := range wo {
				a, b := i*s+u*d-g.Padding, j*s+v*d-g.Padding
				if a >= 0 && a < h && b >= 0 && b < w {
					x.Set(x.At(k, a, b)+col.At(row, i*wo+j), k, a, b)
				}
			}
		}
	}
	return x
}
