package study

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"text/tabwriter"

	"sdref/cmd/ref/internal/cli"
	"sdref/cmd/ref/internal/figures/plot"
	"sdref/csc/learn"
	"sdref/internal/atomicfile"
	"sdref/sdnet/data"
	"sdref/sdnet/figures"
	"sdref/tensor"
	"sdref/tensor/npy"
	"sdref/tensor/picture"
)

const learnHelp = `ref learn learns a convolutional dictionary from images: atoms w of norm 1, and codes z, that make

  the sum over images of  F(w, z) = lambda |z|_1 + 1/2 |x - A z|^2,  with -nonnegative z >= 0,

small. It alternates: codes for the atoms as they are, to a gap; then accelerated projected gradient
steps on the atoms. A is the full convolution (boundary full), x has values from 0 to 1 less the mean
of each channel. -data is an image, a folder of images, CIFAR's folder, or shapes.

After each round the atoms so far are written to -out: atoms.npy, for ref solve and ref certify, and
learn.csv; in the end, or when it is stopped, atoms.png and atoms.svg too. -start goes on with them,
into another folder.`

// learnFlags are the flags of ref learn.
type learnFlags struct {
	learn.Settings
	images, out, start string
	count, crop        int
	colour             bool
}

// Learn learns atoms.
func Learn(c *cli.Call) error {
	var f learnFlags
	c.Flags.StringVar(&f.images, "data", cli.ShapesName, "the `images`: a file, a folder, CIFAR's folder, or \"shapes\" for the drawn ones")
	c.Flags.IntVar(&f.count, "images", 10, "learn from the first `N` of them")
	c.Flags.IntVar(&f.crop, "crop", 128, "use at most the middle `N` x N pixels of each")
	c.Flags.BoolVar(&f.colour, "colour", false, "atoms of three channels instead of grey ones")
	c.Flags.IntVar(&f.Atoms, "atoms", 32, "how many")
	c.Flags.IntVar(&f.Kernel, "side", 8, "their height and width")
	c.Flags.Float64Var(&f.Lambda, "lambda", 0.1, "weight of |z|_1")
	c.Flags.BoolVar(&f.Nonnegative, "nonnegative", false, "z must not be negative")
	c.Flags.IntVar(&f.Rounds, "rounds", 20, "of codes and atoms")
	c.Flags.Float64Var(&f.Gap, "gap", 0.01, "solve codes until F is proven to be within this share of its least value")
	c.Flags.IntVar(&f.Iterations, "iterations", 200, "of the solver of the codes, at most")
	c.Flags.Uint64Var(&f.Seed, "seed", 1, "of the patches of the images that the atoms begin as")
	c.Flags.StringVar(&f.start, "start", "", "begin with the atoms of this .npy `file` instead")
	c.ResultFolder(&f.out, "atoms", "the `folder` to write to")
	if err := c.Parse(learnHelp); err != nil {
		return err
	}
	if f.count < 1 || f.crop < 1 {
		return fmt.Errorf("-images %d, -crop %d: at least 1 each", f.count, f.crop)
	}
	signals, names, err := f.signals()
	if err != nil {
		return fmt.Errorf("-data: %w", err)
	}
	if err := f.open(); err != nil {
		return err
	}
	if err := f.Check(signals); err != nil {
		return err
	}
	for _, name := range []string{"atoms.npy", "atoms.png", "atoms.svg", "learn.csv"} {
		if err := cli.Distinct(filepath.Join(f.out, name), f.start, f.images); err != nil {
			return fmt.Errorf("-out: %w", err)
		}
	}
	if err := os.MkdirAll(f.out, 0o755); err != nil {
		return fmt.Errorf("-out: %w", err)
	}
	fmt.Fprintf(c.Stdout, "%s\n%d atoms of %d x %d, lambda %g, from %s\n", cli.Machine(), f.Atoms, f.Kernel, f.Kernel, f.Lambda, names)
	return f.run(c, signals)
}

// open reads the atoms to begin with, whose number and size count.
func (f *learnFlags) open() error {
	if f.start == "" {
		return nil
	}
	shape, values, err := readArray(f.start, "w")
	if err != nil {
		return fmt.Errorf("-start: %w", err)
	}
	if len(shape) != 4 || tensor.Size(shape) == 0 || shape[2] != shape[3] || !cli.Finite(values...) {
		return fmt.Errorf("-start: %s has shape %v, or numbers that are not finite; want atoms (M, C, K, K)", f.start, shape)
	}
	f.Start, f.Atoms, f.Kernel = tensor.From(values, shape...), shape[0], shape[2]
	return nil
}

// signals are the images, less their means, and what they are.
func (f *learnFlags) signals() (list []*tensor.Tensor[float64], names string, err error) {
	info, err := os.Stat(f.images)
	var files []string
	switch {
	case f.images == cli.ShapesName:
	case err != nil:
		return nil, "", err
	case !info.IsDir():
		files = []string{f.images}
	default:
		files, err = pictureFiles(f.images)
	}
	if len(files) == 0 { // drawn images, or CIFAR's, or none
		return f.fromSet(err)
	}
	files = files[:min(f.count, len(files))]
	for _, path := range files {
		x, err := readPicture(path, f.channels())
		if err != nil {
			return nil, "", err
		}
		list = append(list, middle(x, f.crop))
	}
	for _, x := range list {
		centre(x)
	}
	return list, fmt.Sprintf("%d images: %s to %s", len(files), files[0], files[len(files)-1]), nil
}

