package official

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"sdref/conv"
	"sdref/csc"
	"sdref/golden"
	"sdref/tensor"
)

// layerCase is a case of kind csc_layer: one layer, its code, reconstruction and gradients.
type layerCase struct {
	*golden.Case
	batch, atoms, channels, kernel, height, width int
	settings                                      csc.Settings
	share                                         float64 // of 1/lambda_max in the step
	code                                          []int   // shape of z
}

func readLayer(c *golden.Case) (*layerCase, error) {
	l := &layerCase{Case: c}
	var rule string
	outputPadding := 0
	a := c.Attrs
	err := errors.Join(a.Into("batch", &l.batch), a.Into("atoms", &l.atoms), a.Into("channels", &l.channels),
		a.Into("kernel", &l.kernel),
		a.Into("height", &l.height), a.Into("width", &l.width), a.Into("stride", &l.settings.Stride),
		a.Into("padding", &l.settings.Padding),
		a.Into("output_padding", &outputPadding), a.Into("iterations", &l.settings.Iterations),
		a.Into("lambda", &l.settings.Lambda),
		a.Into("mu", &l.settings.Mu), a.Into("nonnegative", &l.settings.Nonnegative),
		a.Into("unit_norm_atoms", &l.settings.UnitNormAtoms),
		a.Into("step_rule", &rule))
	if a.Has("dilation") {
		err = errors.Join(err, a.Into("dilation", &l.settings.Dilation))
	}
	if err = errors.Join(err, readVariant(c, &l.settings.Variant)); err != nil {
		return nil, err
	}
	number, ok := strings.CutSuffix(rule, "/lambda_max")
	if l.share, err = strconv.ParseFloat(number, 64); !ok || err != nil || !(l.share > 0) ||
		math.IsInf(l.share, 1) {
		return nil, refuse(c, "attrs.step_rule", "%q is not a positive number followed by /lambda_max", rule)
	}
	return l, l.check(outputPadding)
}

// check refuses settings and shapes that do not fit each other.
func (l *layerCase) check(outputPadding int) error {
	s := l.settings
	for _, size := range []struct {
		name         string
		value, least int
	}{{"batch", l.batch, 1}, {"atoms", l.atoms, 1}, {"channels", l.channels, 1}, {"kernel", l.kernel, 1},
		{"height", l.height, 1},
		{"width", l.width, 1}, {"stride", s.Stride, 1}, {"iterations", s.Iterations, 1},
		{"padding", s.Padding, 0}, {"dilation", s.Dilation, 0}} {
		if size.value < size.least || size.value > largestSize {
			return refuse(l.Case, "attrs."+size.name, "%d is not between %d and %d", size.value, size.least,
				largestSize)
		}
	}
	if !(s.Lambda >= 0) {
		return refuse(l.Case, "attrs.lambda", "%g is negative", s.Lambda)
	}
	if !(s.Mu >= 0) {
		return refuse(l.Case, "attrs.mu", "%g is negative", s.Mu)
	}
	l.code = []int{l.batch, l.atoms, s.CodeSize(l.height, l.kernel), s.CodeSize(l.width, l.kernel)}
	if min(l.code[2], l.code[3]) < 1 {
		return refuse(l.Case, "attrs.kernel", "%d does not fit a signal of %dx%d", l.kernel, l.height,
			l.width)
	}
	g := conv.Geometry{Stride: s.Stride, Padding: s.Padding, OutputPadding: outputPadding,
		Dilation: s.Dilation}
	if h, w := g.SignalSize(l.code[2], l.kernel), g.SignalSize(l.code[3], l.kernel); h != l.height ||
		w != l.width {
		return refuse(l.Case, "attrs.output_padding", "%d makes the synthesis %dx%d, the signal is %dx%d",
			outputPadding, h, w, l.height, l.width)
	}
	for _, t := range l.Tensors.Tensors {
		if !slices.Contains([]string{"weight", "z", "reconstruction", "grad_x", "grad_weight"}, t.Name) {
			return refuse(l.Case, "tensor "+t.Name, "unknown")
		}
	}
	return nil
}

// layerInputs are a layer's inputs in type T.
type layerInputs[T tensor.Float] struct {
	x, gradZ *tensor.Tensor[T]
	layer    *csc.Layer[T]
}

