package study

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sdref/cmd/ref/internal/cli"
	"sdref/csc/solve"
	"sdref/internal/atomicfile"
	"sdref/sdnet/data"
	"sdref/sdnet/figures"
	"sdref/tensor"
	"sdref/tensor/npy"
)

const solveHelp = `ref solve finds the code z of a signal x of your own, the solution of

  min over z of  F(z) = lambda |z|_1 + mu/2 |z|^2 + 1/2 |x - A z|^2,  with -nonnegative z >= 0,

and proves how near it is (docs/csc.md explains problem, boundaries, solvers and certificate). x and
the atoms w are files as for ref certify; x may be an image too (PNG, JPEG, ...), with atoms of one
channel (taken as grey values) or three, values from 0 to 1 less the mean of each channel. -out
writes z.npy, the reconstruction A z and certificate.json to a folder; what an interrupted solver has
found by then is written too.

Denoising: with -noise S the image gets Gaussian noise of standard deviation S/255 first, and A z,
which is the image as far as atoms at few places can say it, is compared with the clean one; a noisy
image that is there already is compared with -reference, if there is one.`

// solveFlags are the flags of ref solve.
type solveFlags struct {
	problemFlags
	solver, out, reference string
	gap, noise             float64
	iterations             int
	seed                   uint64
	centred                bool
}

// Solve solves a problem from files.
func Solve(c *cli.Call) error {
	f := &solveFlags{}
	f.define(c, tensorFlag{"x", "signals, or an image"}, tensorFlag{"w", "atoms"})
	c.Flags.StringVar(&f.solver, "solver", "working-set", solverNames()+" (admm for boundary circular only)")
	c.Flags.Float64Var(&f.gap, "gap", 1e-6, "stop once F is proven to be within this share of its least value, for each signal")
	c.Flags.IntVar(&f.iterations, "iterations", 1000, "how many, at most")
	c.ResultFolder(&f.out, "", "the `folder` to write to (default: none)")
	c.Flags.BoolVar(&f.centred, "centre", true, "subtract each channel's mean from an image, and add it to the reconstruction")
	c.Flags.Float64Var(&f.noise, "noise", 0, "add noise of this standard deviation, in units of 1/255, to the image")
	c.Flags.Uint64Var(&f.seed, "seed", 1, "of the noise")
	c.Flags.StringVar(&f.reference, "reference", "", "compare image and reconstruction with this `image`")
	if err := c.Parse(solveHelp); err != nil {
		return err
	}
	if err := f.check(c); err != nil {
		return err
	}
	s, err := f.open(c)
	if err != nil {
		return err
	}
	solver, err := solve.Lookup[float64](f.solver)
	if err != nil {
		return fmt.Errorf("-solver: %w", err)
	}
	if err := solver.Supports(s.problem); err != nil {
		return fmt.Errorf("-solver: %w", err)
	}
	if f.out != "" {
		for _, name := range solveFiles {
			if err := cli.Distinct(filepath.Join(f.out, name), *f.file["x"], *f.file["w"], f.reference); err != nil {
				return fmt.Errorf("-out: %w", err)
			}
		}
		if err := os.MkdirAll(f.out, 0o755); err != nil {
			return fmt.Errorf("-out: %w", err)
		}
	}
	return s.run(c, f, solver)
}

// solveFiles are the files that ref solve writes: az.npy for arrays, the pictures for an image.
var solveFiles = []string{"x.npy", "w.npy", "z.npy", "certificate.json", "az.npy", "az.png", "x.png"}

func solverNames() string {
	var names []string
	for _, s := range solve.Solvers[float64]() {
		names = append(names, s.Name())
	}
	return strings.Join(names, ", ")
}

func (f *solveFlags) check(c *cli.Call) error {
	picture := data.IsImageFile(*f.file["x"])
	switch {
	case !c.Given("lambda"):
		return errors.New("-lambda is missing (see ref solve -help)")
	case !(f.gap >= 0):
		return fmt.Errorf("-gap: %g is negative", f.gap)
	case f.iterations < 1:
		return fmt.Errorf("-iterations: %d, want at least 1", f.iterations)
	case !(f.noise >= 0 && f.noise <= 255):
		return fmt.Errorf("-noise: %g is not between 0 and 255", f.noise)
	case !picture && (f.noise > 0 || f.reference != ""):
		return errors.New("-noise, -reference: for images, and -x is none")
	case f.noise > 0 && f.reference != "":
		return errors.New("-noise adds noise to a clean image, -reference compares a noisy one: give one of them")
	}
	return nil
}

// solving is a problem, and the image that it comes from, if it does.
type solving struct {
	problem *solve.Problem[float64]
	means   []float64               // what was subtracted from the image; nil for arrays
	noisy   *tensor.Tensor[float64] // the image as it is coded, means included; nil for arrays
	clean   *tensor.Tensor[float64] // what it is compared with; nil for nothing
}