func (f *learnFlags) channels() int {
	if f.colour {
		return data.Channels
	}
	return 1
}

// fromSet are training images of a data set; none is why they are no files of a folder.
func (f *learnFlags) fromSet(none error) (list []*tensor.Tensor[float64], names string, err error) {
	d, err := cli.OpenImages(f.images)
	if err != nil {
		if none != nil {
			err = none
		}
		return nil, "", err
	}
	n := min(f.count, d.Train.Len())
	for i := range n {
		x := picture.Tensor[float64](data.Picture(d.Train.Image(i), data.Side, data.Side), f.channels())
		x = middle(x, f.crop)
		centre(x)
		list = append(list, x)
	}
	return list, fmt.Sprintf("%d images of %s", n, d.Train.Name), nil
}

// middle is the middle of an image, of at most so many pixels along each axis.
func middle(x *tensor.Tensor[float64], side int) *tensor.Tensor[float64] {
	h, w := min(side, x.Shape[2]), min(side, x.Shape[3])
	top, left := (x.Shape[2]-h)/2, (x.Shape[3]-w)/2
	y := tensor.New[float64](1, x.Shape[1], h, w)
	for c := range x.Shape[1] {
		for u := range h {
			for v := range w {
				y.Set(x.At(0, c, top+u, left+v), 0, c, u, v)
			}
		}
	}
	return y
}

// run learns, printing a line and writing the atoms for each round.
func (f *learnFlags) run(c *cli.Call, signals []*tensor.Tensor[float64]) error {
	var table bytes.Buffer
	fmt.Fprintln(&table, "round,objective,fidelity,relative_gap,nonzeros,elements,objective_after,atoms_changed,replaced")
	w := tabwriter.NewWriter(c.Stdout, 8, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "round\tF\t|x-Az|^2/2\tgap\tnonzeros\tF, new atoms\t|dw|/|w|\treplaced\t")
	w.Flush()
	var failed error
	last := 0
	atoms := learn.Learn(signals, f.Settings, func(r learn.Round, atoms *tensor.Tensor[float64]) bool {
		last = r.Number
		fmt.Fprintf(w, "%d\t%.6g\t%.6g\t%.1e\t%.2f %%\t%.6g\t%.3f\t%d\t\n", r.Number, r.Objective, r.Fidelity, r.RelativeGap,
			percent(r.Nonzeros, r.Elements), r.After, r.AtomsChanged, r.Replaced)
		w.Flush()
		fmt.Fprintf(&table, "%d,%v,%v,%v,%d,%d,%v,%v,%d\n", r.Number, r.Objective, r.Fidelity, r.RelativeGap, r.Nonzeros, r.Elements, r.After,
			r.AtomsChanged, r.Replaced)
		failed = errors.Join(f.put("atoms.npy", npy.Encode(npy.FromTensor(atoms))),
			f.put("learn.csv", table.Bytes()))
		return failed == nil && c.Context.Err() == nil
	})
	if failed != nil {
		return failed
	}
	if err := f.draw(atoms); err != nil {
		return err
	}
	path := filepath.Join(f.out, "atoms.npy")
	fmt.Fprintf(c.Stdout, "atoms: %s, and as a picture %s\ncode an image with them by\nref solve -x IMAGE -w %s -boundary full -lambda %g\n", path,
		filepath.Join(f.out, "atoms.png"), cli.Quote(path), f.Lambda)
	if last < f.Rounds && c.Context.Err() != nil {
		fmt.Fprintf(c.Stdout, "stopped after round %d of %d; the same command with -start %s -rounds %d and another -out goes on\n", last, f.Rounds, cli.Quote(path),
			f.Rounds-last)
		return cli.ErrInterrupted
	}
	return nil
}

func (f *learnFlags) put(name string, content []byte) error {
	return atomicfile.WriteBytes(filepath.Join(f.out, name), content)
}

// draw draws the atoms, each from its least value to its greatest, in a square.
func (f *learnFlags) draw(atoms *tensor.Tensor[float64]) error {
	grid := plot.Grid{Title: fmt.Sprintf("%d atoms of %d x %d, lambda %g", f.Atoms, f.Kernel, f.Kernel, f.Lambda), Scale: 4,
		Columns: int(math.Ceil(math.Sqrt(float64(f.Atoms))))}
	for _, picture := range figures.Patches(atoms) {
		grid.Cells = append(grid.Cells, plot.Cell{Image: picture})
	}
	picture, err := grid.Render()
	if err != nil {
		return err
	}
	return errors.Join(f.put("atoms.png", picture.PNG), f.put("atoms.svg", picture.SVG))
}