func inputsOf[T tensor.Float](l *layerCase) (in layerInputs[T], err error) {
	read := func(name string, shape ...int) *tensor.Tensor[T] {
		values, missing := l.Input(name, shape...)
		if missing != nil {
			err = errors.Join(err, missing)
			return nil
		}
		return from[T](values, shape...)
	}
	in.x = read("x", l.batch, l.channels, l.height, l.width)
	in.gradZ = read("grad_z", l.code...)
	weight := read("weight_raw", l.atoms, l.channels, l.kernel, l.kernel)
	vector := read("v0", 1, l.atoms, l.code[2], l.code[3])
	if err != nil {
		return in, err
	}
	// Only now is it known that the sizes are those of tensors.
	in.layer = csc.NewLayer[T](l.atoms, l.channels, l.kernel, l.height, l.width, l.settings)
	in.layer.Weight, in.layer.Vector = weight, vector
	return in, nil
}

// layerResult is what a layer case expects, computed in type T.
type layerResult[T tensor.Float] struct {
	weight, z, reconstruction, gradX, gradWeight *tensor.Tensor[T]
	estimate                                     csc.Estimate
	step                                         T
}

// solve runs the layer: atoms, eigenvalue, code, gradients.
func solve[T tensor.Float](in layerInputs[T], share float64) layerResult[T] {
	l := in.layer
	l.Normalize()
	r := layerResult[T]{weight: l.Weight, estimate: l.UpdateStep()}
	r.step = T(share / r.estimate.Value)
	l.StepSize.Data[0] = r.step
	r.z, r.gradX, r.gradWeight = csc.SolveGradients(in.x, l.Weight, r.step, l.Settings, in.gradZ)
	r.reconstruction = l.Reconstruct(r.z)
	return r
}

func checkLayer[T tensor.Float](c *golden.Case) ([]golden.Row, error) {
	l, err := readLayer(c)
	if err != nil {
		return nil, err
	}
	in, err := inputsOf[T](l)
	if err != nil {
		return nil, err
	}
	res := solve(in, l.share)
	rep := newReport[T](c, boundFloat32)
	flips := 0
	if !isDouble[T]() {
		if flips, err = supportFlips(l); err != nil {
			return nil, err
		}
	}
	for _, t := range []struct {
		name  string
		value *tensor.Tensor[T]
		kinks bool // differs by more than rounding where a code's support does
	}{{"weight", res.weight, false}, {"z", res.z, false}, {"reconstruction", res.reconstruction, false},
		{"grad_x", res.gradX, true}, {"grad_weight", res.gradWeight, true}} {
		want, err := c.Tensor(t.name, t.value.Shape...)
		if err != nil {
			return nil, err
		}
		row := rep.add(t.name, golden.Compare(t.value.Data, want), 0)
		if !row.Pass && t.kinks && flips > 0 && row.Err == nil {
			if err := judgeOneSided(l, row, t.name, tensor.Convert[float64](t.value), want,
				flips); err != nil {
				return nil, err
			}
		}
	}
	return rep.rows, layerScalars(c, l, in, res, rep, flips)
}

// layerScalars adds the rows of the case's scalars.
func layerScalars[T tensor.Float](c *golden.Case, l *layerCase, in layerInputs[T], res layerResult[T],
	rep *report, flips int) error {
	residual := tensor.New[T](in.x.Shape...)
	tensor.AddScaled(residual, in.x, res.reconstruction, -1)
	_, sparsity, ridge, _ := csc.Objective(in.x, res.z, res.weight, l.settings)
	for _, name := range c.Scalars.Names() {
		want, err := c.Scalars.Float(name)
		if err != nil {
			return err
		}
		switch name {
		case "lambda_max":
			rep.add(name, golden.CompareScalar(res.estimate.Value, want), 0)
		case "step":
			rep.add(name, golden.CompareScalar(float64(res.step), want), 0)
		case "penalty":
			rep.add(name, golden.CompareScalar(sparsity+ridge, want), 0)
		case "reconstruction_sum_of_squares":
			rep.add(name, golden.CompareScalar(tensor.SumSquares(residual), want), 0)
		case "power_iterations":
			row := rep.add(name, golden.CompareInt(res.estimate.Rounds, int(want)), 0)
			if !isDouble[T]() {
				row.Pass, row.Note = true, "a count in float32: "+reportedNote
			}
		case "nonzeros":
			row := rep.add(name, golden.CompareInt(tensor.CountNonzero(res.z), int(want)), 0)
			if off := int(math.Abs(row.Got - row.Want)); !row.Pass && off <= flips {
				row.Pass, row.Note = true, fmt.Sprintf("%d %s", flips,
					"codes within rounding of their threshold")
			}
		default:
			return refuse(c, "scalars."+name, "unknown")
		}
	}
	return nil
}
