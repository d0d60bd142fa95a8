package attack

import (
	"math"
	"runtime"
	"slices"
	"testing"

	"sdref/sdnet/data"
	"sdref/tensor"
)

var norms = []struct {
	Norm
	small, large float64
}{{Linf, 2. / 255, 0.5}, {L2, 0.25, 20}}

// What an attack ends with lies in the ball and in [0, 1]; found is what the network mistakes, and it is not
// found by accident.
func TestAttack(t *testing.T) {
	v := model(trained(t), 16)
	set, indices := own(v, 24)
	for _, n := range norms {
		tr, before := v.Begin(set, indices), 24
		if tr.Remaining() != 24 || !tensor.SameBits(tr.Worst, tr.Images) {
			t.Fatalf("%v: %d of 24 images are recognised before the attack", n.Norm, tr.Remaining())
		}
		for _, epsilon := range []float64{n.small / 4, n.small, n.large} {
			if !v.Attack(tr, PGD{Norm: n.Norm, Epsilon: epsilon, Steps: 8, Restarts: 1, Seed: 1}, nil) {
				t.Fatal("stopped")
			}
			classes := v.Classes(tr.Worst)
			for j := range indices {
				if d := size(n.Norm, tr.Worst.Row(j), tr.Images.Row(j)); d > epsilon*(1+1e-6)+1e-7 {
					t.Errorf("%v, epsilon %g: image %d moved by %g", n.Norm, epsilon, j, d)
				}
				if values := tr.Worst.Row(j).Data; slices.Min(values) < 0 || slices.Max(values) > 1 {
					t.Errorf("%v, epsilon %g: image %d has values from %g to %g", n.Norm, epsilon, j,
						slices.Min(values), slices.Max(values))
				}
				if tr.Found[j] != (classes[j] != tr.Labels[j]) {
					t.Errorf("%v, epsilon %g: image %d is of class %d and taken for %d; found: %t", n.Norm,
						epsilon, j, tr.Labels[j], classes[j], tr.Found[j])
				}
			}
			if tr.Remaining() > before || v.Recognised(tr) != tr.Remaining() {
				t.Errorf("%v, epsilon %g: %d images left of %d, %d recognised", n.Norm, epsilon,
					tr.Remaining(), before, v.Recognised(tr))
			}
			before = tr.Remaining()
		}
		if before != 0 {
			t.Errorf("%v, epsilon %g: %d images withstand any change", n.Norm, n.large, before)
		}
	}
}

// The gradient is what does it: noise of the same size is harmless, and more steps do no less.
func TestGradientsMatter(t *testing.T) {
	v := model(trained(t), 24)
	set, indices := own(v, 24)
	for i, n := range norms {
		if testing.Short() && i > 0 {
			continue // the same by another norm
		}
		left := map[int]int{}
		for _, steps := range []int{1, 4, 16} {
			tr := v.Begin(set, indices)
			v.Attack(tr, PGD{Norm: n.Norm, Epsilon: n.small, Steps: steps, Restarts: 1, Seed: 1}, nil)
			left[steps] = tr.Remaining()
		}
		tr := v.Begin(set, indices)
		v.RandomStart(tr, PGD{Norm: n.Norm, Epsilon: n.small, Seed: 1})
		if noise := v.Recognised(tr); noise < 20 || left[16] > noise/2 || left[4] > left[1] ||
			left[16] > left[4] {
			t.Errorf("%v: %d images withstand noise; after 1, 4 and 16 steps %d, %d, %d are left", n.Norm,
				noise, left[1], left[4], left[16])
		}
	}
}

// Attacks that persist end with larger losses than those that stop at the first mistake, the more steps the
// larger.
func TestPersist(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 3 s; TestCompany attacks in this way, too")
	}
	v := model(trained(t), 24)
	set, indices := own(v, 12)
	mean := func(steps int, persist bool) float64 {
		tr := v.Begin(set, indices)
		v.Attack(tr, PGD{Epsilon: 4. / 255, Steps: steps, Restarts: 1, Seed: 1, MaximizeLoss: persist}, nil)
		sum := 0.0
		for _, loss := range losses(v, tr.Worst, tr.Labels) {
			sum += loss / 12
		}
		return sum
	}
	stopped, one, four, sixteen := mean(16, false), mean(1, true), mean(4, true), mean(16, true)
	if !(one < four && four < sixteen && stopped < sixteen/2) {
		t.Errorf("losses after 1, 4, 16 steps: %g, %g, %g; stopped at the first mistake: %g", one, four,
			sixteen, stopped)
	}
}

