package solve

import (
	"math"

	"sdref/internal/parallel"
	"sdref/tensor"
)

// Coordinate is greedy coordinate descent, locally: the code is cut into blocks of positions, which are
// visited in turn; in each, the element that would move most is set to its best value, the others kept, and c
// = A*r - mu z is updated where its atom overlaps others, from a table of inner products (Moreau, Oudre and
// Vayatis, "DICOD: distributed convolutional coordinate descent for convolutional sparse coding", 2018). For
// element z_i with its atom a_i
//
//	z_i <- soft(c_i + (|a_i|^2 + mu) z_i, lambda)/(|a_i|^2 + mu) .
//
// It is for sparse codes at low accuracy. An iteration visits every block once; images go in parallel.
type Coordinate[T tensor.Float] struct{}

func (Coordinate[T]) Name() string               { return "coordinate" }
func (Coordinate[T]) Supports(*Problem[T]) error { return nil }

func (s Coordinate[T]) Solve(p *Problem[T], stop Stop,
	observe func(Record, *tensor.Tensor[T]) bool) Result[T] {
	run := newRun(s, p, stop, observe)
	z, c := tensor.New[T](p.CodeShape()...), tensor.New[T](p.CodeShape()...)
	a, r := newOperator(p.A, p.X.Shape), p.X.Clone()
	g := newGram(p.A, p.X.Shape)
	changes := make([]float64, z.Shape[0])
	for k := 1; ; k++ {
		if (k-1)%sweepsPerRefresh == 0 { // the updates' rounding errors add up
			a.synthesize(r, z, nil)
			tensor.AddScaled(r, p.X, r, -1)
			a.analyze(c, r, nil)
			tensor.AddScaled(c, c, z, T(-p.Mu))
		}
		parallel.For(z.Shape[0], func(_, n int) {
			sweep := coordinateSweep[T]{gram: g, p: p, z: z.Row(n).Data, c: c.Row(n).Data}
			changes[n] = sweep.all()
		})
		change := 0.0
		for _, v := range changes {
			change += v
		}
		if run.done(Record{Iteration: k, Change: math.Sqrt(change)}, z) {
			return run.result(z)
		}
	}
}

// sweepsPerRefresh is the number of sweeps after which c is computed from z again.
const sweepsPerRefresh = 50

// coordinateSweep is a sweep over one image's code.
type coordinateSweep[T tensor.Float] struct {
	*gram[T]
	p    *Problem[T]
	z, c []T // (M, Ho, Wo)
}

// all visits every block and returns the sum of the squared moves.
func (s *coordinateSweep[T]) all() (change float64) {
	height, width := s.code[2], s.code[3]
	for i := 0; i < height; i += s.block {
		for j := 0; j < width; j += s.block {
			change += s.visit(i, min(i+s.block, height), j, min(j+s.block, width))
		}
	}
	return change
}

// visit improves the element of a block that would move most, as often as the block has positions or until
// none moves.
func (s *coordinateSweep[T]) visit(top, bottom, left, right int) (change float64) {
	for range (bottom - top) * (right - left) {
		element, longest, move := -1, 0.0, 0.0
		for m := range s.code[1] {
			for i := top; i < bottom; i++ {
				row := (m*s.code[2] + i) * s.code[3]
				for j := left; j < right; j++ {
					z, c := float64(s.z[row+j]), float64(s.c[row+j])
					if z == 0 && math.Abs(c) <= s.p.Lambda {
						continue
					}
					if d := s.best(z, c, s.square(m, i, j)) - z; math.Abs(d) > longest {
						element, longest, move = row+j, math.Abs(d), d
					}
				}
			}
		}
		if element < 0 || longest <= 2*epsilon[T]()*math.Abs(float64(s.z[element])) {
			break
		}
		change += float64(move * move)
		s.move(element, T(move))
	}
	return change
}

// best is the best value of an element, given its value z, its c and its atom's |a|^2.
func (s *coordinateSweep[T]) best(z, c, square float64) float64 {
	curvature := square + s.p.Mu
	if curvature == 0 { // an atom of zeros
		return 0
	}
	u := c + float64(curvature*z)
	v := max(math.Abs(u)-s.p.Lambda, 0) / curvature
	if u < 0 {
		if s.p.Nonnegative {
			return 0
		}
		return -v
	}
	return v
}

// move adds d to element at of z, and updates c.
func (s *coordinateSweep[T]) move(at int, d T) {
	height, width := s.code[2], s.code[3]
	m, i, j := at/(height*width), at/width%height, at%width
	now := s.z[at] + d
	d = now - s.z[at] // after rounding
	s.z[at] = now
	s.c[at] -= T(T(s.p.Mu) * d)
	s.update(s.c, m, i, j, d)
}
