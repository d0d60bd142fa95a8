package study

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"

	"sdref/cmd/ref/internal/cli"
	"sdref/csc/solve"
	"sdref/tensor"
)

const certifyHelp = `ref certify says how far a code z is from the solution of

  min over z of  F(z) = lambda |z|_1 + mu/2 |z|^2 + 1/2 |x - A z|^2,  with -nonnegative z >= 0,

whoever computed it: it prints the objective, the duality gap, the violation of the optimality
conditions, and what they prove. x (N, C, H, W), the atoms w (M, C, KH, KW) and z (N, M, Ho, Wo), or
signals of one axis, (N, C, L), (M, C, K) and (N, M, Lo), or vectors, (N, C), (M, C) and (N, M), are
.npy, .npz or .safetensors files of any type of numbers; of the latter two, tensors x, w and z are
read unless named otherwise. The
boundary says which problem it is: zero (a CSC layer's, with stride, padding and dilation), full (x
is the full convolution of z with w, flipping nothing) or circular (the same on a torus). The numbers
are computed in float64. Exit status 1 if the relative gap exceeds -tolerance.`

// certifyFlags are the flags of ref certify.
type certifyFlags struct {
	problemFlags
	tolerance float64
	json      string
}

func newCertifyFlags(c *cli.Call) *certifyFlags {
	f := &certifyFlags{}
	f.define(c, tensorFlag{"x", "signals"}, tensorFlag{"w", "atoms"}, tensorFlag{"z", "codes"})
	c.Flags.Float64Var(&f.tolerance, "tolerance", math.Inf(1), "fail if the relative gap exceeds this")
	c.Flags.StringVar(&f.json, "json", "",
		"write the numbers to this `file` too, for the batch and for each image")
	return f
}

// Certify bounds the error of a code.
func Certify(c *cli.Call) error {
	f := newCertifyFlags(c)
	if err := c.Parse(certifyHelp); err != nil {
		return err
	}
	if !c.Given("lambda") {
		return errors.New("-lambda is missing (see ref certify -help)")
	}
	if !(f.tolerance >= 0) {
		return fmt.Errorf("-tolerance: %g", f.tolerance)
	}
	p, z, err := f.problem(c)
	if err != nil {
		return err
	}
	certificate := solve.Certify(p, z)
	if err := printCertificate(c.Stdout, p, certificate); err != nil {
		return err
	}
	if f.json != "" {
		if err := writeCertificate(f.json, certificate); err != nil {
			return err
		}
	}
	if !(certificate.RelativeGap <= f.tolerance) {
		fmt.Fprintf(c.Stdout, "FAIL: the relative gap %.3g exceeds %g\n", certificate.RelativeGap,
			f.tolerance)
		return cli.ErrFailed
	}
	return nil
}

// problem is the problem and the code in the files.
func (f *certifyFlags) problem(c *cli.Call) (*solve.Problem[float64], *tensor.Tensor[float64], error) {
	read, err := f.readAll("x", "w", "z")
	if err != nil {
		return nil, nil, err
	}
	p, err := f.build(c, read)
	if err != nil {
		return nil, nil, err
	}
	if got, want := fmt.Sprint(read["z"].Shape), fmt.Sprint(p.CodeShape()); got != want {
		return nil, nil, fmt.Errorf("-z: the code has shape %s; for x %v and w %v it must be %s", got,
			p.X.Shape, p.A.Atoms.Shape, want)
	}
	return p, read["z"], nil
}

// printCertificate prints the numbers and the statements that they prove.
func printCertificate(out io.Writer, p *solve.Problem[float64], k solve.Certificate) error {
	sign := "signed"
	if p.Nonnegative {
		sign = "z >= 0"
	}
	fmt.Fprintf(out, "x %v, w %v, z %v, boundary %v, lambda %g, mu %g, %s\n", p.X.Shape, p.A.Atoms.Shape,
		p.CodeShape(), p.A.Boundary, p.Lambda, p.Mu, sign)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name, format string, values ...any) {
		fmt.Fprintf(w, "%s\t"+format+"\n", append([]any{name}, values...)...)
	}
	row("objective F(z)", "%.15g", k.Objective)
	row("  1/2 |x - A z|^2", "%.15g", k.Fidelity)
	row("  lambda |z|_1", "%.15g", k.Sparsity)
	row("  mu/2 |z|^2", "%.15g", k.Ridge)
	row("gap", "%.6g", k.Gap)
	row("relative gap", "%.6g (the worst image's)", k.RelativeGap)
	row("KKT violation", "%.6g", k.KKT)
	row("lambda_max", "%.15g", k.LambdaMax)
	row("support", "%d of %d elements, %.2f %%", k.Nonzeros, k.Elements, percent(k.Nonzeros, k.Elements))
	row("safe zeros", "%d, %.2f %%", k.SafeZeros, percent(k.SafeZeros, k.Elements))
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "This proves:\n%s", proofs(p, k))
	return err
}

func percent(part, all int) float64 { return 100 * float64(part) / float64(all) }

// proofs are the statements that the certificate proves.
func proofs(p *solve.Problem[float64], k solve.Certificate) string {
	var s strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&s, "- "+format+"\n", args...) }
	if math.IsInf(k.Objective, 1) {
		if p.Nonnegative && k.Minimum < 0 {
			say("z is not allowed: its smallest element is %g", k.Minimum)
		} else {
			say("z is not a code: its objective is not finite")
		}
		return s.String()
	}
	say("the least objective lies between %.15g and %.15g; F(z) is at most %.3g above it", k.Objective-k.Gap,
		k.Objective, k.Gap)
	if p.Mu > 0 {
		say("|z - z*| <= %.3g, z* being the solution", k.Distance(p.Mu))
	}
	say("%d elements are 0 in every solution", k.SafeZeros)
	if p.Lambda >= k.LambdaMax {
		say("lambda is not below lambda_max: z* = 0")
	} else {
		say("lambda is below lambda_max: z* is not 0 for every image")
	}
	return s.String()
}

// writeCertificate writes the numbers as JSON; infinite ones are null.
func writeCertificate(path string, k solve.Certificate) error {
	report := certificateJSON(k.Bounds)
	var images []map[string]any
	for _, b := range k.Images {
		images = append(images, certificateJSON(b))
	}
	report["images"] = images
	return cli.WriteJSON(path, report)
}

func certificateJSON(b solve.Bounds) map[string]any {
	m := map[string]any{"nonzeros": b.Nonzeros, "safe_zeros": b.SafeZeros, "elements": b.Elements}
	for name, v := range map[string]float64{
		"objective": b.Objective, "fidelity": b.Fidelity, "sparsity": b.Sparsity, "ridge": b.Ridge,
		"gap": b.Gap, "relative_gap": b.RelativeGap,
		"scale": b.Scale, "kkt": b.KKT, "lambda_max": b.LambdaMax, "minimum": b.Minimum,
	} {
		if m[name] = v; math.IsInf(v, 0) || math.IsNaN(v) {
			m[name] = nil
		}
	}
	return m
}