// An image's fate depends on its number alone: not on the batch, its company, or the goroutines.
func TestCompany(t *testing.T) {
	net := trained(t)
	set, indices := own(model(net, 8), 7)
	for i, n := range norms {
		if testing.Short() && i > 0 {
			continue // the same by another norm
		}
		for _, persist := range []bool{false, true} {
			attack := PGD{Norm: n.Norm, Epsilon: n.small / 2, Steps: 3, Restarts: 2, Seed: 1,
				MaximizeLoss: persist}
			fate := func(batch, goroutines int, indices []int) *Examples[float32] {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(goroutines))
				v := model(net, batch)
				tr := v.Begin(set, indices)
				v.Attack(tr, attack, nil)
				return tr
			}
			whole := fate(7, 2, indices)
			if !persist && (whole.Remaining() == 0 || whole.Remaining() == 7) {
				t.Errorf("%v: %d of 7 images left would not show a mistake", n.Norm, whole.Remaining())
			}
			for _, other := range []*Examples[float32]{fate(1, 1, indices), fate(3, 5, indices),
				fate(2, 2, []int{6, 3})} {
				for j, i := range other.indices {
					if other.Found[j] != whole.Found[i] ||
						!tensor.SameBits(other.Worst.Row(j), whole.Worst.Row(i)) {
						t.Errorf("%v, persisting %t: the attack on image %d depends on the other images",
							n.Norm,
							persist, i)
					}
				}
			}
		}
	}
}

// Random starts: inside the ball, spread over it, other ones for other images, restarts and seeds.
func TestStarts(t *testing.T) {
	v := model(network[float64](t, "sdnet8_narrow"), 4)
	set, indices := own(v, 40)
	for _, n := range norms {
		tr := v.Begin(set, indices)
		tr.Images.Fill(0.5)
		v.RandomStart(tr, PGD{Norm: n.Norm, Epsilon: 0.1, Seed: 1})
		sizes := 0.0
		for j := range indices {
			d := size(n.Norm, tr.Worst.Row(j), tr.Images.Row(j))
			if d > 0.1*(1+1e-12) || d == 0 {
				t.Errorf("%v: a start at a distance of %g", n.Norm, d)
			}
			sizes += d / 40
		}
		if want := map[Norm]float64{Linf: 0.1, L2: 0.05}[n.Norm]; math.Abs(sizes-want) > 0.015 {
			t.Errorf("%v: starts at a mean distance of %g, want %g", n.Norm, sizes, want)
		}
	}
	start := func(seed uint64, index, restarts int) *tensor.Tensor[float64] {
		tr := v.Begin(set, []int{index})
		v.Attack(tr, PGD{Epsilon: 0.1, Steps: 1, Restarts: restarts, Seed: seed, MaximizeLoss: true}, nil)
		difference := tensor.New[float64](tr.Worst.Shape...)
		tensor.AddScaled(difference, tr.Worst, tr.Images, -1)
		return difference
	}
	first := start(1, 0, 1)
	for what, other := range map[string]*tensor.Tensor[float64]{"seed": start(2, 0, 1),
		"restart": start(1, 0, 2)} {
		if tensor.SameBits(first, other) {
			t.Errorf("another %s makes no difference", what)
		}
	}
}

// Where there is no room, nothing moves.
func TestNoRoom(t *testing.T) {
	v := model(network[float32](t, "sdnet8_narrow"), 4)
	set, indices := own(v, 3)
	set.Labels[1]++ // a mistake from the start
	set.Labels[1] %= 10
	for _, n := range norms {
		tr := v.Begin(set, indices)
		if v.Attack(tr, PGD{Norm: n.Norm, Steps: 2, Restarts: 1}, nil); !tensor.SameBits(tr.Worst,
			tr.Images) || tr.Remaining() != 2 || !tr.Found[1] {
			t.Errorf("%v: epsilon 0 changes something, or finds %v", n.Norm, tr.Found)
		}
	}
}

