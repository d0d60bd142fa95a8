package training

import (
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sdref/sdnet/data"
	"sdref/tensor"
	"sdref/tensor/safetensors"
)

// A checkpoint has the names of the classes, the size, the normalisation and the digests of its images.
func TestDescribeImages(t *testing.T) {
	r := start[float32](t, short(), drawn())
	f := saved(t, r)
	d, err := DescribeImages(f, r.Config)
	want, wrong := drawn().Dataset().Describe()
	if err != nil || wrong != nil || !slices.Equal(d.Classes, drawn().Train.Classes) || d.Size != 32 || d.Mean[0] != 0.5 || d.Std[2] != 0.3 ||
		d.Train.Ordered != want.Train.Ordered || d.Test.Contents != want.Test.Contents || d.Train.Classes[0].Images != 2 {
		t.Errorf("%+v, %v, %v", d, err, wrong)
	}
	// An older one tells no more than its data set does.
	delete(f.Metadata, imagesKey)
	if d, err := DescribeImages(f, r.Config); err != nil || d.Classes[9] != "crescent" || d.Size != 32 || d.Std[0] != 0.3 || d.Train != nil {
		t.Errorf("an older one: %+v, %v", d, err)
	}
	c := ImageNet()
	c.Images, c.Classes, c.Extent = 1, 3, 48
	if d, err := DescribeImages(f, c); err != nil || d.Classes != nil || d.Size != 48 || d.Mean[0] != 0.485 {
		t.Errorf("an older one of a folder: %+v, %v", d, err)
	}
	for text, says := range map[string]string{
		"{": "images", `{"classes":["a"],"size":32,"std":[1,1,1]}`: "1 names of 10 classes", `{"size":31,"std":[1,1,1]}`: "31 x 31",
		`{"size":32}`: "deviation", `{"Size":32,"std":[1,1,1]}`: `spelled "size"`, `{"size":32,"size":32,"std":[1,1,1]}`: "twice",
	} {
		f.Metadata[imagesKey] = text
		_, err := DescribeImages(f, r.Config)
		says := []string{f.Path, "metadata images", says}
		if err == nil || !strings.Contains(err.Error(), says[2]) || !strings.Contains(err.Error(), says[1]) || !strings.Contains(err.Error(), says[0]) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// A run goes on with its own training images only, and the error says what differs; it notes other test images,
// and that an older checkpoint does not tell.
func TestResumeComparesImages(t *testing.T) {
	r := start[float32](t, short(), drawn())
	step(t, r)
	f := saved(t, r)
	for want, change := range map[string]func(*data.Sets){
		"class disc renamed to disk":          func(s *data.Sets) { s.Train.Classes = append([]string{"disk"}, s.Train.Classes[1:]...) },
		"1 image more in train/square":        func(s *data.Sets) { *s.Train = *data.Shapes(13, 7, 1).Train },
		"labels moved":                        func(s *data.Sets) { s.Train.Labels[3] = 7 },
		"other images in train/ring, as many": func(s *data.Sets) { s.Train.Images[data.ImageBytes] ^= 3 },
		"normalised by mean [0.5 0.5 0.4]":    func(s *data.Sets) { s.Mean[2] = 0.4 },
	} {
		s := drawn()
		change(s)
		_, err := Resume[float32](f, s.Dataset())
		if says(t, err, f.Path, want); !errors.Is(err, ErrOtherImages) {
			t.Errorf("%v does not wrap ErrOtherImages", err)
		}
	}
	s := drawn()
	s.Test = s.Test.Slice(0, 6)
	again, err := Resume[float32](f, s.Dataset())
	if err != nil || len(again.Notes) != 1 || !strings.Contains(again.Notes[0], "1 image fewer in test/star") {
		t.Errorf("other test images: %v, %v", again.Notes, err)
	}
	delete(f.Metadata, imagesKey)
	if again, err = Resume[float32](f, drawn().Dataset()); err != nil || len(again.Notes) != 1 || !strings.Contains(again.Notes[0], "does not say which images") {
		t.Errorf("an older checkpoint: %v, %v", again.Notes, err)
	}
	if again, err = Resume[float32](saved(t, r), drawn().Dataset()); err != nil || again.Notes != nil {
		t.Errorf("the same images: %v, %v", again.Notes, err)
	}
}

// The linear layer is taken over by the names of the classes.
func TestNewFromByName(t *testing.T) {
	before := start[float32](t, short(), drawn())
	step(t, before)
	f := saved(t, before)
	last := func(r *Run[float32]) (weight, bias *tensor.Tensor[float32]) {
		state := r.Net().State()
		return state[len(state)-2].Tensor, state[len(state)-1].Tensor
	}
	weight, bias := last(before)
	begin := func(classes []string) *Run[float32] {
		d := drawn().Dataset()
		d.Names = classes
		r, err := NewFrom[float32](short(), d, f)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	turned := slices.Clone(drawn().Train.Classes)
	slices.Reverse(turned)
	r := begin(turned)
	w, b := last(r)
	for i := range 10 {
		if tensor.FirstDifference(w.Row(i), weight.Row(9-i)) >= 0 || b.Data[i] != bias.Data[9-i] {
			t.Errorf("row %d is not that of its class", i)
		}
	}
	if len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "rows are taken by name") {
		t.Errorf("notes %q", r.Notes)
	}
	r = begin(append([]string{"tree"}, drawn().Train.Classes[1:]...))
	fresh := start[float32](t, short(), drawn())
	w, _ = last(r)
	if want, _ := last(fresh); tensor.FirstDifference(w, want) >= 0 || len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "class disc renamed to tree") ||
		!strings.Contains(r.Notes[0], "begins anew") {
		t.Errorf("other classes: %q", r.Notes)
	}
	if r = begin(drawn().Train.Classes); r.Notes != nil || r.Net().Digest() != r.Start {
		t.Errorf("the same classes: %q", r.Notes)
	}
}

// Probabilities come with each image; over views they are averaged.
func TestEvaluator(t *testing.T) {
	d := drawn()
	r := start[float64](t, func() Config { c := short(); c.Type = "float64"; return c }(), d)
	step(t, r)
	net := r.Net().Evaluable()
	views := []data.View{{}, {Flip: true}, {Down: 1, Right: -2}}
	rows := func(views ...data.View) (list [][]float64, e Evaluation) {
		v := Evaluator[float64]{Net: net, Mean: d.Mean, Std: d.Std, Batch: 3, Views: views}
		v.Answers = func(a Answer) {
			if a.Image != len(list) || a.Label != d.Test.Label(a.Image) {
				t.Errorf("answer %+v", a)
			}
			list = append(list, slices.Clone(a.Probabilities))
		}
		return list, v.Evaluate(d.Test)
	}
	plain, e := rows()
	if want := Evaluate(net, d.Test, d.Mean, d.Std, 3, nil); e.Loss != want.Loss || e.Top1 != want.Top1 {
		t.Errorf("%+v, want %+v", e, want)
	}
	loss := 0.0
	for i, row := range plain {
		sum := 0.0
		for _, p := range row {
			sum += p
		}
		if math.Abs(sum-1) > 1e-12 {
			t.Errorf("probabilities add up to %v", sum)
		}
		loss -= math.Log(row[d.Test.Label(i)]) / 7
	}
	if math.Abs(loss-e.Loss) > 1e-12 {
		t.Errorf("loss %v, want %v", e.Loss, loss)
	}
	mean, e := rows(views...)
	var single [][][]float64
	for _, v := range views {
		list, _ := rows(v)
		single = append(single, list)
	}
	wantLoss, top1 := 0.0, 0
	for i, row := range mean {
		largest := 0
		for c, p := range row {
			want := (single[0][i][c] + single[1][i][c] + single[2][i][c]) / 3
			if math.Abs(p-want) > 1e-12 {
				t.Errorf("image %d, class %d: %v, want %v", i, c, p, want)
			}
			if p > row[largest] {
				largest = c
			}
		}
		if largest == d.Test.Label(i) {
			top1++
		}
		wantLoss -= math.Log(row[d.Test.Label(i)]) / 7
	}
	if e.Top1 != top1 || math.Abs(e.Loss-wantLoss) > 1e-12 {
		t.Errorf("%+v, want %d right, loss %v", e, top1, wantLoss)
	}
	if single[0][0][0] == single[1][0][0] || single[0][0][0] == single[2][0][0] {
		t.Error("the views are the same")
	}
}

// skipping is images of which some are left out.
type skipping struct {
	data.Images
	out []int
}

func (s skipping) Plain(dst []byte, i int) error {
	if slices.Contains(s.out, i) {
		return data.ErrSkipped
	}
	return s.Images.Plain(dst, i)
}

// Images that are left out are counted, and the others evaluated as if there were no more.
func TestEvaluateLeavesOut(t *testing.T) {
	d := drawn()
	net := start[float32](t, short(), d).Net().Evaluable()
	v := Evaluator[float32]{Net: net, Mean: d.Mean, Std: d.Std, Batch: 3}
	var seen []int
	v.Answers = func(a Answer) {
		seen = append(seen, a.Image)
		if a.Label != d.Test.Label(a.Image) {
			t.Errorf("%+v", a)
		}
	}
	e := v.Evaluate(skipping{d.Test, []int{1, 3, 4, 5}}) // one of a batch, all of the next
	rest := &data.Set{Name: "rest", Classes: d.Test.Classes}
	for _, i := range []int{0, 2, 6} {
		rest.Images, rest.Labels = append(rest.Images, d.Test.Image(i)...), append(rest.Labels, d.Test.Labels[i])
	}
	want := Evaluate(net, rest, d.Mean, d.Std, 3, nil)
	if e.Images != 3 || e.LeftOut != 4 || e.Top1 != want.Top1 || math.Abs(e.Loss-want.Loss) > 1e-6 || !slices.Equal(seen, []int{0, 2, 6}) || e.Err != nil {
		t.Errorf("%+v, want %+v; seen %d", e, want, seen)
	}
}

// FuzzMetadata: no metadata make the readers of a checkpoint panic, and what they accept is a network.
func FuzzMetadata(f *testing.F) {
	r := start[float32](f, short(), drawn())
	good := saved(f, r).Metadata
	for _, key := range []string{configKey, imagesKey} {
		f.Add(good[configKey], good[imagesKey], good[iterationKey], good[historyKey], good[currentKey])
		spoiled := strings.ReplaceAll(good[key], ":", ":-")
		f.Add(spoiled, spoiled, "-1", "[{}]", "[]")
	}
	f.Add(`{"network":"sdnet18","classes":1000000000}`, `{"classes":["\u001b[2J","a"],"train":{"classes":[{}]}}`, "9999999999999999999", "null", "null")
	f.Fuzz(func(t *testing.T, config, images, iteration, history, current string) {
		file := &safetensors.File{Path: filepath.Join("a", "file"), Metadata: map[string]string{formatKey: formatValue, configKey: config,
			imagesKey: images, iterationKey: iteration, historyKey: history, currentKey: current}}
		c, _, err := ReadConfig(file)
		if err != nil {
			return
		}
		_, _ = ReadHistory(file)
		d, err := DescribeImages(file, c)
		if err != nil {
			return
		}
		spec, err := c.Spec()
		if err != nil || d.Classes != nil && len(d.Classes) != spec.Data.Classes || d.Size != spec.Data.Image {
			t.Errorf("%+v for %+v, %v", d, spec.Data, err)
		}
		if now, err := drawn().Dataset().Describe(); err == nil {
			d.Differences(now)
			d.TestDifferences(now)
			now.Differences(d)
		}
	})
}
