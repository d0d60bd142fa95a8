// Package learn learns a convolutional dictionary from signals: atoms w and codes z that make
//
//	F(w, z) = sum over signals of  lambda |z|_1 + 1/2 |x - A z|^2,   |w_m| = 1 for every atom m,   (B.1) with atoms that vary,
//
// small, optionally with z >= 0. It alternates between the codes, which csc/solve finds for given atoms, and the atoms, which
// accelerated projected gradient steps improve for given codes (Beck and Teboulle, "A fast iterative shrinkage-thresholding
// algorithm", 2009, with the projection onto the ball as proximal operator; Mairal et al., "Online learning for matrix
// factorization and sparse coding", 2010, for the alternation). A is the full convolution, so that every atom lies inside the signal.
//
// Shapes: x (1, C, H, W), each signal of its own size; w (M, C, K, K); z (1, M, H-K+1, W-K+1).
//
// It is for people who want atoms of their own images. It knows nothing of files, networks and labels.
package learn

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"sdref/conv"
	"sdref/csc"
	"sdref/csc/solve"
	"sdref/internal/misuse"
	"sdref/internal/random"
	"sdref/tensor"
)

// Settings say what is learned, and how long.
type Settings struct {
	Atoms, Kernel int                     // M, K
	Lambda        float64                 // weight of |z|_1
	Nonnegative   bool                    // z >= 0
	Rounds        int                     // of codes and atoms
	Seed          uint64                  // of the patches that the atoms begin as
	Start         *tensor.Tensor[float64] // (M, C, K, K): atoms to begin with instead; nil for patches

	Gap        float64 // the relative gap to which codes are solved in each round
	Iterations int     // of the solver, at most
}

// Check tells what is wrong with the settings, or with the signals for them.
func (s Settings) Check(signals []*tensor.Tensor[float64]) error {
	switch {
	case s.Atoms < 1 || s.Kernel < 1 || s.Rounds < 1 || s.Iterations < 1:
		return fmt.Errorf("%d atoms of side %d, %d rounds of %d iterations: at least 1 each", s.Atoms, s.Kernel, s.Rounds, s.Iterations)
	case !(s.Lambda > 0) || math.IsInf(s.Lambda, 1):
		return fmt.Errorf("lambda %g: must be positive, for without it the largest dictionary codes anything", s.Lambda)
	case !(s.Gap >= 0):
		return fmt.Errorf("gap %g: must not be negative", s.Gap)
	case len(signals) == 0:
		return errors.New("no signals")
	case s.Start != nil && !slices.Equal(s.Start.Shape, s.shape(signals)):
		return fmt.Errorf("atoms to begin with are %v, want %v", s.Start.Shape, s.shape(signals))
	}
	for i, x := range signals {
		if len(x.Shape) != 4 || x.Shape[0] != 1 || x.Shape[1] != signals[0].Shape[1] || x.Shape[2] < s.Kernel || x.Shape[3] < s.Kernel {
			return fmt.Errorf("signal %d is %v: want (1, %d, H, W) of side %d or more", i, x.Shape, signals[0].Shape[1], s.Kernel)
		}
	}
	return nil
}

// shape is that of the atoms.
func (s Settings) shape(signals []*tensor.Tensor[float64]) []int {
	return []int{s.Atoms, signals[0].Shape[1], s.Kernel, s.Kernel}
}

// Round is what a round has come to: the objective with its codes, before its atoms move.
type Round struct {
	Number       int     // from 1
	Objective    float64 // F
	Fidelity     float64 // |x - A z|^2/2
	RelativeGap  float64 // of the codes: F is within this share of its least value for these atoms
	Nonzeros     int     // elements of the codes that are not 0
	Elements     int     // of the codes
	Replaced     int     // atoms that no code used, and that a patch took the place of
	After        float64 // F with the new atoms and the same codes
	AtomsChanged float64 // |w - w before|/|w|
}

// Learn returns atoms of norm 1 learned from signals. After each round it calls observe, if that is not nil, with the round and the
// atoms so far, and ends if the answer is false. Settings or signals that Check refuses are the caller's bug, and panic.
func Learn(signals []*tensor.Tensor[float64], s Settings, observe func(Round, *tensor.Tensor[float64]) bool) *tensor.Tensor[float64] {
	if err := s.Check(signals); err != nil {
		panic(misuse.Errorf("learn.Learn: %v", err))
	}
	l := &learner{Settings: s, signals: signals, draws: random.New(s.Seed)}
	if s.Start != nil {
		l.w = s.Start.Clone()
		csc.NormalizeAtoms(l.w)
	} else {
		l.w = l.patches()
	}
	for k := 1; k <= s.Rounds; k++ {
		r := Round{Number: k}
		l.code(&r)
		before := l.w.Clone()
		l.improve(&r)
		r.Replaced = l.replaceUnused()
		r.AtomsChanged = math.Sqrt(squaredDistance(l.w, before) / tensor.SumSquares(l.w))
		if observe != nil && !observe(r, l.w) {
			break
		}
	}
	return l.w
}

