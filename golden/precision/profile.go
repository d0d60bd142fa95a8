package precision

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Profile is the arithmetic a backend declares.
type Profile string

const (
	FP32           Profile = "fp32"            // float32 throughout, rounded to nearest
	FP32Truncating Profile = "fp32-truncating" // float32, sums rounded toward zero, as in some matrix units
	// float32, 3x3 convolutions by the Winograd algorithm F(4x4, 3x3)
	FP32Winograd Profile = "fp32-winograd"
	// operands of contractions in TF32, sums and results in float32
	TF32 Profile = "tf32"
	// operands of contractions in bfloat16, sums in float32, results in bfloat16 or float32
	BF16 Profile = "bf16"
	// operands of contractions in float16, sums in float32, results in float16 or float32
	FP16 Profile = "fp16"
)

// Profiles lists all of them, the most exact first.
var Profiles = []Profile{FP32, FP32Truncating, FP32Winograd, TF32, FP16, BF16}

// Lookup returns the profile of a name.
func Lookup(name string) (Profile, error) {
	if p := Profile(name); slices.Contains(Profiles, p) {
		return p, nil
	}
	var names []string
	for _, p := range Profiles {
		names = append(names, string(p))
	}
	return "", fmt.Errorf("profile %q: want one of %s", name, strings.Join(names, ", "))
}

// Operands is the format that the operands of a contraction are rounded to.
func (p Profile) Operands() Format {
	switch p {
	case TF32:
		return TensorFloat
	case BF16:
		return BFloat
	case FP16:
		return Half
	}
	return Single
}

// Results is the coarsest format that results may be stored in.
func (p Profile) Results() Format {
	if p == TF32 {
		return Single
	}
	return p.Operands()
}

// Unit is the unit in which the profile's errors are counted.
func (p Profile) Unit() float64 {
	if p == FP32Truncating {
		return 2 * Single.Unit() // a truncated sum is off by up to a whole step
	}
	return p.Operands().Unit()
}

// roundings is how many results inside one elementwise operation may be stored in the profile's result
// format.
const roundings = 8

// The transforms of F(4x4, 3x3) with the points 0, 1, -1, 2, -2 and infinity enlarge an error by at most the
// square, one factor for each direction, of the product of the largest row sums of their matrices, 10, 1 and
// 19; and they add roundings.
const (
	amplification = (10 * 1 * 19) * (10 * 1 * 19)
	transforms    = 2 * (6 + 3 + 6)
)

// Limit is what the error of an element computed honestly in this profile never exceeds, as a share of the
// element's sum of |a||b|, terms being the longest chain of operations behind it:
//
//	gamma(terms + 2, u) + 2 v + v^2 + min(terms + 1, 8) w ,    gamma(n, u) = n u / (1 - n u)
//
// u is the unit of the sums: 2^-24, and twice that where matrix units may truncate. v is the error of an
// operand of a contraction, twice the unit of its format since matrix units may drop bits instead of
// rounding; it is 0 for other operations. w is the unit of the format that results are stored in, where that
// is shorter than float32. (Higham, "Accuracy and Stability of Numerical Algorithms", second edition, section
// 3.1.)
//
// Winograd's algorithm has its own limit; see Winograd.
func (p Profile) Limit(terms int, contraction bool) float64 {
	unit, operand, result := Single.Unit(), 0.0, 0.0
	if contraction && p != FP32 && p != FP32Winograd || p == FP32Truncating {
		unit *= 2
	}
	if contraction && p.Operands() != Single {
		operand = 2 * p.Operands().Unit()
	}
	if p.Results() != Single {
		result = p.Results().Unit()
	}
	return gamma(terms+2, unit) + 2*operand + float64(operand*operand) +
		float64(float64(min(terms+1, roundings))*result)
}

// Floor is what underflow adds to the limit, an absolute error. Operands, of which largest is the sum of the
// largest absolute values, products and results each lose up to half a step of the smallest numbers of their
// formats.
func (p Profile) Floor(terms int, contraction bool, largest float64) float64 {
	return p.floor(terms, contraction, largest, func(f Format) float64 { return f.Step(0) / 2 })
}

// FlushedFloor is Floor where subnormal numbers become 0, each of which may lose all of the smallest normal
// number.
func (p Profile) FlushedFloor(terms int, contraction bool, largest float64) float64 {
	return p.floor(terms, contraction, largest, func(f Format) float64 { return math.Ldexp(1, f.Least) })
}

// floor adds up what operands, products and results lose, a number of a format losing loss of it.
func (p Profile) floor(terms int, contraction bool, largest float64, loss func(Format) float64) float64 {
	floor := float64(min(terms+1, roundings)) * loss(p.Results())
	if contraction {
		floor += float64(terms) * (float64(loss(p.Operands())*largest) + loss(Single))
	}
	return floor
}

// Winograd is the limit of a 3x3 convolution by F(4x4, 3x3), as a share of the sum over channels of 9 max|a|
// max|b|, the maxima being a plane's, since the elements of a tile share their errors.
func Winograd(terms int) float64 {
	return amplification / 9 * gamma(terms+transforms, Single.Unit())
}

// gamma bounds the relative error of n roundings.
func gamma(n int, unit float64) float64 {
	if g := float64(n) * unit; g < 1 {
		return g / (1 - g)
	}
	return math.Inf(1)
}
