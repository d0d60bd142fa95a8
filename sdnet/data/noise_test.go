package data

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"sdref/internal/random"
)

// grey returns n images all of whose bytes are x.
func grey(n int, x byte) *Set {
	return &Set{Name: "grey", Images: bytes.Repeat([]byte{x}, n*ImageBytes), Labels: make([]uint8, n)}
}

func first(n int) []int {
	indices := make([]int, n)
	for i := range indices {
		indices[i] = i
	}
	return indices
}

// The hashes of the bytes of each noise were computed on amd64 and must be the same on any architecture.
func TestNoisePinned(t *testing.T) {
	set := Shapes(0, 20, 1).Test
	for k, want := range map[Noise]string{
		GaussianNoise: "82b2bda841895bff86d642efae2393ec02549a399c8c0af7cf42edfbb569fa67",
		ShotNoise:     "f321d7fc450abdcd25126d5642db1a8fdfe6078c4372b1c3a70d752308d2df8b",
		SpeckleNoise:  "30f39a69b9c79a1c45304b51325b08bc66136e2d7a44e72aa1f68ba9b8e7f74a",
		ImpulseNoise:  "187ad051ccf5ea2b3170e2b630d0c647529e10be74f5fef92d11b83d78f98725",
	} {
		h := sha256.New()
		for severity := 1; severity <= Severities; severity++ {
			h.Write(AddNoise(set, first(20), k, severity, 1).Images)
		}
		if got := hex.EncodeToString(h.Sum(nil)); got != want {
			t.Errorf("%v: SHA-256 %s, want %s", k, got, want)
		}
	}
}

// poissonTerm is the probability of k, from the logarithm of the factorial.
func poissonTerm(mean float64, k int) float64 {
	if mean == 0 {
		return float64(max(0, 1-k))
	}
	factorial, _ := math.Lgamma(float64(k + 1))
	return math.Exp(float64(k)*math.Log(mean) - mean - factorial)
}

// The mean and variance of the difference from a grey of 102/255 = 0.4, which no noise but impulse moves out
// of [0, 1], against the definition's. Bytes are cut down, which takes half a unit off a smooth
// distribution's mean and adds 1/12 of a squared unit to its variance; shot's values are few, and summed one
// by one.
func TestNoiseMoments(t *testing.T) {
	const x, unit, n = 0.4, 1. / 255, 100
	for _, k := range Noises() {
		for severity := 1; severity <= Severities; severity++ {
			c := k.Parameter(severity)
			mean, variance := -unit/2, unit*unit/12
			switch k {
			case GaussianNoise:
				variance += c * c
			case SpeckleNoise:
				variance += c * c * x * x
			case ImpulseNoise:
				mean = c * (0.5 - x)
				variance = c/2*(x*x+(1-x)*(1-x)) - mean*mean
			case ShotNoise:
				mean, variance = 0, 0
				for i := range 500 {
					d := math.Floor(255*min(1, float64(i)/c))/255 - x
					mean, variance = mean+poissonTerm(c*x, i)*d, variance+poissonTerm(c*x, i)*d*d
				}
				variance -= mean * mean
			}
			sum, squares := 0.0, 0.0
			images := AddNoise(grey(n, 102), first(n), k, severity, 3).Images
			for _, b := range images {
				d := float64(b)/255 - x
				sum, squares = sum+d, squares+d*d
			}
			values := float64(len(images))
			got := sum / values
			if math.Abs(got-mean) > 5*math.Sqrt(variance/values) {
				t.Errorf("%v %d: mean %g, want %g", k, severity, got, mean)
			}
			if ratio := (squares/values - got*got) / variance; math.Abs(ratio-1) > 0.02 {
				t.Errorf("%v %d: variance %g times what it should be", k, severity, ratio)
			}
		}
	}
}

// The parameters, as the published files were made.
func TestNoiseParameters(t *testing.T) {
	text := ""
	for _, k := range Noises() {
		text += k.String()
		for severity := 1; severity <= Severities; severity++ {
			text += fmt.Sprintf(" %g", k.Parameter(severity))
		}
		text += "\n"
	}
	want := "gaussian 0.04 0.06 0.08 0.09 0.1\nshot 500 250 100 75 50\nspeckle 0.06 0.1 0.12 0.16 " +
		"0.2\nimpulse 0.01 0.02 0.03 0.05 0.07\n"
	if text != want {
		t.Errorf("parameters\n%swant\n%s", text, want)
	}
}

