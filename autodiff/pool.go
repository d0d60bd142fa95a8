package autodiff

import (
	"sdref/internal/kernel"
	"sdref/internal/parallel"
	"sdref/tensor"
)

// MaxPool returns the maximum over size x size windows at the given stride, of x with padding borders that never win.
// Shapes: x (N, C, H, W), y (N, C, Ho, Wo) with Ho = floor((H + 2*padding - size)/stride) + 1. Of equal elements the first
// in row-major order wins; a NaN wins over all. Pullback: dy goes to the winner. Saves the winners' places.
func MaxPool[T tensor.Float](x *Var[T], size, stride, padding int) *Var[T] {
	s := x.Shape()
	if len(s) != 4 || size < 1 || stride < 1 || padding < 0 || 2*padding > size || s[2]+2*padding < size || s[3]+2*padding < size {
		panic(&tensor.ShapeError{Op: "MaxPool (x; size, stride, padding)", Shapes: [][]int{s, {size, stride, padding}}})
	}
	h, w := s[2], s[3]
	ho, wo := (h+2*padding-size)/stride+1, (w+2*padding-size)/stride+1
	y := x.tape.result(s[0], s[1], ho, wo)
	in, out := x.Value().Data, y.Value().Data
	winner := make([]int32, len(out))
	parallel.Ranges(s[0]*s[1], 8, func(lo, hi int) {
		for q := lo * ho * wo; q < hi*ho*wo; q++ {
			plane, i, j := q/(ho*wo), q/wo%ho, q%wo
			best := -1
			for a := max(0, i*stride-padding); a < min(h, i*stride-padding+size); a++ {
				for b := max(0, j*stride-padding); b < min(w, j*stride-padding+size); b++ {
					at := (plane*h+a)*w + b
					if best < 0 || in[at] > in[best] || in[at] != in[at] {
						best = at
					}
				}
			}
			out[q], winner[q] = in[best], int32(best-plane*h*w)
		}
	})
	dx := func(dst, dy *tensor.Tensor[T]) {
		parallel.Ranges(s[0]*s[1], 8, func(lo, hi int) {
			clear(dst.Data[lo*h*w : hi*h*w])
			for q := lo * ho * wo; q < hi*ho*wo; q++ {
				dst.Data[q/(ho*wo)*h*w+int(winner[q])] += dy.Data[q]
			}
		})
	}
	return x.tape.finish(y, op[T]{args: []*Var[T]{x}, pulls: []pullback[T]{dx}})
}

// AveragePool returns each channel's mean over all pixels. Shapes: x (N, C, H, W), y (N, C). The sum is in float64.
// Pullback: dx = dy/(H*W) at every pixel. Saves nothing.
func AveragePool[T tensor.Float](x *Var[T]) *Var[T] {
	s := x.Shape()
	if len(s) != 4 {
		panic(&tensor.ShapeError{Op: "AveragePool", Shapes: [][]int{s}})
	}
	area := s[2] * s[3]
	y := x.tape.result(s[0], s[1])
	in, out := x.Value().Data, y.Value().Data
	set := kernel.Active[T]()
	parallel.Ranges(s[0]*s[1], 64, func(lo, hi int) {
		for p := lo; p < hi; p++ {
			out[p] = T(set.Sum(in[p*area:(p+1)*area]) / float64(area))
		}
	})
	dx := func(dst, dy *tensor.Tensor[T]) {
		parallel.Ranges(s[0]*s[1], 64, func(lo, hi int) {
			for p := lo; p < hi; p++ {
				share := T(float64(dy.Data[p]) / float64(area))
				row := dst.Data[p*area : (p+1)*area]
				for i := range row {
					row[i] = share
				}
			}
		})
	}
	return x.tape.finish(y, op[T]{args: []*Var[T]{x}, pulls: []pullback[T]{dx}})
}
