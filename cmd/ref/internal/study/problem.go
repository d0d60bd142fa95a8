package study

import (
	"fmt"
	"math"
	"strings"

	"sdref/cmd/ref/internal/cli"
	"sdref/conv"
	"sdref/csc/solve"
	"sdref/internal/filekind"
	"sdref/tensor"
	"sdref/tensor/npy"
	"sdref/tensor/safetensors"
)

// problemFlags are the flags of a sparse-coding problem whose tensors are in files.
type problemFlags struct {
	verb        string
	file, name  map[string]*string // by tensor: x, w, z
	boundary    string
	geometry    conv.Geometry
	lambda, mu  float64
	nonnegative bool
}

// tensorFlag is a tensor of a problem, and what it is.
type tensorFlag struct{ name, what string }

// define defines the flags of the problem, and of the files of its tensors.
func (f *problemFlags) define(c *cli.Call, tensors ...tensorFlag) {
	f.verb, f.file, f.name = c.Flags.Name(), map[string]*string{}, map[string]*string{}
	for _, t := range tensors {
		f.file[t.name] = c.Flags.String(t.name, "", "the `file` of the "+t.what)
		f.name[t.name] = c.Flags.String(t.name+"-name", t.name,
			"the `tensor` in it, if it is a .safetensors or .npz file")
	}
	c.Flags.StringVar(&f.boundary, "boundary", "zero", "zero, full or circular")
	c.Flags.IntVar(&f.geometry.Stride, "stride", 1, "of A*, with boundary zero")
	c.Flags.IntVar(&f.geometry.Padding, "padding", 0, "zeros around x, with boundary zero")
	c.Flags.IntVar(&f.geometry.Dilation, "dilation", 1, "of the atoms, with boundary zero")
	c.Flags.Float64Var(&f.lambda, "lambda", 0, "weight of |z|_1")
	c.Flags.Float64Var(&f.mu, "mu", 0, "weight of |z|^2/2")
	c.Flags.BoolVar(&f.nonnegative, "nonnegative", false, "z must not be negative")
}

// readAll reads the named tensors.
func (f *problemFlags) readAll(names ...string) (map[string]*tensor.Tensor[float64], error) {
	read := map[string]*tensor.Tensor[float64]{}
	for _, name := range names {
		t, err := f.read(name)
		if err != nil {
			return nil, err
		}
		read[name] = t
	}
	return read, nil
}

// build is the problem of tensors x and w; they, and a code that was read with them, become images.
func (f *problemFlags) build(c *cli.Call, read map[string]*tensor.Tensor[float64]) (*solve.Problem[float64], error) {
	boundary, err := solve.ParseBoundary(f.boundary)
	if err != nil {
		return nil, fmt.Errorf("-boundary: %w", err)
	}
	if err := f.toImages(read); err != nil {
		return nil, err
	}
	p := &solve.Problem[float64]{X: read["x"], Lambda: f.lambda, Mu: f.mu, Nonnegative: f.nonnegative}
	switch boundary {
	case solve.ZeroBoundary:
		if f.geometry.Stride < 1 || f.geometry.Dilation < 1 {
			return nil, fmt.Errorf("-stride %d, -dilation %d: must be at least 1", f.geometry.Stride,
				f.geometry.Dilation)
		}
		p.A = solve.ZeroPadded(read["w"], f.geometry)
	case solve.FullBoundary:
		p.A = solve.Full(read["w"])
	case solve.CircularBoundary:
		p.A = solve.Circular(read["w"])
	}
	for _, name := range []string{"stride", "padding", "dilation"} {
		if boundary != solve.ZeroBoundary && c.Given(name) {
			return nil, fmt.Errorf("-%s: boundary %v has none", name, boundary)
		}
	}
	return p, p.Check()
}

// toImages turns signals of one axis and vectors into images.
func (f *problemFlags) toImages(read map[string]*tensor.Tensor[float64]) error {
	axes := len(read["x"].Shape) - 2
	var names, shapes []string
	same := true
	for _, name := range []string{"x", "w", "z"} {
		if t := read[name]; t != nil {
			names, shapes = append(names, "-"+name), append(shapes, fmt.Sprint(t.Shape))
			same = same && len(t.Shape) == axes+2
		}
	}
	switch {
	case !same:
		return fmt.Errorf("%s: shapes %s differ in the number of axes", strings.Join(names, ", "), listed(shapes))
	case axes == 1 && f.geometry.Padding != 0:
		return fmt.Errorf("-padding %d: signals of one axis are taken without padding only",
			f.geometry.Padding)
	case axes == 0 && f.geometry.Padding != 0:
		return fmt.Errorf("-padding %d: vectors have no axis to pad", f.geometry.Padding)
	}
	for name, t := range read {
		read[name] = conv.AsImages(t)
	}
	return nil
}

// listed is a list with "and" before the last one.
func listed(words []string) string {
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

// read reads one of the tensors.
func (f *problemFlags) read(name string) (*tensor.Tensor[float64], error) {
	path := *f.file[name]
	if path == "" {
		return nil, fmt.Errorf("-%s is missing (see ref %s -help)", name, f.verb)
	}
	shape, data, err := readArray(path, *f.name[name])
	if err != nil {
		return nil, fmt.Errorf("-%s: %w", name, err)
	}
	if len(shape) < 2 || len(shape) > 4 || tensor.Size(shape) == 0 {
		return nil, fmt.Errorf("-%s: %s has shape %v, want two to four dimensions, none of them 0", name,
			path, shape)
	}
	for i, v := range data {
		if math.IsNaN(v) || math.Abs(v) > 1e100 {
			return nil, fmt.Errorf("-%s: %s: element %d is %g", name, path, i, v)
		}
	}
	return tensor.From(data, shape...), nil
}

// readArray reads a tensor of a safetensors file, an array of an archive of NumPy's, or a file that is one
// array. The first bytes say which it is.
func readArray(path, name string) (shape []int, data []float64, err error) {
	beginning, err := filekind.Peek(path)
	if err != nil {
		return nil, nil, err
	}
	switch kind := filekind.Describe(beginning); {
	case kind == filekind.NumPy || kind == filekind.Zip:
		a, err := npy.ReadNamed(path, name)
		return a.Shape, a.Data, err
	case kind != filekind.Safetensors && !strings.HasSuffix(path, ".safetensors"):
		err := fmt.Errorf("%s: not a .npy, .npz or .safetensors file", path)
		if kind != "" {
			err = fmt.Errorf("%w: %s", err, kind)
		}
		return nil, nil, cli.Advised(err, path)
	}
	file, err := safetensors.Read(path)
	if err != nil {
		return nil, nil, err
	}
	t, err := file.Get(name)
	if err != nil {
		return nil, nil, err
	}
	if data, err = t.Float64s(); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return t.Shape, data, nil
}