// Values that can be worked out: black has neither shot nor speckle, impulses are 0 and 255 in equal parts at
// the rate c.
func TestNoiseExactCases(t *testing.T) {
	for _, k := range []Noise{ShotNoise, SpeckleNoise} {
		if slices.Max(AddNoise(grey(3, 0), first(3), k, 5, 1).Images) != 0 {
			t.Errorf("%v noise on black", k)
		}
	}
	counts := map[byte]int{}
	images := AddNoise(grey(40, 77), first(40), ImpulseNoise, 5, 1).Images
	for _, b := range images {
		counts[b]++
	}
	half := 0.07 / 2 * float64(len(images))
	if len(counts) != 3 || math.Abs(float64(counts[0])-half) > 5*math.Sqrt(half) ||
		math.Abs(float64(counts[255])-half) > 5*math.Sqrt(half) {
		t.Errorf("impulses: %v, want %.0f each", counts, half)
	}
	white := AddNoise(grey(3, 255), first(3), GaussianNoise, 5, 1).Images
	clipped := 0
	for _, b := range white {
		if b == 255 {
			clipped++
		}
	}
	if share := float64(clipped) / float64(len(white)); math.Abs(share-0.5) > 0.03 { // no byte wraps round
		t.Errorf("%.2f of white stays white, want half", share)
	}
	for x, want := range map[float64]byte{-0.1: 0, 0: 0, 0.9999 / 255: 0, 1.: 255, 1.5: 255,
		254.99 / 255: 254} {
		if got := toByte(x); got != want {
			t.Errorf("%g becomes %d, want %d", x, got, want)
		}
	}
	for x := range 256 {
		if got := toByte(float64(x) / 255); int(got) != x {
			t.Errorf("a byte %d that no noise touches becomes %d", x, got)
		}
	}
}

// The distribution function against the definition's terms from logarithms of factorials, and inversion at
// the steps.
func TestNoisePoisson(t *testing.T) {
	for _, mean := range []float64{0, 0.3, 4, 50, 500} {
		table := poissonTable(mean)
		sum := 0.0
		for k := range table {
			sum += poissonTerm(mean, k)
			if math.Abs(table[k]-sum) > 1e-11 {
				t.Fatalf("mean %g: F(%d) = %v, want %v", mean, k, table[k], sum)
			}
			if k > 0 && table[k] > table[k-1] && poisson(table, math.Nextafter(table[k-1], 0)) > k-1 {
				t.Errorf("mean %g: just below F(%d)", mean, k-1)
			}
			if k > 0 && table[k] > table[k-1] && poisson(table, table[k-1]) != k {
				t.Errorf("mean %g: at F(%d) = %v the draw is %d", mean, k-1, table[k-1],
					poisson(table, table[k-1]))
			}
		}
		if rest := 1 - table[len(table)-1]; math.Abs(rest) > 1e-11 {
			t.Errorf("mean %g: the table ends %g before 1", mean, rest)
		}
		if k := poisson(table, 1-0x1p-53); k >= len(table) {
			t.Errorf("mean %g: the largest draw is outside the table", mean)
		}
	}
}

// Box and Muller's numbers against the shares of a normal distribution within 1, 2 and 3 deviations, and
// neighbours apart.
func TestNoiseNormal(t *testing.T) {
	const n = 200_000
	s := random.New(5).Sub("normal")
	var inside [3]int
	together := 0.0
	for i := range uint64(n) {
		v := normalAt(s, i)
		for d := range inside {
			if math.Abs(v) < float64(d+1) {
				inside[d]++
			}
		}
		together += v * normalAt(s, i^1)
	}
	for d, want := range []float64{0.682689, 0.954500, 0.997300} {
		if got := float64(inside[d]) / n; math.Abs(got-want) > 5*math.Sqrt(want*(1-want)/n) {
			t.Errorf("%.4f within %d deviations, want %.4f", got, d+1, want)
		}
	}
	if correlation := together / n; math.Abs(correlation) > 0.015 {
		t.Errorf("the two numbers of a pair have correlation %g", correlation)
	}
}

