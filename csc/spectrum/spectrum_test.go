package spectrum

import (
	"fmt"
	"math"
	"runtime"
	"testing"

	"gonum.org/v1/gonum/mat"

	"sdref/conv"
	"sdref/internal/kernel"
	"sdref/tensor"
)

// bracket computes both bounds and sets them against gonum's eigenvalues. rounding is what gonum's may be off
// by.
func bracket(t *testing.T, s setup, w *tensor.Tensor[float64]) (excess float64) {
	t.Helper()
	const rounding = 1e-13
	all := eigenvalues(t, s.matrix(w))
	o := New(w, s.height, s.width, s.Geometry)
	r := o.Lanczos(1000, 1e-10)
	b := o.UpperBound(0)
	top := last(all)
	if r.Value > top*(1+rounding) || r.Value < top*(1-1e-10) || r.Residual > 1e-9*top {
		t.Errorf("%v: %+v, the largest eigenvalue is %.17g", s, r, top)
	}
	if r.Dimension != len(all) || r.Smallest < all[0]-rounding*top {
		t.Errorf("%v: %+v, the smallest of %d eigenvalues is %g", s, r, len(all), all[0])
	}
	if !(b.Value >= top*(1-rounding)) {
		t.Errorf("%v: bound %.17g below the largest eigenvalue %.17g", s, b.Value, top)
	}
	if known := o.UpperBound(r.Value); known != b {
		t.Errorf("%v: %+v with a Ritz value known, %+v without", s, known, b)
	}
	return b.Value/top - 1
}

// TestBounds: the largest eigenvalue lies between Ritz value and bound. On signals some times larger than the
// kernel the bound is up to 40 % high for atoms without structure, and up to 10 % for those where the change
// of sign does what the border does.
func TestBounds(t *testing.T) {
	for i, s := range setups {
		kh, kw := conv.Sizes(s.weights)
		roomy := s.Padding < 3 && s.Dilation < 2 && (s.height == 1 || s.height >= 2*kh) && s.width >= 2*kw
		if e := bracket(t, s, uniform(uint64(i), s.weights...)); roomy && e > 0.4 {
			t.Errorf("%v: the bound is %.1f %% high", s, 100*e)
		}
		for kind := range 4 {
			e := bracket(t, s, peaked(uint64(100+i), kind, s.weights...))
			if stride, _, _ := s.axes(); roomy && stride == [2]int{1, 1} && e > 0.1 {
				t.Errorf("%v, kind %d: the bound is %.1f %% high", s, kind, 100*e)
			}
		}
	}
	for i := range uint64(60) {
		s := drawn(i)
		bracket(t, s, uniform(i, s.weights...))
		bracket(t, s, peaked(i, int(i%4), s.weights...))
	}
}

// TestBoundIsTheTorus: before the least is taken, the bound is the largest eigenvalue of the matrix on the
// torus, for every choice of signs, but for the n^(1/2^13) that squaring leaves.
func TestBoundIsTheTorus(t *testing.T) {
	for i, s := range setups {
		w := uniform(uint64(200+i), s.weights...)
		y := New(w, s.height, s.width, s.Geometry).boundSymbol()
		for k := range 4 {
			antiperiodic := [2]bool{k&1 != 0, k&2 != 0}
			a := s.torusMatrix(w, y.vertical.length, y.horizontal.length, antiperiodic)
			top := last(eigenvalues(t, a))
			got := y.largest(antiperiodic, 0, math.Inf(1))
			if n := float64(y.g.re.Shape[0]); !(got >= top*(1-1e-13) &&
				got <= top*math.Pow(n, 0x1p-13)*(1+1e-8)) {
				t.Errorf("%v, signs %v: %.15g, the torus of %dx%d has %.15g", s, antiperiodic, got,
					y.vertical.length, y.horizontal.length, top)
			}
		}
	}
}

