package suite

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"sdref/autodiff"
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
	err := errors.Join(a.Into("batch", &l.batch), a.Into("atoms", &l.atoms), a.Into("channels", &l.channels), a.Into("kernel", &l.kernel),
		a.Into("height", &l.height), a.Into("width", &l.width), a.Into("stride", &l.settings.Stride), a.Into("padding", &l.settings.Padding),
		a.Into("output_padding", &outputPadding), a.Into("iterations", &l.settings.Iterations), a.Into("lambda", &l.settings.Lambda),
		a.Into("mu", &l.settings.Mu), a.Into("nonnegative", &l.settings.Nonnegative), a.Into("unit_norm_atoms", &l.settings.UnitNormAtoms),
		a.Into("step_rule", &rule))
	if a.Has("dilation") {
		err = errors.Join(err, a.Into("dilation", &l.settings.Dilation))
	}
	if a.Has("variant") {
		var name string
		err = errors.Join(err, a.Into("variant", &name))
		variant, unknown := csc.ParseVariant(name)
		l.settings.Variant, err = variant, errors.Join(err, unknown)
	}
	if err != nil {
		return nil, err
	}
	if n, err := fmt.Sscanf(rule, "%g/lambda_max", &l.share); n != 1 || err != nil || !strings.HasSuffix(rule, "/lambda_max") {
		return nil, fmt.Errorf("%s: attrs.step_rule: %q is not a number followed by /lambda_max", c.Path, rule)
	}
	return l, l.check(outputPadding)
}

// check refuses settings and shapes that do not fit each other.
func (l *layerCase) check(outputPadding int) error {
	s := l.settings
	if min(l.batch, l.atoms, l.channels, l.kernel, l.height, l.width, s.Stride, s.Iterations) < 1 || s.Padding < 0 || s.Dilation < 0 {
		return fmt.Errorf("%s: attrs: sizes, stride and iterations must be at least 1, padding not negative", l.Path)
	}
	if !(s.Lambda >= 0) || !(s.Mu >= 0) {
		return fmt.Errorf("%s: attrs: lambda %g and mu %g must not be negative", l.Path, s.Lambda, s.Mu)
	}
	l.code = []int{l.batch, l.atoms, s.CodeSize(l.height, l.kernel), s.CodeSize(l.width, l.kernel)}
	if min(l.code[2], l.code[3]) < 1 {
		return fmt.Errorf("%s: attrs: a kernel of %d does not fit a signal of %dx%d", l.Path, l.kernel, l.height, l.width)
	}
	g := conv.Geometry{Stride: s.Stride, Padding: s.Padding, OutputPadding: outputPadding, Dilation: s.Dilation}
	if h, w := g.SignalSize(l.code[2], l.kernel), g.SignalSize(l.code[3], l.kernel); h != l.height || w != l.width {
		return fmt.Errorf("%s: attrs.output_padding: %d makes the synthesis %dx%d, the signal is %dx%d", l.Path, outputPadding, h, w, l.height, l.width)
	}
	return nil
}

// layerInputs are a layer's inputs in type T.
type layerInputs[T tensor.Float] struct {
	x, gradZ *tensor.Tensor[T]
	layer    *csc.Layer[T]
}

func inputsOf[T tensor.Float](l *layerCase) (in layerInputs[T], err error) {
	in.layer = csc.NewLayer[T](l.atoms, l.channels, l.kernel, l.height, l.width, l.settings)
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
	weight := read("weight_raw", in.layer.Weight.Shape...)
	vector := read("v0", in.layer.Vector.Shape...)
	if err == nil {
		in.layer.Weight, in.layer.Vector = weight, vector
	}
	return in, err
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
	tape := autodiff.NewTape(tensor.NewArena[T]())
	x, w := tape.Leaf(in.x), tape.Leaf(l.Weight)
	z := l.Forward(x, w)
	r.z = z.Value().Clone()
	r.reconstruction = l.Reconstruct(r.z)
	tape.Backward(z, in.gradZ)
	r.gradX, r.gradWeight = x.Grad(), w.Grad()
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
	}{{"weight", res.weight, false}, {"z", res.z, false}, {"reconstruction", res.reconstruction, false}, {"grad_x", res.gradX, true}, {"grad_weight", res.gradWeight, true}} {
		want, err := c.Tensor(t.name, t.value.Shape...)
		if err != nil {
			return nil, err
		}
		row := rep.add(t.name, golden.Compare(t.value.Data, want), 0)
		if !row.Pass && t.kinks && flips > 0 && row.Err == nil && !math.IsInf(row.Error, 0) {
			row.Pass, row.Note = true, fmt.Sprintf("%d %s", flips, ambiguousNote)
		}
	}
	return rep.rows, layerScalars(c, l, in, res, rep, flips)
}

// layerScalars adds the rows of the case's scalars.
func layerScalars[T tensor.Float](c *golden.Case, l *layerCase, in layerInputs[T], res layerResult[T], rep *report, flips int) error {
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
				row.Pass, row.Note = true, fmt.Sprintf("%d %s", flips, "codes within rounding of their threshold")
			}
		default:
			return fmt.Errorf("%s: scalars.%s: unknown", c.Path, name)
		}
	}
	return nil
}

// supportFlips counts the codes, over all iterations, that are zero in float32 and not in float64 or the other way round, and
// so small that rounding explains it. Codes that differ by more are errors which the comparison of z reports.
func supportFlips(l *layerCase) (int, error) {
	in32, err := inputsOf[float32](l)
	if err != nil {
		return 0, err
	}
	in64, err := inputsOf[float64](l)
	if err != nil {
		return 0, err
	}
	flips := 0
	for k := 1; k <= l.settings.Iterations; k++ {
		in32.layer.Iterations, in64.layer.Iterations = k, k
		z32, z64 := codes(in32, l.share), codes(in64, l.share)
		largest := 0.0
		for _, v := range z64.Data {
			largest = max(largest, math.Abs(v))
		}
		for i, v := range z64.Data {
			other := float64(z32.Data[i])
			if (v == 0) != (other == 0) && max(math.Abs(v), math.Abs(other)) <= ambiguousShare*largest {
				flips++
			}
		}
	}
	return flips, nil
}

// codes is the layer's code after its iterations, from its start vector.
func codes[T tensor.Float](in layerInputs[T], share float64) *tensor.Tensor[T] {
	l := *in.layer
	l.Weight, l.Vector, l.StepSize = l.Weight.Clone(), l.Vector.Clone(), l.StepSize.Clone()
	l.Normalize()
	l.StepSize.Data[0] = T(share / l.UpdateStep().Value)
	tape := autodiff.NoGrad(tensor.NewArena[T]())
	return l.Forward(tape.Constant(in.x), tape.Constant(l.Weight)).Value()
}
