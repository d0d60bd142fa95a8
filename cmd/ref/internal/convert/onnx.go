package convert

import (
	"fmt"
	"strings"

	"sdref/autodiff"
	"sdref/autodiff/onnx"
	"sdref/cmd/ref/internal/cli"
	"sdref/internal/atomicfile"
	"sdref/sdnet"
	"sdref/sdnet/data"
	"sdref/sdnet/training"
	"sdref/tensor"
	"sdref/tensor/safetensors"
)

// onnxOrder is what becomes an ONNX model, and where.
type onnxOrder struct {
	out   string
	layer string // the CSC layer; empty for the whole network
}

// exportONNX writes a network, ready for evaluation, or one of its CSC layers.
func exportONNX[T tensor.Float](c *cli.Call, f *safetensors.File, o onnxOrder) error {
	net, config, err := training.LoadNetwork[T](f)
	if err != nil {
		return err
	}
	e, err := modelOf(net.Evaluable(), o.layer)
	if err != nil {
		return err
	}
	e.Name, e.Doc = config.Network, fmt.Sprintf("%s for %s", config.Network, config.Data)
	about, err := training.DescribeImages(f, config)
	if err != nil {
		return err
	}
	e.Metadata = properties(config, about, o.layer)
	m, err := e.Model()
	if err != nil {
		return fmt.Errorf("%s: %w", f.Path, err)
	}
	if err := atomicfile.WriteBytes(o.out, m.Encode()); err != nil {
		return err
	}
	what := config.Network
	if o.layer != "" {
		what = o.layer + " of " + what
	}
	fmt.Fprintf(c.Stdout, "%s from %s: %d nodes of ONNX operator set %d, float32, in %s\n%s -> %s\n",
		what, f.Path, len(m.Nodes), onnx.Opset, o.out, shaped(m.Inputs[0]), shaped(m.Outputs[0]))
	if o.layer == "" {
		const rule = "images are (pixel/255 - mean)/std, mean %s, std %s\n"
		channels := about.Shape()[0]
		fmt.Fprintf(c.Stdout, rule, numbers(about.Mean[:channels]), numbers(about.Std[:channels]))
	}
	return nil
}

// shaped is a value as NAME (N, 3, 32, 32).
func shaped(v onnx.Value) string {
	text := strings.ReplaceAll(strings.Trim(fmt.Sprint(v.Shape), "[]"), " ", ", ")
	return fmt.Sprintf("%s (%s)", v.Name, strings.Replace(text, fmt.Sprint(onnx.Batch), "N", 1))
}

// modelOf is a network as a model from images to logits, or the part of it that is a CSC layer, from signal
// to code. The number of images is left open; weights are constants.
func modelOf[T tensor.Float](net *sdnet.Network[T], layer string) (e onnx.Export, err error) {
	f := net.Graph(sdnet.Options{Images: 1})
	from, to, names := f.X, f.Logits, [2]string{"images", "logits"}
	if layer != "" {
		var known []string
		to = nil
		for _, l := range f.Layers {
			if known = append(known, l.Name); l.Name == layer {
				from, to, names = l.Signal, l.Code, [2]string{"signal", "code"}
			}
		}
		if to == nil {
			return e, fmt.Errorf("-layer: %s has no CSC layer %q; it has %q", net.Name, layer, known)
		}
	}
	e = onnx.Export{Inputs: []*autodiff.Node{from}, Outputs: []*autodiff.Node{to}, FreeBatch: true}
	e.Names = map[*autodiff.Node]string{from: names[0], to: names[1]}
	e.Constants = map[*autodiff.Node]*tensor.Tensor[float32]{}
	for i, s := range net.State() {
		e.Constants[f.State[i].Node] = tensor.Convert[float32](s.Tensor)
	}
	return e, nil
}

// properties are what a user of the model must know: how pixels are normalised, and which problem the CSC
// layers solve.
func properties(c training.Config, about data.Description, layer string) []onnx.Property {
	channels := about.Shape()[0]
	list := []onnx.Property{
		{Key: "network", Value: c.Network}, {Key: "data", Value: c.Data},
		{Key: "mean", Value: numbers(about.Mean[:channels])}, {Key: "std", Value: numbers(about.Std[:channels])},
		{Key: "lambda", Value: fmt.Sprint(c.Lambda)}, {Key: "mu", Value: fmt.Sprint(c.Mu)},
		{Key: "iterations", Value: fmt.Sprint(c.Iterations)}, {Key: "variant", Value: c.Variant},
	}
	if layer != "" {
		list = append(list, onnx.Property{Key: "layer", Value: layer})
	}
	return list
}

// numbers is a list such as "0.49 0.48 0.45".
func numbers(list []float64) string { return strings.Trim(fmt.Sprint(list), "[]") }