// TestTorusEigenvalues compares all eigenvalues with those of the matrix on the torus.
func TestTorusEigenvalues(t *testing.T) {
	for i, s := range setups {
		w := uniform(uint64(300+i), s.weights...)
		y := New(w, s.height, s.width, s.Geometry).boundSymbol()
		height, width := y.vertical.length, y.horizontal.length
		a := s.torusMatrix(w, height, width, [2]bool{})
		want := eigenvalues(t, a)
		got := y.TorusEigenvalues(height, width)
		if len(got) != s.weights[1]*height*width {
			t.Fatalf("%v: %d eigenvalues on %dx%d", s, len(got), height, width)
		}
		for k, v := range got {
			other := 0.0 // beyond those of the smaller of A A* and A*A
			if at := len(want) - 1 - k; at >= 0 {
				other = want[at]
			}
			if d := v - other; !(math.Abs(d) <= 1e-13*got[0]) {
				t.Errorf("%v: eigenvalue %d is %.17g, the torus of %dx%d has %.17g", s, k, v, height, width,
					other)
				break
			}
		}
	}
	o := New(uniform(1, 4, 2, 3), 1, 8, conv.Geometry{Stride: 2})
	for _, size := range [][2]int{{1, 3}, {2, 4}, {0, 4}} {
		func() {
			defer func() {
				if _, ok := recover().(*tensor.ShapeError); !ok {
					t.Errorf("%v: no *tensor.ShapeError", size)
				}
			}()
			o.TorusEigenvalues(size[0], size[1])
		}()
	}
}

// TestSharpCases have the bound equal to the largest eigenvalue.
func TestSharpCases(t *testing.T) {
	for _, n := range []int{2, 3, 8, 31} {
		// A A* has 2 on the diagonal and 1 beside it.
		w := tensor.From([]float64{1, 1}, 1, 1, 2)
		b := New(w, 1, n, conv.Geometry{Padding: 1}).UpperBound(0)
		near(t, fmt.Sprintf("two equal taps on %d pixels", n), b.Value, 2+2*math.Cos(math.Pi/float64(n+1)),
			1e-8)
		if b.Width != n+1 || b.Height != 1 || !b.Antiperiodic[1] {
			t.Errorf("%d pixels: %+v, want the change of sign along %d", n, b, n+1)
		}
		w = tensor.From([]float64{1, -1, -1, 1}, 1, 1, 2, 2)
		b = New(w, n, n, conv.Geometry{Padding: 1}).UpperBound(0)
		side := 2 + 2*math.Cos(math.Pi/float64(n+1))
		near(t, fmt.Sprintf("a checkerboard on %dx%d pixels", n, n), b.Value, side*side, 1e-8)
	}
	haar := tensor.From([]float64{1, 1, 1, 1, 1, -1, 1, -1, 1, 1, -1, -1, 1, -1, -1, 1}, 4, 1, 2, 2)
	o := New(haar, 6, 8, conv.Geometry{Stride: 2})
	near(t, "an orthogonal basis", o.UpperBound(0).Value, 4, 3e-4)
	if r := o.Lanczos(100, 0); r.Steps != 1 || math.Abs(r.Value-4) > 1e-14 ||
		math.Abs(r.Smallest-4) > 1e-14 || r.Residual > 1e-14 {
		t.Errorf("an orthogonal basis: %+v", r)
	}
	o = New(tensor.New[float32](4, 3, 3, 3), 5, 5, conv.Geometry{Padding: 1})
	if r, b := o.Lanczos(10, 1e-9), o.UpperBound(0); r.Value != 0 || r.Residual != 0 || b.Value != 0 {
		t.Errorf("no atoms: %+v, %+v", r, b)
	}
}

// TestTheStem: 64 atoms 3x3 on 3 channels of 32x32, as the published networks' first layer has them. The
// bound is within 1 %.
func TestTheStem(t *testing.T) {
	w := tensor.Convert[float32](uniform(5, 64, 3, 3, 3))
	o := New(w, 32, 32, conv.Geometry{Padding: 1})
	r := o.Lanczos(100, 1e-6)
	b := o.UpperBound(r.Value)
	if !(b.Value >= r.Value && b.Value <= 1.01*r.Value) || r.Residual > 1e-3*r.Value {
		t.Errorf("%+v, %+v", r, b)
	}
	if short := o.Lanczos(6, 0); short.Steps != 6 || !(short.Value < r.Value) ||
		!(short.Residual > r.Residual) {
		t.Errorf("six steps: %+v, a hundred: %+v", short, r)
	}
}

// TestOn sets the operator on a support against the matrix without the other columns.
func TestOn(t *testing.T) {
	for i, s := range setups {
		w := uniform(uint64(300+i), s.weights...)
		a := s.matrix(w)
		o := New(w, s.height, s.width, s.Geometry)
		z := uniform(uint64(400+i), o.code...)
		for j := range z.Data {
			if j%3 != 1 {
				z.Data[j] = 0
				for r := range a.RawMatrix().Rows {
					a.Set(r, j, 0)
				}
			}
		}
		on := o.On(z.Reshape(o.code[1:]...))
		near(t, fmt.Sprintf("%v: largest eigenvalue on a support", s), on.Lanczos(1000, 1e-12).Value,
			last(eigenvalues(t, a)), 1e-12)
		if on.UpperBound(0) != o.UpperBound(0) {
			t.Errorf("%v: the bound depends on the support", s)
		}
	}
}

