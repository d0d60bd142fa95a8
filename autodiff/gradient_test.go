package autodiff

import (
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sdref/tensor"
)

// evaluate applies the row to values of which those that want says are leaves. It returns the result, and, if a seed is
// given, the gradients of <seed, result>; spoil, if not nil, may change the records before that.
func evaluate[T tensor.Float](r row[T], values []*tensor.Tensor[T], want func(i int) bool, seed *tensor.Tensor[T],
	spoil func(*Tape[T], []*Var[T])) (y *tensor.Tensor[T], gradients []*tensor.Tensor[T]) {
	tape := NewTape(tensor.NewArena[T]())
	vars := make([]*Var[T], len(values))
	for i, v := range values {
		if want(i) {
			vars[i] = tape.Leaf(v)
		} else {
			vars[i] = tape.Constant(v)
		}
	}
	out := r.apply(vars)
	y = out.Value().Clone()
	if seed == nil {
		return y, nil
	}
	if spoil != nil {
		spoil(tape, vars)
	}
	tape.Backward(out, seed)
	for _, v := range vars {
		if v.Grad() == nil {
			gradients = append(gradients, nil)
		} else {
			gradients = append(gradients, v.Grad().Clone())
		}
	}
	return y, gradients
}

func all(int) bool  { return true }
func none(int) bool { return false }

// seedFor draws the weights of the row's results.
func seedFor[T tensor.Float](r row[T], values []*tensor.Tensor[T]) *tensor.Tensor[T] {
	y, _ := evaluate(r, values, none, nil, nil)
	seed := tensor.New[float64](y.Shape...)
	plainly(rand.New(rand.NewPCG(7, 7)), seed.Data)
	return tensor.Convert[T](seed)
}

// slope is the derivative of <seed, f(values)> as argument i moves along direction, from central differences D at steps h,
// h/2 and h/4, whose errors in h^2 and h^4 Richardson's extrapolation takes out. Where f is linear between kinks every D is
// exact but for rounding. Directions have elements below 1 in magnitude, so values move by at most h and approach each other
// by at most 2h, a quarter of the distance that the table keeps from kinks.
func slope(r row[float64], values []*tensor.Tensor[float64], i int, direction, seed *tensor.Tensor[float64]) float64 {
	const h = kinkDistance / 8
	central := func(h float64) float64 {
		moved := slices.Clone(values)
		at := func(s float64) *tensor.Tensor[float64] {
			moved[i] = values[i].Clone()
			tensor.AddScaled(moved[i], values[i], direction, s)
			y, _ := evaluate(r, moved, none, nil, nil)
			return y
		}
		difference := at(h)
		tensor.AddScaled(difference, difference, at(-h), -1)
		return tensor.Dot(difference, seed) / (2 * h)
	}
	d1, d2, d4 := central(h), central(h/2), central(h/4)
	r1, r2 := (4*d2-d1)/3, (4*d4-d2)/3
	return (16*r2 - r1) / 15
}

// gradientError is the largest relative difference, over three random directions for each argument, between the slope
// along the direction and the inner product of direction and gradient.
func gradientError(r row[float64], spoil func(*Tape[float64], []*Var[float64])) (worst float64) {
	values := r.draw(1)
	seed := seedFor(r, values)
	_, gradients := evaluate(r, values, all, seed, spoil)
	for i, g := range gradients {
		for k := range uint64(3) {
			direction := tensor.New[float64](g.Shape...)
			tensor.FillUniform(direction, 100+k, 1, 0)
			want := slope(r, values, i, direction, seed)
			worst = max(worst, math.Abs(tensor.Dot(g, direction)-want)/math.Abs(want))
		}
	}
	return worst
}

// gradientTolerance bounds gradientError. The table's rows stay below 1e-11, and an error in one element of a gradient that
// is a hundred thousandth of the whole shows (TestGradientTestCanFail).
const gradientTolerance = 1e-10

func TestGradients(t *testing.T) {
	worst := 0.0
	for _, r := range table[float64]() {
		e := gradientError(r, nil)
		if !(e <= gradientTolerance) {
			t.Errorf("%s: relative error %.1e", r.title(), e)
		}
		worst = max(worst, e)
	}
	t.Logf("largest relative error %.1e", worst)
}

// Every pullback of every row in turn is made wrong in one element, by a hundred thousandth of the gradient's norm.
func TestGradientTestCanFail(t *testing.T) {
	for _, r := range table[float64]() {
		for i := range r.args {
			spoil := func(tape *Tape[float64], vars []*Var[float64]) {
				rec := &tape.records[len(tape.records)-1]
				rec.pulls = slices.Clone(rec.pulls)
				which := slices.Index(rec.args, vars[i])
				pull := rec.pulls[which]
				rec.pulls[which] = func(dst, dy *tensor.Tensor[float64]) {
					if pull == nil {
						copy(dst.Data, dy.Data)
					} else {
						pull(dst, dy)
					}
					dst.Data[len(dst.Data)/2] += 1e-5 * math.Sqrt(tensor.SumSquares(dst))
				}
			}
			if e := gradientError(r, spoil); e <= gradientTolerance {
				t.Errorf("%s: the test does not see a wrong gradient of argument %d: relative error %.1e", r.title(), i, e)
			}
		}
	}
}