// A noised image depends on its number alone: not on the other images, their order, or the goroutines.
func TestNoiseOrderAndGoroutines(t *testing.T) {
	set := Shapes(0, 8, 1).Test
	for _, k := range Noises() {
		whole := AddNoise(set, first(8), k, 3, 1)
		some := AddNoise(set, []int{5, 2, 5}, k, 3, 1)
		for j, i := range []int{5, 2, 5} {
			if !bytes.Equal(some.Image(j), whole.Image(i)) || some.Labels[j] != set.Labels[i] {
				t.Errorf("%v: image %d depends on its company", k, i)
			}
		}
		old := runtime.GOMAXPROCS(1)
		alone := AddNoise(set, first(8), k, 3, 1)
		runtime.GOMAXPROCS(7)
		many := AddNoise(set, first(8), k, 3, 1)
		runtime.GOMAXPROCS(old)
		if !bytes.Equal(alone.Images, whole.Images) || !bytes.Equal(many.Images, whole.Images) {
			t.Errorf("%v: the number of goroutines matters", k)
		}
	}
}

// Other seeds, sets, noises, severities and images have other draws; the clean images stay as they are.
func TestNoiseDrawsDiffer(t *testing.T) {
	set := grey(2, 128)
	other := *set
	other.Name = "other"
	seen := map[string]string{}
	for name, images := range map[string][]byte{
		"as it is": AddNoise(set, first(1), GaussianNoise, 2, 1).Images,
		"seed":     AddNoise(set, first(1), GaussianNoise, 2, 2).Images,
		"set":      AddNoise(&other, first(1), GaussianNoise, 2, 1).Images,
		"severity": AddNoise(set, first(1), GaussianNoise, 3, 1).Images,
		"image":    AddNoise(set, []int{1}, GaussianNoise, 2, 1).Images,
		"kind":     AddNoise(set, first(1), SpeckleNoise, 2, 1).Images,
	} {
		// Signs rather than sizes: another severity of the same draws would differ in size only.
		signs := strings.Map(func(r rune) rune {
			return map[bool]rune{true: '+', false: '-'}[r >= 128]
		}, string([]rune(latin(images))))
		if same, ok := seen[signs]; ok {
			t.Errorf("%s: the same draws as %s", name, same)
		}
		seen[signs] = name
	}
	if !bytes.Equal(set.Images, grey(2, 128).Images) {
		t.Error("the images themselves were corrupted")
	}
}

// latin turns bytes into characters one by one.
func latin(b []byte) string {
	r := make([]rune, len(b))
	for i, v := range b {
		r[i] = rune(v)
	}
	return string(r)
}

func TestNoiseNames(t *testing.T) {
	for _, k := range Noises() {
		if got, err := ParseNoise(k.String()); err != nil || got != k {
			t.Errorf("%v: %v, %v", k, got, err)
		}
	}
	if _, err := ParseNoise("fog"); err == nil ||
		!strings.Contains(err.Error(), "gaussian, shot, speckle, impulse") {
		t.Errorf("fog: %v", err)
	}
	if Noise(9).String() != "Noise(9)" {
		t.Error(Noise(9))
	}
}

func TestNoisePanics(t *testing.T) {
	for want, f := range map[string]func(){
		"gaussian has no severity 0": func() { GaussianNoise.Parameter(0) },
		"impulse has no severity 6":  func() { AddNoise(grey(1, 0), nil, ImpulseNoise, 6, 1) },
		"grey has 1 images":          func() { AddNoise(grey(1, 0), []int{1}, ImpulseNoise, 1, 1) },
		"indices[0] = -1":            func() { Pick(grey(1, 0), []int{-1}) },
	} {
		func() {
			defer func() {
				if text := fmt.Sprint(recover()); !strings.Contains(text, want) {
					t.Errorf("panic %q, want %q", text, want)
				}
			}()
			f()
		}()
	}
}
