package answer

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"sdref/sdnet"
	"sdref/sdnet/attack"
	"sdref/sdnet/data"
	"sdref/sdnet/figures"
	"sdref/sdnet/robust"
	"sdref/tensor"
)

// input is the request's picture as the network's input.
func (n *network) input(pixels []byte) *tensor.Tensor[float32] {
	return normalised[float32](pixels, n.mean, n.std)
}

// predict is what a network says about a picture: probabilities, the maps of one of its values, and, for the network that can be
// inverted, the reconstruction from the value's block, (B.2) and (B.3), BatchNorm undone exactly.
func (l *Lab) predict(_ context.Context, r Request) (*Response, error) {
	pixels, err := r.pixels()
	if err != nil {
		return nil, err
	}
	n, err := l.network(r.Network)
	if err != nil {
		return nil, err
	}
	x := n.input(pixels)
	p := sdnet.NewPredictor(n.ready)
	type shownValue struct {
		Name  string `json:"name"`
		Shape []int  `json:"shape"`
	}
	var values []shownValue
	var maps *tensor.Tensor[float32]
	p.Observe = func(name string, value *tensor.Tensor[float32]) {
		if !strings.HasPrefix(name, "block") {
			return
		}
		values = append(values, shownValue{name, slices.Clone(value.Shape)})
		if name == r.Layer {
			maps = value.Clone()
		}
	}
	logits := p.Logits(x)
	if maps == nil {
		return nil, fmt.Errorf("network %s has no value %.20q to show", r.Network, r.Layer)
	}
	out := &Response{}
	about := map[string]any{"classes": n.classes, "probabilities": sdnet.Softmax(logits).Row(0).Data, "values": values, "mean": n.mean, "std": n.std}
	add(out, "x", x)
	add(out, "maps", maps)
	if slices.Contains(figures.Invertible(n.ready), r.Layer) && !r.Unsolved {
		list, err := figures.Reconstruct(n.ready, x, r.Layer)
		if err != nil {
			return nil, err
		}
		back := list[0].Exact
		about["contrast"], about["correlation"] = deviation(back)/deviation(x), correlation(back, x)
		add(out, "back", back)
	}
	out.Values = about
	return out, nil
}

// deviation is the standard deviation of an image (1, C, H, W) from its channels' means.
func deviation(x *tensor.Tensor[float32]) float64 {
	return math.Sqrt(tensor.SumSquares(centred(x)) / float64(x.Len()))
}

// centred is an image minus its channels' means.
func centred(x *tensor.Tensor[float32]) *tensor.Tensor[float32] {
	out := tensor.New[float32](x.Shape...)
	for c := range x.Shape[1] {
		plane := x.Row(0).Row(c)
		mean := float32(tensor.Sum(plane) / float64(plane.Len()))
		for i, v := range plane.Data {
			out.Row(0).Row(c).Data[i] = v - mean
		}
	}
	return out
}

// correlation is that of two images, channels' means apart.
func correlation(a, b *tensor.Tensor[float32]) float64 {
	return figures.Correlation(centred(a), centred(b))
}

// noisy is a request's picture with its noise, as a set of one image.
func (r Request) noisy() (*data.Set, error) {
	pixels, err := r.pixels()
	if err != nil {
		return nil, err
	}
	set := &data.Set{Name: "lab", Classes: []string{"unknown"}, Images: slices.Clone(pixels), Labels: []uint8{0}}
	if r.Severity == 0 {
		return set, nil
	}
	kind, err := data.ParseNoise(r.Noise)
	if err != nil {
		return nil, err
	}
	if r.Severity < 0 || r.Severity > data.Severities {
		return nil, fmt.Errorf("severity %d: not between 0 and %d", r.Severity, data.Severities)
	}
	return data.AddNoise(set, []int{0}, kind, r.Severity, seed), nil
}

// robust is what sdnet8_slim sees on a noisy picture at the lambda of training and at the request's, with the stem's residuals.
func (l *Lab) robust(_ context.Context, r Request) (*Response, error) {
	set, err := r.noisy()
	if err != nil {
		return nil, err
	}
	n, err := l.network(slim)
	if err != nil {
		return nil, err
	}
	if n.robust == nil {
		if n.robust, err = robust.NewModel(n.trained, n.mean, n.std, 1); err != nil {
			return nil, err
		}
	}
	type seen struct {
		Lambda   float64 `json:"lambda"`
		Class    string  `json:"class"`
		Residual float64 `json:"residual"`
	}
	var list []seen
	for _, lambda := range []float64{n.robust.Lambda, r.Lambda} {
		p := n.robust.Predict(set, []float64{lambda}, nil)[0]
		list = append(list, seen{lambda, n.classes[p.Class], p.Residual})
	}
	out := &Response{Values: map[string]any{"seen": list}}
	out.addBytes("noisy", set.Images, data.Channels, data.Side, data.Side)
	return out, nil
}

// attack is steps of projected gradient descent (L-infinity) from a random start on what sdnet8_slim says about the picture as it is.
func (l *Lab) attack(ctx context.Context, r Request) (*Response, error) {
	if err := r.iterations(maxAttack); err != nil {
		return nil, err
	}
	set, err := Request{Picture: r.Picture}.noisy()
	if err != nil {
		return nil, err
	}
	n, err := l.network(slim)
	if err != nil {
		return nil, err
	}
	if n.attack == nil {
		n.attack = attack.NewModel(n.trained, n.mean, n.std, 1)
	}
	predict := sdnet.NewPredictor(n.ready)
	clean := sdnet.Softmax(predict.Logits(n.input(set.Images))).Row(0).Data
	label := sdnet.Largest(clean)
	set.Labels[0] = uint8(label)
	t := n.attack.Begin(set, []int{0})
	n.attack.Attack(t, attack.PGD{Norm: attack.Linf, Epsilon: r.Epsilon / 255, Steps: r.Iterations, Restarts: 1, Seed: seed, MaximizeLoss: true},
		func(int) bool { return ctx.Err() == nil })
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	x := t.Worst.Clone()
	for i, v := range x.Data {
		c := i / (data.Side * data.Side)
		x.Data[i] = (v - float32(n.mean[c])) / float32(n.std[c])
	}
	now := sdnet.Softmax(predict.Logits(x)).Row(0).Data
	change := tensor.New[float32](t.Worst.Shape...)
	tensor.AddScaled(change, t.Worst, t.Images, -1)
	out := &Response{Values: map[string]any{"classes": n.classes, "label": label, "clean": clean, "now": now}}
	add(out, "worst", t.Worst)
	add(out, "change", change)
	return out, nil
}

// maxAttack is the greatest number of an attack's steps.
const maxAttack = 10
