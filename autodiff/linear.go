package autodiff

import "sdref/tensor"

// Linear returns y = x w* + b. Shapes: x (N, I), w (O, I), b (O), y (N, O). Pullbacks: dx = dy w, dw = dy* x, db = the sum
// of dy over images, in float64. Saves x and w.
func Linear[T tensor.Float](x, w, b *Var[T]) *Var[T] {
	xs, ws := x.Shape(), w.Shape()
	if len(xs) != 2 || len(ws) != 2 || xs[1] != ws[1] || len(b.Shape()) != 1 || b.Shape()[0] != ws[0] {
		panic(&tensor.ShapeError{Op: "Linear", Shapes: [][]int{xs, ws, b.Shape()}})
	}
	y := x.tape.result(xs[0], ws[0])
	in, weights, out := x.buf, w.buf, y.Value()
	tensor.MatMul(out, x.Value(), w.Value(), false, true)
	for n := range xs[0] {
		row := out.Row(n)
		tensor.AddScaled(row, row, b.Value(), 1)
	}
	dx := func(dst, dy *tensor.Tensor[T]) { tensor.MatMul(dst, dy, weights.Tensor, false, false) }
	dw := func(dst, dy *tensor.Tensor[T]) { tensor.MatMul(dst, dy, in.Tensor, true, false) }
	db := func(dst, dy *tensor.Tensor[T]) {
		for o := range ws[0] {
			sum := 0.0
			for n := range xs[0] {
				sum += float64(dy.Data[n*ws[0]+o])
			}
			dst.Data[o] = T(sum)
		}
	}
	return x.tape.finish(y, op[T]{args: []*Var[T]{x, w, b}, pulls: []pullback[T]{dx, dw, db}, saves: []*Var[T]{x, w}})
}