// Gradients that lead nowhere: a stem whose codes are all zero.
func TestFlat(t *testing.T) {
	v := model(network[float32](t, "sdnet8_narrow"), 2)
	set, indices := own(v, 5)
	if n := v.ZeroGradients(v.Begin(set, indices)); n != 0 {
		t.Errorf("%d of 5 gradients are zero", n)
	}
	v.Net.Layers[0].Lambda = 1e6
	if n := v.ZeroGradients(v.Begin(set, indices)); n != 5 {
		t.Errorf("%d of 5 gradients are zero where nothing passes", n)
	}
}

func TestStop(t *testing.T) {
	v := model(network[float32](t, "sdnet8_narrow"), 2)
	set, indices := own(v, 5)
	calls, passed := 0, 0
	attack := PGD{Epsilon: 1e-6, Steps: 3, Restarts: 2}
	if !v.Attack(v.Begin(set, indices), attack, func(n int) bool {
		calls, passed = calls+1, passed+n
		return true
	}) || calls != 18 || passed != 30 {
		t.Errorf("%d passes of %d images, want 18 of 30", calls, passed)
	}
	for last := range 18 {
		calls = 0
		if v.Attack(v.Begin(set, indices), attack, func(int) bool {
			calls++
			return calls <= last
		}) || calls != last+1 {
			t.Errorf("not stopped after pass %d", last+1)
		}
	}
}

func TestNamesAndPanics(t *testing.T) {
	for _, n := range norms {
		if got, err := ParseNorm(n.Norm.String()); err != nil || got != n.Norm {
			t.Errorf("%v: %v, %v", n.Norm, got, err)
		}
	}
	if _, err := ParseNorm("l1"); err == nil {
		t.Error("l1 is no norm here")
	}
	net := network[float32](t, "resnet8_narrow")
	v := model(net, 2)
	tr := v.Begin(data.Shapes(0, 1, 1).Test, []int{0})
	panics(t, "a batch of 0", func() { model(net, 0) })
	for _, a := range []PGD{{Epsilon: 1, Steps: 0, Restarts: 1}, {Epsilon: 1, Steps: 1},
		{Epsilon: -1, Steps: 1, Restarts: 1}, {Epsilon: math.NaN(), Steps: 1, Restarts: 1}} {
		panics(t, "no attack has", func() { v.Attack(tr, a, nil) })
	}
}

// One step by hand: from the start along the gradient, 2.5 epsilon far, and back.
func TestStep(t *testing.T) {
	v := model(network[float64](t, "sdnet8_narrow"), 4)
	set, indices := own(v, 3)
	for _, n := range norms {
		attack := PGD{Norm: n.Norm, Epsilon: n.small, Steps: 1, Restarts: 1, Seed: 1, MaximizeLoss: true}
		start, got := v.Begin(set, indices), v.Begin(set, indices)
		v.RandomStart(start, attack)
		v.Attack(got, attack, nil)
		gradient, _ := v.Gradient(start.Worst, start.Labels)
		for j := range indices {
			g := gradient.Row(j)
			want, origin := start.Worst.Row(j).Clone(), start.Images.Row(j)
			norm := math.Sqrt(tensor.SumSquares(g))
			for k, d := range g.Data {
				step := d / norm
				if n.Norm == Linf {
					step = math.Copysign(1, d)
				}
				want.Data[k] += 2.5 * n.small * step
			}
			shrink := min(1, n.small/size(L2, want, origin))
			for k, o := range origin.Data {
				if n.Norm == Linf {
					want.Data[k] = min(max(want.Data[k], o-n.small), o+n.small)
				} else {
					want.Data[k] = o + shrink*(want.Data[k]-o)
				}
				want.Data[k] = min(max(want.Data[k], 0), 1)
			}
			if d := size(Linf, want, got.Worst.Row(j)); d > 1e-12 || norm == 0 {
				t.Errorf("%v, image %d: off by %g", n.Norm, j, d)
			}
		}
	}
}
