package sdnet

import (
	"fmt"
	"math"
	"strings"

	"sdref/csc/spectrum"
	"sdref/internal/random"
	"sdref/tensor"
)

// whiteningEpsilon is added to the patches' variances before they are divided by their roots, so that the faintest patterns, which are
// mostly noise of the files' compression, are not raised to the size of the others (K. Jordan, 2024).
const whiteningEpsilon = 5e-4

// Patches is the principal components of the k x k patches of some images: Values (C k k) are the mean squares along them, the largest
// first, and Vectors (C k k, C, k, k) the patterns, of norm 1. The mean of the patches is not subtracted; that of normalised images is near 0.
type Patches struct {
	Values  []float64
	Vectors *tensor.Tensor[float64]
}

// NewPatches computes the principal components of all k x k patches of images (N, C, H, W), in float64. The bits are the same everywhere.
func NewPatches[T tensor.Float](images *tensor.Tensor[T], k int) Patches {
	channels, h, w := images.Shape[1], images.Shape[2], images.Shape[3]
	m := channels * k * k
	sums, patch := tensor.New[float64](m, m), make([]float64, m)
	for n := range images.Shape[0] {
		image := images.Row(n).Data
		for i := range h - k + 1 {
			for j := range w - k + 1 {
				for a := range patch {
					patch[a] = float64(image[(a/(k*k)*h+i+a/k%k)*w+j+a%k])
				}
				for a, v := range patch {
					row := sums.Data[a*m:]
					for b, u := range patch[:a+1] {
						row[b] += float64(v * u)
					}
				}
			}
		}
	}
	count := float64(images.Shape[0] * (h - k + 1) * (w - k + 1))
	for a := range m {
		for b := range a + 1 {
			mean := sums.At(a, b) / count
			sums.Set(mean, a, b)
			sums.Set(mean, b, a)
		}
	}
	values, vectors := spectrum.Eigen(sums)
	return Patches{values, vectors.Reshape(m, channels, k, k)}
}

// Whiten sets the fixed convolution of a stem with Whitening from training images (N, C, H, W) as the network will see them. Before a
// CSC layer it is C filters of 3x3, C = 3 for colours, the middle of the symmetric (ZCA) whitening of 3x3 patches,
//
//	w_c = sum_i v_i[c, middle] v_i/sqrt(value_i + 5e-4);
//
// else the stem's C filters are the C/2 first principal components, each divided by sqrt(value + 5e-4), and their negatives, as an activation
// passes one sign only. It panics if the network has no such stem.
func (n *Network[T]) Whiten(images *tensor.Tensor[T]) {
	if !n.Whitening {
		panic(fmt.Sprintf("sdnet: Whiten: %s has no whitening stem", n.Name))
	}
	if n.CSCStem {
		p := NewPatches(images, whiteningKernel)
		w := n.byName[whiteningName]
		size := w.Len() / w.Shape[0]
		middle := whiteningKernel * whiteningKernel / 2
		for c := range w.Shape[0] {
			row := make([]float64, size)
			for i, value := range p.Values {
				v := p.Vectors.Row(i).Data
				factor := v[c*size/w.Shape[0]+middle] / math.Sqrt(value+whiteningEpsilon)
				for a := range row {
					row[a] += float64(factor * v[a])
				}
			}
			setRow(w, c, row, 1)
		}
		return
	}
	p, w := NewPatches(images, n.Data.Stem.Kernel), n.byName["layer0.0.weight"]
	pairs(w, p, func(i int) float64 { return 1 / math.Sqrt(p.Values[i]+whiteningEpsilon) })
}

// StemAtoms is what the atoms of a CSC stem, or the filters of a plain one, begin as.
type StemAtoms string

// What a stem's filters can begin as.
const (
	RandomAtoms    StemAtoms = ""           // random numbers
	ComponentAtoms StemAtoms = "components" // the patches' first principal components and their negatives
	PatchAtoms     StemAtoms = "patches"    // patches of the images, drawn at random
)

// SetStem replaces the random filters of the stem's layer by such as training images (N, C, H, W) suggest, of the norm that they had
// had, and computes a CSC layer's step size anew. The draws of patches are functions of the seed. A stem that does nothing but whiten stays as
// Whiten has set it.
func (n *Network[T]) SetStem(from StemAtoms, images *tensor.Tensor[T], seed uint64) {
	w, sparse := n.byName["layer0.0.weight"], n.CSCStem
	if from == RandomAtoms || n.Whitening && !sparse {
		return
	}
	if sparse {
		w = n.byName["layer0.0.dn.weight"]
	}
	norm := math.Sqrt(tensor.SumSquares(w) / float64(w.Shape[0]))
	if from == ComponentAtoms {
		pairs(w, NewPatches(images, w.Shape[2]), func(int) float64 { return norm })
	} else {
		drawPatches(w, images, random.New(seed).Sub("stem patches"), norm)
	}
	if sparse {
		n.NormalizeAtoms()
		n.UpdateSteps()
	}
}

// pairs sets the filters to scaled principal components and, from the middle on, their negatives. Filters beyond these stay.
func pairs[T tensor.Float](w *tensor.Tensor[T], p Patches, scale func(i int) float64) {
	half := min(w.Shape[0]/2, len(p.Values))
	for i := range half {
		setRow(w, i, p.Vectors.Row(i).Data, scale(i))
		setRow(w, half+i, p.Vectors.Row(i).Data, -scale(i))
	}
}

// setRow sets filter i to scaled values.
func setRow[T tensor.Float](w *tensor.Tensor[T], i int, values []float64, scale float64) {
	row := w.Row(i).Data
	for a, v := range values {
		row[a] = T(scale * v)
	}
}

// drawPatches sets each filter to a patch of the images less the mean of its numbers, at the given norm. Flat patches are drawn again.
func drawPatches[T tensor.Float](w, images *tensor.Tensor[T], draws random.Stream, norm float64) {
	channels, k, h, wide := w.Shape[1], w.Shape[2], images.Shape[2], images.Shape[3]
	values, at := make([]float64, channels*k*k), uint64(0)
	for i := 0; i < w.Shape[0]; {
		image := images.Row(draws.Intn(at, images.Shape[0])).Data
		top, left := draws.Intn(at+1, h-k+1), draws.Intn(at+2, wide-k+1)
		at += 3
		mean, squares := 0.0, 0.0
		for a := range values {
			values[a] = float64(image[(a/(k*k)*h+top+a/k%k)*wide+left+a%k])
			mean += values[a] / float64(len(values))
		}
		for a := range values {
			values[a] -= mean
			squares += float64(values[a] * values[a])
		}
		if squares > 1e-3 {
			setRow(w, i, values, norm/math.Sqrt(squares))
			i++
		}
	}
}

// Dirac makes the convolutions behind the stem pass their input on: in each, filter i of the first min(inputs, outputs) ones is 1 at the
// middle of channel i and 0 elsewhere; the others stay as they are (S. Zagoruyko, N. Komodakis, "DiracNets", 2017, as K. Jordan uses it). CSC
// layers are left alone, and so are the 1x1 convolutions of shortcuts.
func (n *Network[T]) Dirac() {
	for _, s := range n.state {
		if s.Buffer || len(s.Shape) != 4 || s.Shape[2] == 1 || strings.HasPrefix(s.Name, "layer0.") || strings.HasSuffix(s.Name, ".dn.weight") {
			continue
		}
		area := s.Shape[2] * s.Shape[3]
		for i := range min(s.Shape[0], s.Shape[1]) {
			row := s.Row(i).Data
			clear(row)
			row[i*area+area/2] = 1
		}
	}
}
