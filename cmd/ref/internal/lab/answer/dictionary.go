package answer

import (
	"fmt"
	"math"

	"sdref/conv"
	"sdref/csc"
	"sdref/internal/elementary"
	"sdref/sdnet/data"
	"sdref/tensor"
)

// dictionary is a CSC layer in float64 and the signals that it codes.
type dictionary struct {
	*csc.Layer[float64]
	signal func(r Request) (*tensor.Tensor[float64], error)
	most   int // iterations that are computed for one answer
}

// The dictionaries that a request may name.
const (
	stemName    = "stem"    // of the trained network: 64 atoms of 3 x 3 x 3, ill-conditioned
	cosinesName = "cosines" // 18 atoms of 3 x 3 for grey pictures of 16 x 16, well-conditioned
)

// dictionary returns the dictionary that a request names.
func (l *Lab) dictionary(r Request) (*dictionary, error) {
	switch r.Dictionary {
	case stemName:
		stem, err := l.wide()
		if err != nil {
			return nil, err
		}
		return &dictionary{stem.Layer, signal[float64], 60}, nil
	case cosinesName:
		if l.cosines == nil {
			l.cosines = cosines()
		}
		return &dictionary{l.cosines, grey, 400}, nil
	}
	return nil, fmt.Errorf("dictionary %.20q: there are %s and %s", r.Dictionary, stemName, cosinesName)
}

// settings is the problem of a request for a dictionary's layer.
func (d *dictionary) settings(r Request) csc.Settings {
	s := d.Current()
	s.Lambda, s.Mu, s.Nonnegative, s.Algorithm = r.Lambda, r.Mu, !r.Signed, conv.Direct
	return s
}

// cosinesSide is the height and width of the grey pictures.
const cosinesSide = data.Side / 2

// cosines is the layer of the nine cosines of 3 x 3, an orthonormal basis of patches, and their negatives: without borders A A* is 18
// times the identity, as well-conditioned as can be.
func cosines() *csc.Layer[float64] {
	l := csc.NewLayer[float64](18, 1, 3, cosinesSide, cosinesSide, csc.Settings{Geometry: conv.Geometry{Padding: 1}, Lambda: 0.1, Nonnegative: true, Iterations: 2})
	wave := func(frequency, i int) float64 {
		norm := math.Sqrt(2.0 / 3)
		if frequency == 0 {
			norm = math.Sqrt(1.0 / 3)
		}
		return norm * elementary.Cos(math.Pi*float64(frequency*(2*i+1))/6)
	}
	for atom := range 9 {
		for tap := range 9 {
			v := wave(atom/3, tap/3) * wave(atom%3, tap%3)
			l.Weight.Data[atom*9+tap], l.Weight.Data[(atom+9)*9+tap] = v, -v
		}
	}
	l.UpdateStep()
	return l
}

// grey is the picture of a request as (1, 1, 16, 16): means of 2 x 2 pixels of the three colours.
func grey(r Request) (*tensor.Tensor[float64], error) {
	colours, err := signal[float64](r)
	if err != nil {
		return nil, err
	}
	x := tensor.New[float64](1, 1, cosinesSide, cosinesSide)
	for i := range x.Data {
		sum := 0.0
		for c := range data.Channels {
			for k := range 4 {
				sum += colours.At(0, c, i/cosinesSide*2+k/2, i%cosinesSide*2+k%2)
			}
		}
		x.Data[i] = sum / 12
	}
	return x, nil
}
