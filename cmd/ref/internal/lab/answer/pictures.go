package answer

import (
	"context"
	"encoding/base64"
	"fmt"
	"runtime"
	"strconv"
	"strings"

	"sdref/internal/kernel"
	"sdref/sdnet/data"
	"sdref/tensor"
)

// seed is that of the drawn images of the command, whose test images these are.
const seed = 1

// The drawn images that the page offers, one of each class, and those that a link may name.
const (
	offered  = 10
	maxDrawn = 200
)

// about says what answers: system, architecture, kernel row. It is the one answer that differs from place to place.
func (l *Lab) about(context.Context, Request) (*Response, error) {
	row := kernel.ActiveName()
	if l.exact != "" {
		row = fmt.Sprintf("%s for codes with a digest, else %s", l.exact, row)
	}
	return &Response{Values: map[string]any{"row": row, "cpu": kernel.CPUName(), "system": runtime.GOOS + "/" + runtime.GOARCH}}, nil
}

// pictures is the drawn images as bytes, and how they become a layer's signal.
func (l *Lab) pictures(context.Context, Request) (*Response, error) {
	set := data.Shapes(0, offered, seed)
	var names []string
	for i := range offered {
		names = append(names, set.Test.Classes[set.Test.Labels[i]])
	}
	r := &Response{Values: map[string]any{"names": names, "mean": data.ShapesMean, "std": data.ShapesStd}}
	r.addBytes("pictures", set.Test.Images, offered, data.Channels, data.Side, data.Side)
	return r, nil
}

// pixels is the picture of a request, 3 x 32 x 32 bytes.
func (r Request) pixels() ([]byte, error) {
	if number, ok := strings.CutPrefix(r.Picture, "shapes:"); ok {
		i, err := strconv.Atoi(number)
		if err != nil || i < 0 || i >= maxDrawn {
			return nil, fmt.Errorf("picture %q: there are drawn images shapes:0 to shapes:%d", r.Picture, maxDrawn-1)
		}
		return data.Shapes(0, i+1, seed).Test.Image(i), nil
	}
	text, ok := strings.CutPrefix(r.Picture, "px:")
	if !ok {
		return nil, fmt.Errorf("picture %.40q: neither shapes:NUMBER nor px: and pixels", r.Picture)
	}
	pixels, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(pixels) != data.ImageBytes {
		return nil, fmt.Errorf("the pixels of the picture are broken: want %d bytes in base64url, got %d letters", data.ImageBytes, len(text))
	}
	return pixels, nil
}

// signal is the picture as the command gives drawn images to a layer, (1, 3, 32, 32), whoever drew it.
func signal[T tensor.Float](r Request) (*tensor.Tensor[T], error) {
	pixels, err := r.pixels()
	if err != nil {
		return nil, err
	}
	return normalised[T](pixels, [data.Channels]float64{data.ShapesMean, data.ShapesMean, data.ShapesMean},
		[data.Channels]float64{data.ShapesStd, data.ShapesStd, data.ShapesStd}), nil
}

// normalised is pixels (3, 32, 32) as a network's input.
func normalised[T tensor.Float](pixels []byte, mean, std [data.Channels]float64) *tensor.Tensor[T] {
	x := tensor.New[T](1, data.Channels, data.Side, data.Side)
	data.NewNormaliser[T](mean, std).Values(x.Data, pixels, data.Channels)
	return x
}