// open reads the problem.
func (f *solveFlags) open(c *cli.Call) (*solving, error) {
	w, err := f.read("w")
	if err != nil {
		return nil, err
	}
	s, read := &solving{}, map[string]*tensor.Tensor[float64]{"w": w}
	if !data.IsImageFile(*f.file["x"]) {
		read["x"], err = f.read("x")
	} else {
		err = s.openPicture(f, w)
		read["x"] = s.noisy
	}
	if err != nil {
		return nil, err
	}
	if s.noisy != nil {
		read["x"] = s.noisy.Clone()
		if s.means = make([]float64, s.noisy.Shape[1]); f.centred {
			s.means = centre(read["x"])
		}
	}
	s.problem, err = f.build(c, read)
	return s, err
}

// openPicture reads the image, adds the noise, and reads what it is compared with.
func (s *solving) openPicture(f *solveFlags, w *tensor.Tensor[float64]) (err error) {
	if len(w.Shape) != 4 || w.Shape[1] != 1 && w.Shape[1] != 3 {
		return fmt.Errorf("-w: atoms of shape %v; for an image they are (M, 1, K, K) or (M, 3, K, K)", w.Shape)
	}
	if s.noisy, err = readPicture(*f.file["x"], w.Shape[1]); err != nil {
		return fmt.Errorf("-x: %w", err)
	}
	if f.noise > 0 {
		s.clean = s.noisy.Clone()
		addGaussian(s.noisy, f.noise/255, f.seed)
	}
	if f.reference == "" {
		return nil
	}
	if s.clean, err = readPicture(f.reference, w.Shape[1]); err != nil {
		return fmt.Errorf("-reference: %w", err)
	}
	if !slices.Equal(s.clean.Shape, s.noisy.Shape) {
		return fmt.Errorf("-reference: %s is %v, the image %v", f.reference, s.clean.Shape, s.noisy.Shape)
	}
	return nil
}

// run solves the problem, and prints and writes the results.
func (s *solving) run(c *cli.Call, f *solveFlags, solver solve.Solver[float64]) error {
	p := cli.NewProgress(c.Stderr, 0)
	every := max(1, min(10, f.iterations/100))
	stop := solve.Stop{RelativeGap: f.gap, Iterations: f.iterations, Every: every}
	result := solver.Solve(s.problem, stop, func(r solve.Record, _ *tensor.Tensor[float64]) bool {
		p.Show(float64(r.Iteration)/float64(f.iterations), fmt.Sprintf("iteration %d, objective %.6g, relative gap %.2g", r.Iteration, r.Objective, r.RelativeGap))
		return c.Context.Err() == nil
	})
	p.End()
	fmt.Fprintf(c.Stdout, "%s\n%s: %v after %d iterations\n", cli.Machine(), solver.Name(), result.Reason, result.Last.Iteration)
	if err := printCertificate(c.Stdout, s.problem, result.Certificate); err != nil {
		return err
	}
	az := tensor.New[float64](s.problem.X.Shape...)
	s.problem.A.Synthesize(az, result.Z)
	uncentre(az, s.means)
	if s.clean != nil {
		fmt.Fprintf(c.Stdout, "PSNR of the image %.2f dB, of A z %.2f dB\n", figures.PSNR(s.noisy.Data, s.clean.Data), figures.PSNR(az.Data, s.clean.Data))
	}
	if f.out != "" {
		if err := s.write(c, f, result, az); err != nil {
			return err
		}
	}
	if result.Reason == solve.Interrupted {
		fmt.Fprintf(c.Stdout, "stopped; the certificate above is that of the code so far; the same command with -iterations and -gap decides how far to go\n")
		return cli.ErrInterrupted
	}
	if !cli.Finite(result.Last.Objective) {
		return fmt.Errorf("objective %v: %w", result.Last.Objective, cli.ErrNotFinite)
	}
	return nil
}

// write writes code, signal, reconstruction and certificate.
func (s *solving) write(c *cli.Call, f *solveFlags, result solve.Result[float64], az *tensor.Tensor[float64]) error {
	var names []string
	put := func(name string, write func(path string) error) error {
		names = append(names, name)
		return write(filepath.Join(f.out, name))
	}
	array := func(t *tensor.Tensor[float64]) func(path string) error {
		return func(path string) error {
			return atomicfile.WriteBytes(path, npy.Encode(npy.FromTensor(t)))
		}
	}
	err := errors.Join(put("x.npy", array(s.problem.X)), put("w.npy", array(s.problem.A.Atoms)), put("z.npy", array(result.Z)),
		put("certificate.json", func(path string) error { return writeCertificate(path, result.Certificate) }))
	if s.noisy == nil {
		err = errors.Join(err, put("az.npy", array(az)))
	} else {
		err = errors.Join(err, put("az.png", func(path string) error { return writePicture(path, az) }),
			put("x.png", func(path string) error { return writePicture(path, s.noisy) }))
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(c.Stdout, "wrote to %s: %s\njudge the code by\n%s\n", f.out, strings.Join(names, ", "), certifyCommand(s.problem, f.out))
	return nil
}
