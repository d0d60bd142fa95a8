package training

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"sdref/sdnet"
	"sdref/sdnet/data"
	"sdref/tensor"
)

// byHand evaluates image by image: sorted logits, log-sum-exp in float64, zeros counted one by one.
func byHand(net *sdnet.Network[float64], d *data.Sets) Evaluation {
	e := Evaluation{Images: d.Test.Len()}
	p := sdnet.NewPredictor(net)
	zeros, total := map[string]int{}, map[string]int{}
	p.Observe = func(name string, value *tensor.Tensor[float64]) {
		for _, v := range value.Data {
			total[name]++
			if v == 0 {
				zeros[name]++
			}
		}
	}
	image := tensor.New[float64](1, 3, 32, 32)
	for i, label := range d.Test.Labels {
		data.NewNormaliser[float64](d.Mean, d.Std).Plain(image.Data, d.Test, []int{i})
		logits := p.Logits(image).Data
		classes := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
		slices.SortFunc(classes, func(a, b int) int {
			if logits[a] > logits[b] {
				return -1
			}
			return 1
		})
		place, sum := slices.Index(classes, int(label)), 0.0
		for _, v := range logits {
			sum += math.Exp(v)
		}
		e.Loss += (math.Log(sum) - logits[label]) / float64(e.Images)
		if place < 1 {
			e.Top1++
		}
		if place < 5 {
			e.Top5++
		}
	}
	for _, l := range net.Layers {
		e.Codes = append(e.Codes, Codes{l.Name, zeros[l.Name], total[l.Name]})
	}
	return e
}

func TestEvaluate(t *testing.T) {
	c := short()
	c.Network, c.Type, c.Epochs = "sdnet8_all_narrow", "float64", 1
	d := drawn()
	r := start[float64](t, c, d)
	for !r.Done() {
		step(t, r)
	}
	net := r.Net().Evaluable()
	want := byHand(net, d)
	if want.Top5 == 0 || want.Top5 == want.Images || len(want.Codes) != 7 || want.Codes[0].Zeros == 0 {
		t.Fatalf("this network would not show a mistake: %+v", want)
	}
	for _, batch := range []int{1, 3, 7, 100} {
		var seen []int
		e := Evaluate(net, d.Test, d.Mean, d.Std, batch, func(e Evaluation) bool {
			seen = append(seen, e.Images)
			return true
		})
		if math.Abs(e.Loss-want.Loss) > 1e-12 {
			t.Errorf("batch %d: loss %v, want %v", batch, e.Loss, want.Loss)
		}
		e.Loss = want.Loss
		if fmt.Sprint(e) != fmt.Sprint(want) {
			t.Errorf("batch %d: %+v, want %+v", batch, e, want)
		}
		if steps := (6 + batch) / batch; len(seen) != steps || seen[steps-1] != 7 ||
			seen[0] != min(batch, 7) {
			t.Errorf("batch %d: progress %v", batch, seen)
		}
	}
	if e := Evaluate(net, d.Test, d.Mean, d.Std, 3, func(Evaluation) bool {
		return false
	}); e.Images != 3 || e.Codes[0].Total != 3*16*32*32 {
		t.Errorf("stopped after a batch: %+v", e)
	}
	if e := Evaluate(net, d.Test.Slice(0, 0), d.Mean, d.Std, 3, nil); e.Images != 0 || e.Accuracy() != 0 ||
		e.Codes[0].ZeroShare() != 0 {
		t.Errorf("no images: %+v", e)
	}
	panics(t, "a batch of 0", func() { Evaluate(net, d.Test, d.Mean, d.Std, 0, nil) })
}

func TestShares(t *testing.T) {
	e := Evaluation{Images: 8, Top1: 2, Top5: 6, Codes: []Codes{{"a", 3, 4}}}
	if e.Accuracy() != 0.25 || e.Accuracy5() != 0.75 || e.Codes[0].ZeroShare() != 0.75 {
		t.Errorf("%v, %v, %v", e.Accuracy(), e.Accuracy5(), e.Codes[0].ZeroShare())
	}
}

// An evaluation does not change the run.
func TestEvaluationLeavesTheRunAlone(t *testing.T) {
	d, folder := drawn(), t.TempDir()
	var paths []string
	for _, look := range []bool{false, true} {
		r := start[float32](t, short(), d)
		for !r.Done() {
			if look {
				Evaluate(r.Net().Evaluable(), d.Test, d.Mean, d.Std, 5, nil)
			}
			step(t, r)
		}
		paths = append(paths, filepath.Join(folder, fmt.Sprint(look)))
		if err := r.Save(paths[len(paths)-1]); err != nil {
			t.Fatal(err)
		}
	}
	sameFile(t, "with and without evaluations", paths[0], paths[1])
}