// TestDiagonalize sets Jacobi's rotations against gonum.
func TestDiagonalize(t *testing.T) {
	for _, m := range []int{1, 2, 7, 40} {
		x := uniform(uint64(m), m, m)
		sum := mat.NewSymDense(m, nil)
		for i := range m {
			for j := range m {
				sum.SetSym(i, j, x.At(min(i, j), max(i, j)))
			}
		}
		a := tensor.New[float64](m, m)
		for i := range m {
			for j := range m {
				a.Set(sum.At(i, j), i, j)
			}
		}
		var e mat.EigenSym
		if !e.Factorize(sum, false) {
			t.Fatal("gonum found no eigenvalues")
		}
		vectors := diagonalize(a)
		v := mat.NewDense(m, m, vectors.Data)
		var av, vd, vtv mat.Dense
		av.Mul(sum, v)
		diagonal := mat.NewDiagDense(m, nil)
		for i := range m {
			diagonal.SetDiag(i, a.At(i, i))
		}
		vd.Mul(v, diagonal)
		vtv.Mul(v.T(), v)
		if !mat.EqualApprox(&av, &vd, 1e-13*float64(m)) {
			t.Errorf("%d: the columns are not eigenvectors", m)
		}
		identity := mat.NewDiagDense(m, nil)
		for i := range m {
			identity.SetDiag(i, 1)
		}
		if !mat.EqualApprox(&vtv, identity, 1e-13) {
			t.Errorf("%d: the columns are not orthonormal", m)
		}
		largest := math.Inf(-1)
		for i := range m {
			largest = max(largest, a.At(i, i))
		}
		near(t, fmt.Sprintf("%d: largest", m), largest, last(e.Values(nil)), 1e-13)
	}
}

// TestSameBits: every kernel row and any number of goroutines give the same bounds.
func TestSameBits(t *testing.T) {
	defer kernel.Use(kernel.ActiveName())
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	var first string
	for _, row := range kernel.Rows[float64]() {
		if err := kernel.Use(row.Name); err != nil {
			t.Fatal(err)
		}
		for _, procs := range []int{1, 5} {
			runtime.GOMAXPROCS(procs)
			o := New(uniform(1, 20, 12, 3, 3), 9, 8, conv.Geometry{Stride: 2, Padding: 1})
			r, b := o.Lanczos(20, 0), o.UpperBound(0)
			got := fmt.Sprintf("%x %x %x %x %v", r.Value, r.Residual, r.Smallest, b.Value, b.Antiperiodic)
			if first == "" {
				first = got
			}
			if got != first {
				t.Errorf("row %s, %d goroutines: %s, want %s", row.Name, procs, got, first)
			}
		}
	}
}

// TestMistakes: shapes that do not fit are a panic.
func TestMistakes(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a kernel larger than the padded signal: no panic")
		}
	}()
	New(uniform(1, 3, 2, 5, 5), 4, 3, conv.Geometry{})
}

// Eigen's rows are eigenvectors of its values, the largest first, whose largest element is positive.
func TestEigen(t *testing.T) {
	const m = 9
	x := uniform(5, m, m)
	a := tensor.New[float64](m, m)
	for i := range m {
		for j := range m {
			a.Set(x.At(min(i, j), max(i, j)), i, j)
		}
	}
	values, vectors := Eigen(a)
	for k, value := range values {
		if k > 0 && value > values[k-1] {
			t.Errorf("value %d is %g, after %g", k, value, values[k-1])
		}
		v, largest := vectors.Row(k).Data, 0.0
		for i := range m {
			sum := -value * v[i]
			for j := range m {
				sum += a.At(i, j) * v[j]
			}
			if math.Abs(sum) > 1e-13 {
				t.Errorf("value %d: residual %g", k, sum)
			}
			if math.Abs(v[i]) > math.Abs(largest) {
				largest = v[i]
			}
		}
		if largest < 0 {
			t.Errorf("vector %d: the largest element is %g", k, largest)
		}
	}
}