// Mistakes that keep shapes and sizes plausible.
func TestGradientTestSeesTypicalMistakes(t *testing.T) {
	rows := table[float64]()
	find := func(title string) row[float64] {
		return rows[slices.IndexFunc(rows, func(r row[float64]) bool { return r.title() == title })]
	}
	for _, c := range []struct {
		title, mistake string
		spoil          func(rec *record[float64])
	}{
		{"AddScaled", "pullbacks exchanged", func(rec *record[float64]) { slices.Reverse(rec.pulls) }},
		{"BatchNorm training", "gradients of gamma and beta exchanged", func(rec *record[float64]) { slices.Reverse(rec.pulls[:2]) }},
		{"Scale", "factor forgotten", func(rec *record[float64]) { rec.pulls[0] = nil }},
		{"Shrink signed, elastic", "scale forgotten", func(rec *record[float64]) {
			z := &tensor.Tensor[float64]{Shape: rec.saved[0].Shape, Data: rec.saved[0].Data}
			rec.pulls[0] = func(dst, dy *tensor.Tensor[float64]) { tensor.ShrinkGrad(dst, z, dy, 1) }
		}},
	} {
		spoil := func(tape *Tape[float64], _ []*Var[float64]) { c.spoil(&tape.records[len(tape.records)-1]) }
		if e := gradientError(find(c.title), spoil); e < 1e-3 {
			t.Errorf("%s, %s: relative error only %.1e", c.title, c.mistake, e)
		}
	}
}

// A gradient is the same whether or not those of the other arguments are wanted, and an unwanted one is not there.
func TestUnwantedGradients(t *testing.T) {
	for _, r := range table[float32]() {
		values := r.draw(2)
		seed := seedFor(r, values)
		y, want := evaluate(r, values, all, seed, nil)
		for i := range r.args {
			only, got := evaluate(r, values, func(k int) bool { return k == i }, seed, nil)
			if !tensor.SameBits(only, y) || !tensor.SameBits(got[i], want[i]) {
				t.Errorf("%s: only the gradient of argument %d wanted: other bits", r.title(), i)
			}
			for k, g := range got {
				if k != i && g != nil {
					t.Errorf("%s: argument %d has a gradient that nobody wanted", r.title(), k)
				}
			}
		}
	}
}

// singleTolerance bounds the difference between float32 and float64 gradients of the same numbers, relative to the largest
// element: some ten roundings of 2^-24 = 6e-8 each. The table's rows stay below 2e-7.
const singleTolerance = 1e-6

func TestSinglePrecisionGradients(t *testing.T) {
	doubles := table[float64]()
	worst := 0.0
	for k, r := range table[float32]() {
		values, exact := r.draw(3), doubles[k].draw(3)
		_, got := evaluate(r, values, all, seedFor(r, values), nil)
		_, want := evaluate(doubles[k], exact, all, seedFor(doubles[k], exact), nil)
		for i := range got {
			difference, largest := 0.0, 0.0
			for at, w := range want[i].Data {
				difference = max(difference, math.Abs(float64(got[i].Data[at])-w))
				largest = max(largest, math.Abs(w))
			}
			if !(difference <= singleTolerance*largest) {
				t.Errorf("%s, argument %d: float32 and float64 differ by %.1e of the largest element", r.title(), i, difference/largest)
			}
			worst = max(worst, difference/largest)
		}
	}
	t.Logf("largest difference %.1e of the largest element", worst)
}

// An operation is an exported function, no method, that returns a *Var.
func TestEveryOperationHasARow(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var operations, rows []string
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if ok && f.Recv == nil && f.Name.IsExported() && returnsVar(f) {
				operations = append(operations, f.Name.Name)
			}
		}
	}
	for _, r := range table[float64]() {
		rows = append(rows, r.op)
	}
	slices.Sort(operations)
	slices.Sort(rows)
	if rows = slices.Compact(rows); !slices.Equal(operations, rows) {
		t.Errorf("the package has the operations\n%v\nthe table has rows for\n%v", operations, rows)
	}
}

func returnsVar(f *ast.FuncDecl) bool {
	if f.Type.Results == nil {
		return false
	}
	for _, r := range f.Type.Results.List {
		if star, ok := r.Type.(*ast.StarExpr); ok {
			if index, ok := star.X.(*ast.IndexExpr); ok {
				if name, ok := index.X.(*ast.Ident); ok && name.Name == "Var" {
					return true
				}
			}
		}
	}
	return false
}
