package sdnet

import (
	"fmt"
	"math"
	"slices"
)

// What a network may have at most. These bounds are not those of memory: they keep the numbers of elements and of multiply-adds within
// an int, and the list of layers short, whatever a file says of a network before its tensors are looked at.
const (
	maxBlocks       = 1 << 10 // the published ResNet with the most, of 1202 layers, has 600
	maxIterations   = 1 << 20
	maxElements     = min(1<<44, math.MaxInt)
	maxMultiplyAdds = 1 << 62
)

// checkSizes refuses networks whose numbers an int cannot count.
func (s Spec) checkSizes() error {
	blocks := 0
	for _, count := range s.Blocks {
		if count > maxBlocks-blocks {
			return fmt.Errorf("network %s: stages of %d blocks, more than %d", s.Name, s.Blocks, maxBlocks)
		}
		blocks += count
	}
	// No filters, feature map, code or classifier has more elements than one of these products.
	shape, stem := s.Data.Shape(), s.Data.Stem
	widest := max(slices.Max(s.Widths), s.stemChannels(), shape[0])
	kernel := max(stem.Kernel, whiteningKernel)
	for _, sides := range [][]int{{widest, widest, kernel, kernel}, {widest, shape[1] + 2*stem.Padding, shape[2] + 2*stem.Padding}, {s.Data.Classes, widest}} {
		if product(sides) > maxElements {
			return fmt.Errorf("network %s: %d channels, kernels of %dx%[3]d, images of %dx%d and %d classes make tensors of more than %d elements",
				s.Name, widest, kernel, shape[1], shape[2], s.Data.Classes, uint64(maxElements))
		}
	}
	adds := 0.0
	for _, n := range s.brief().Nodes {
		adds += float64(s.times(n)) * product(multiplied(n))
	}
	if adds > maxMultiplyAdds {
		return fmt.Errorf("network %s: %.3g multiply-adds for an image, of %d channels, %d iterations and images of %dx%d, are more than %d",
			s.Name, adds, widest, s.CSC.Iterations, shape[1], shape[2], uint64(maxMultiplyAdds))
	}
	return nil
}

// product is that of sides, which an int may not hold.
func product(sides []int) float64 {
	p := 1.0
	for _, side := range sides {
		p *= float64(side)
	}
	return p
}

// StateInputs lists the tensors of the network's state, in the order of the published checkpoints, by names and shapes alone: a file can
// be compared with them before any of them is made.
func (s Spec) StateInputs() ([]StateInput, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	s.CSC.Iterations = min(s.CSC.Iterations, 1) // on which the state does not depend
	return s.Graph(Options{Images: 1}).State, nil
}
