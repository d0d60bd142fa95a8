package study

import (
	"fmt"
	"math"
	"strings"
	"text/tabwriter"

	"sdref/tensor"
)

// page is the text to read beside (A.1).
func (t *trace) page() string {
	var b strings.Builder
	p := t.problem
	x, w := p.X.Shape, p.A.Atoms.Shape
	z := p.CodeShape()
	fmt.Fprintf(&b, "layer %s of %s (%s), image %s: %s\n", t.layer, t.network, t.checkpoint, t.image, t.label)
	fmt.Fprintf(&b, "signal x %d x %d x %d, code z %d x %d x %d, atoms %d x %d at stride %d, padding %d\n\n",
		x[1], x[2], x[3], z[1], z[2], z[3], w[2], w[3], max(1, p.A.Geometry.Stride), p.A.Geometry.Padding)
	fmt.Fprintf(&b, "    min over z%s of  F(z) = %s                    (B.1)\n\n",
		map[bool]string{true: " >= 0"}[p.Nonnegative], t.terms())
	fmt.Fprintf(&b, "    z_k     = prox(y_k + t A*(x - A g_k))                              (A.1), first "+
		"line\n")
	fmt.Fprintf(&b, "    m_{k+1} = (1 + sqrt(1 + 4 m_k^2))/2,  m_1 = 1                      (A.1), second "+
		"line\n")
	fmt.Fprintf(&b, "    y_{k+1} = z_k + (m_k - 1)/m_{k+1} (z_k - z_{k-1}),  y_1 = 0        (A.1), third "+
		"line\n\n")
	fmt.Fprintf(&b, "A* is the adjoint of A, (A.2), and prox shrinks every element, (A.3).\n")
	fmt.Fprintf(&b, "The step size t = %.6g", t.step)
	switch {
	case t.lambdaK == 0:
		fmt.Fprintln(&b, " was given.")
	case t.factor == 1:
		fmt.Fprintf(&b, " is the layer's, 0.9/lambda_K with lambda_K = %.6g from power iteration, (A.4) "+
			"and (A.5).\n", t.lambdaK)
	default:
		fmt.Fprintf(&b, " is the layer's, %.6g (learned) times 0.9/lambda_K with lambda_K = %.6g from "+
			"(A.4) and (A.5).\n", t.factor, t.lambdaK)
	}
	t.legend(&b)
	for _, w := range t.runs {
		t.table(&b, w)
	}
	low, high := t.bracket()
	fmt.Fprintf(&b, "\nthe least F is proven to lie between %.6g and %.6g\n", low, high)
	return b.String()
}

// terms is F with the numbers of the problem.
func (t *trace) terms() string {
	terms := fmt.Sprintf("%g |z|_1", t.problem.Lambda)
	if t.problem.Mu > 0 {
		terms += fmt.Sprintf(" + %g |z|^2/2", t.problem.Mu)
	}
	return terms + " + |x - A z|^2/2"
}

// legend explains the table's columns.
func (t *trace) legend(b *strings.Builder) {
	size := tensor.Size(t.problem.CodeShape()[1:])
	fmt.Fprintf(b, `
    k           iteration, from z_0 = 0
    m_k         the momentum's scalar, (A.1), second line
    F           objective at z_k, (B.1): the sum of its terms, which follow
    gap         F(z_k) is at most so far above the least F: a proof, by the dual problem (docs/csc.md)
    relative    gap/F
    |dz|        |z_k - z_{k-1}|
    nonzeros    elements of z_k that are not 0, of %d
    t           the step size in (A.1)
`, size)
}

// table writes the iterations of one solver.
func (t *trace) table(b *strings.Builder, w solverRun) {
	fmt.Fprintf(b, "\nsolver %s: %s\n\n", w.name, w.reads)
	out := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	ridge := ""
	if t.problem.Mu > 0 {
		ridge = "mu|z|^2/2\t"
	}
	fmt.Fprintf(out, "k\tm_k\tF\tlambda|z|_1\t%s|x-Az|^2/2\tgap\trelative\t|dz|\tnonzeros\tt\t\n", ridge)
	for i, r := range w.records {
		if !w.inTable(i, t.iterations) {
			continue
		}
		momentum, restart := "-", ""
		if r.Momentum > 0 {
			momentum = fmt.Sprintf("%.4f", r.Momentum)
		}
		if t.problem.Mu > 0 {
			ridge = fmt.Sprintf("%.5f\t", r.Ridge)
		}
		if r.Restart {
			restart = "restart"
		}
		fmt.Fprintf(out, "%d\t%s\t%.6f\t%.5f\t%s%.5f\t%.3g\t%.3g\t%.3g\t%d\t%.5g\t%s\n", r.Iteration,
			momentum, r.Objective, r.Sparsity, ridge,
			r.Fidelity, r.Gap, r.RelativeGap, r.Change, r.Nonzeros, r.Step, restart)
	}
	out.Flush() // cannot fail, since a strings.Builder does not
	fmt.Fprintf(b, "\n%s after %d iterations", w.reason, w.records[len(w.records)-1].Iteration)
	for _, gap := range []float64{1e-1, 1e-2, 1e-3, 1e-6, 1e-9} {
		if k := w.reaches(gap); k > 0 {
			fmt.Fprintf(b, "; relative gap %.0e at k = %d", gap, k)
		}
	}
	fmt.Fprintln(b)
	if w.unrolled && t.iterations <= len(w.records) {
		fmt.Fprintf(b, "the network stops at k = %d, where at most %.3g %% of F are above its least value\n",
			t.iterations, 100*w.records[t.iterations-1].RelativeGap)
	}
}

// bracket is the highest lower bound of min F that any iterate proved, and the lowest F.
func (t *trace) bracket() (low, high float64) {
	low, high = 0, math.Inf(1)
	for _, w := range t.runs {
		for _, r := range w.records {
			if r.Objective < high {
				high = r.Objective
			}
			if bound := r.Objective - r.Gap; bound > low { // false for a NaN
				low = bound
			}
		}
	}
	return low, high
}

// inTable tells whether record i is shown: the first ten, the network's last, then at most some thirty more.
func (w solverRun) inTable(i, network int) bool {
	n := len(w.records)
	return i < 10 || i == n-1 || i == network-1 || (i+1)%((n+29)/30) == 0
}

// reaches is the first iteration with that relative gap or less, 0 if there is none.
func (w solverRun) reaches(gap float64) int {
	for _, r := range w.records {
		if r.RelativeGap <= gap {
			return r.Iteration
		}
	}
	return 0
}
