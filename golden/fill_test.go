package golden

import (
	"math"
	"path/filepath"
	"testing"
)

// The fill rule as the format's description states it, in its own words.
func TestFillRule(t *testing.T) {
	for _, f := range []Fill{
		{Shape: []int{2, 3, 4}, Seed: 1002, Scale: 2},
		{Shape: []int{50}, Seed: math.MaxUint64, Scale: 0.25, Offset: 1},
		{Shape: nil, Seed: 7, Scale: -0.1, Offset: 1e-3},
	} {
		values := f.Values()
		want := 1
		for _, side := range f.Shape {
			want *= side
		}
		if len(values) != want {
			t.Fatalf("%v: %d elements", f, len(values))
		}
		for i, got := range values {
			z := f.Seed + uint64(i+1)*0x9E3779B97F4A7C15
			z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
			z = (z ^ z>>27) * 0x94D049BB133111EB
			z ^= z >> 31
			unit := 2*math.Ldexp(float64(z>>40), -24) - 1
			if want := float64(unit*f.Scale) + f.Offset; got != want {
				t.Errorf("%v element %d: %v, want %v", f, i, got, want)
			}
		}
	}
}

// TestLevels: whole numbers around 0, all of them and none besides, evenly.
func TestLevels(t *testing.T) {
	for levels, lowest := range map[int]float64{1: 0, 2: -1, 3: -1, 9: -4, 10: -5} {
		f := Fill{Shape: []int{9000}, Seed: 3, Scale: 0.5, Offset: 2, Levels: levels}
		plain := Fill{Shape: f.Shape, Seed: f.Seed, Scale: 1}.Values()
		counts := map[float64]int{}
		for i, v := range f.Values() {
			counts[v]++
			if want := (math.Floor((plain[i]+1)/2*float64(levels))-math.Floor(float64(levels)/2))*0.5 +
				2; v != want {
				t.Fatalf("%d levels: element %d is %v, want %v", levels, i, v, want)
			}
		}
		for k := range levels {
			if n := counts[(lowest+float64(k))/2+2]; math.Abs(float64(n*levels)/9000-1) > 0.2 {
				t.Errorf("%d levels: %d of 9000 are number %d", levels, n, k)
			}
		}
		if len(counts) != levels {
			t.Errorf("%d levels: values %v", levels, counts)
		}
	}
}

func TestFillRefuses(t *testing.T) {
	for _, f := range []Fill{
		{Shape: []int{-1}}, {Shape: []int{0}}, {Shape: []int{1 << 16, 1 << 15, 2}},
		{Shape: []int{1}, Levels: -1}, {Shape: []int{1}, Levels: 1<<24 + 1},
		{Shape: []int{1}, Scale: math.NaN()}, {Shape: []int{1}, Offset: math.Inf(1)},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%v made values", f)
				}
			}()
			f.Values()
		}()
	}
}

// official holds the cases of the authors' code.
const official = "testdata/official"

func TestOfficialCasesOpen(t *testing.T) {
	cases, err := Open(official)
	if err != nil {
		t.Fatal(err)
	}
	if len(cases) != 16 {
		t.Errorf("%d cases, want the 9 layers and 7 networks", len(cases))
	}
	kinds := map[string]int{}
	for _, c := range cases {
		kinds[c.Kind]++
		if len(c.Tensors.Tensors) == 0 || len(c.Scalars.Names()) == 0 || len(c.Attrs.Names()) == 0 ||
			len(c.Inputs) == 0 {
			t.Errorf("%s: something is empty", c.Name)
		}
		if c.Kind == "network" {
			batch, err := c.Attrs.Int("batch")
			equal(t, c.Name+": labels", len(c.Labels), err, batch)
			losses, err := c.Scalars.Floats("losses")
			if err != nil || len(losses) == 0 || len(c.Parameters) == 0 {
				t.Errorf("%s: losses %v (%v), %d parameters", c.Name, losses, err, len(c.Parameters))
			}
		}
	}
	if kinds["csc_layer"] != 9 || kinds["network"] != 7 {
		t.Errorf("kinds %v", kinds)
	}
}

// weight is weight_raw with each atom divided by its l2 norm, so the fills
// reproduce a tensor that another implementation of the rule computed.
func TestOfficialFills(t *testing.T) {
	cases, err := Open(filepath.Join(official, "layer"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		raw, ok := c.Inputs["weight_raw"]
		if !ok {
			t.Errorf("%s: no weight_raw", c.Name)
			continue
		}
		unit, err := c.Attrs.Bool("unit_norm_atoms")
		if err != nil {
			t.Fatal(err)
		}
		got, bound := raw.Values(), 0.0
		if unit {
			bound = 1e-15
			size := len(got) / raw.Shape[0]
			for atom := 0; atom < len(got); atom += size {
				squares := 0.0 // summed in order, as there: other orders differ by 4e-15
				for _, v := range got[atom : atom+size] {
					squares += float64(v * v)
				}
				norm := max(math.Sqrt(squares), 1e-12)
				for i := atom; i < atom+size; i++ {
					got[i] /= norm
				}
			}
		}
		weight, err := c.Tensor("weight", raw.Shape...)
		if err != nil {
			t.Fatal(err)
		}
		row := Judge(c.Name, "weight", Compare(got, weight), bound)
		t.Log(row)
		if !row.Pass {
			t.Error(row)
		}
	}
}