// learner is a dictionary on its way.
type learner struct {
	Settings
	signals []*tensor.Tensor[float64]
	draws   random.Stream
	patch   uint64                    // how many patches have been drawn
	w       *tensor.Tensor[float64]   // (M, C, K, K)
	z       []*tensor.Tensor[float64] // the codes of the signals
}

// patches are atoms cut out of the signals at random places.
func (l *learner) patches() *tensor.Tensor[float64] {
	w := tensor.New[float64](l.shape(l.signals)...)
	for m := range l.Atoms {
		l.cut(w.Row(m))
	}
	csc.NormalizeAtoms(w)
	return w
}

// tries is how many places are looked at for a patch that is no flat one.
const tries = 20

// cut sets an atom to a patch at a random place, with a little noise so that no two are alike; the patch that differs most from its mean
// among some, since flat ones are many.
func (l *learner) cut(atom *tensor.Tensor[float64]) {
	best := -1.0
	patch := tensor.New[float64](atom.Shape...)
	for range tries {
		draws := l.draws.Sub("patch", l.patch)
		l.patch++
		x := l.signals[draws.Intn(0, len(l.signals))]
		top, left := draws.Intn(1, x.Shape[2]-l.Kernel+1), draws.Intn(2, x.Shape[3]-l.Kernel+1)
		i := 0
		for c := range x.Shape[1] {
			for u := range l.Kernel {
				for v := range l.Kernel {
					patch.Data[i] = x.At(0, c, top+u, left+v)
					i++
				}
			}
		}
		mean := tensor.Sum(patch) / float64(patch.Len())
		spread := tensor.SumSquares(patch) - float64(mean*mean*float64(patch.Len()))
		if spread <= best {
			continue
		}
		best = spread
		size := math.Sqrt(max(spread, 1e-12) / float64(patch.Len()))
		for k, v := range patch.Data {
			atom.Data[k] = v + float64(0.01*size*draws.Unit(uint64(3+k)))
		}
	}
}

// code finds the codes for the atoms as they are.
func (l *learner) code(r *Round) {
	l.z = l.z[:0]
	for _, x := range l.signals {
		p := &solve.Problem[float64]{A: solve.Full(l.w), X: x, Lambda: l.Lambda, Nonnegative: l.Nonnegative}
		every := max(1, min(10, l.Iterations/10))
		result := solve.WorkingSet[float64]{}.Solve(p, solve.Stop{RelativeGap: l.Gap, Iterations: l.Iterations, Every: every}, nil)
		l.z = append(l.z, result.Z)
		r.Objective += result.Last.Objective
		r.Fidelity += result.Last.Fidelity
		r.RelativeGap = max(r.RelativeGap, result.Last.RelativeGap)
		r.Nonzeros += result.Last.Nonzeros
		r.Elements += result.Z.Len()
	}
}

// residuals are x - A z of all signals, for given atoms.
func (l *learner) residuals(w *tensor.Tensor[float64]) (list []*tensor.Tensor[float64]) {
	for i, x := range l.signals {
		r := tensor.New[float64](x.Shape...)
		solve.Full(w).Synthesize(r, l.z[i])
		tensor.AddScaled(r, x, r, -1)
		list = append(list, r)
	}
	return list
}

// gradient is that of the fidelity at atoms with the given residuals: -sum of the correlations of r and z.
func (l *learner) gradient(residuals []*tensor.Tensor[float64]) *tensor.Tensor[float64] {
	sum, part := tensor.New[float64](l.w.Shape...), tensor.New[float64](l.w.Shape...)
	for i, r := range residuals {
		conv.WeightGradient(part, r, l.z[i], conv.Geometry{})
		tensor.AddScaled(sum, sum, part, -1)
	}
	return sum
}

// squaredDistance is |a - b|^2.
func squaredDistance(a, b *tensor.Tensor[float64]) float64 {
	d := tensor.New[float64](a.Shape...)
	tensor.AddScaled(d, a, b, -1)
	return tensor.SumSquares(d)
}

// MisuseError is the value with which this package panics for mistakes of its caller that are not ones of shapes.
type MisuseError = misuse.Error
