package golden

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// blur is a case with results of both types, one with magnitudes, and a scalar.
func blur(t *testing.T, path string) *Case {
	t.Helper()
	c := &Case{Path: path, Name: "blur/small", Kind: "blur", Labels: []int{2, 0},
		Inputs:     map[string]Fill{"x": {Shape: []int{2, 2}, Seed: 1, Scale: 0.5}},
		Parameters: map[string]Fill{"w": {Shape: []int{3}, Seed: 2, Scale: 1, Levels: 3}}}
	var err error
	if c.Attrs, err = NewFields(map[string]any{"times": 3, "border": "zero"}); err != nil {
		t.Fatal(err)
	}
	if c.Scalars, err = NewFields(map[string]any{"norm": 0.1}); err != nil {
		t.Fatal(err)
	}
	Put(c, "y", []int{3}, []float32{1, 1e-3, 0}, []float64{4, 2, 0})
	Put(c, "z", []int{2, 1}, []float64{-0.1, 1. / 3}, nil)
	return c
}

func TestRecordAndCheck(t *testing.T) {
	path := filepath.Join(t.TempDir(), "blur.json")
	if _, err := blur(t, path).Check(0, false); err == nil {
		t.Error("a case that was never recorded passes")
	}
	if rows, err := blur(t, path).Check(0, true); err != nil || rows != nil {
		t.Fatal(rows, err)
	}
	first, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := blur(t, path).Check(0, false)
	if err != nil || len(rows) != 3 || !Passed(rows) {
		t.Fatal(rows, err)
	}
	loaded, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := loaded.Save(); err != nil {
		t.Fatal(err)
	}
	if again, err := os.ReadFile(path); err != nil || string(again) != string(first) {
		t.Errorf("saved after loading:\n%s\nbefore:\n%s", again, first)
	}
}

// A small element is measured by its own magnitude, not by the largest one's; where nothing was added, nothing may differ.
func TestCheckMeasuresEveryElement(t *testing.T) {
	path := filepath.Join(t.TempDir(), "blur.json")
	if _, err := blur(t, path).Check(0, true); err != nil {
		t.Fatal(err)
	}
	for _, try := range []struct {
		element int
		by      float32
		limit   float64
		pass    bool
	}{
		{0, 0x1p-20, 0x1p-21, true}, {0, 0x1p-20, 0x1p-23, false}, {1, 0x1p-20, 0x1.1p-21, true}, {1, 0x1p-20, 0x1p-22, false},
		{2, 0x1p-140, 1, false}, {1, float32(math.NaN()), 1, false},
	} {
		c := blur(t, path)
		c.Tensors.Tensors = nil
		y := []float32{1, 1e-3, 0}
		y[try.element] += try.by
		Put(c, "y", []int{3}, y, []float64{4, 2, 0})
		Put(c, "z", []int{2, 1}, []float64{-0.1, 1. / 3}, nil)
		rows, err := c.Check(try.limit, false)
		if err != nil {
			t.Fatal(err)
		}
		if rows[0].Pass != try.pass || !rows[1].Pass || !rows[2].Pass {
			t.Errorf("%+v: %v", try, rows)
		}
	}
}

// A case that asks something else than the recorded one, or gives other results, says so.
func TestCheckRefusesOtherQuestions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "blur.json")
	if _, err := blur(t, path).Check(0, true); err != nil {
		t.Fatal(err)
	}
	for field, change := range map[string]func(c *Case){
		"kind":              func(c *Case) { c.Kind = "sharpen" },
		"attrs":             func(c *Case) { c.Attrs, _ = NewFields(map[string]any{"times": 4, "border": "zero"}) },
		"inputs: ":          func(c *Case) { c.Inputs["x"] = Fill{Shape: []int{2, 2}, Seed: 3, Scale: 0.5} },
		"inputs.parameters": func(c *Case) { delete(c.Parameters, "w") },
		"inputs.labels":     func(c *Case) { c.Labels = []int{2, 1} },
		"results":           func(c *Case) { c.Tensors.Tensors = c.Tensors.Tensors[:2] },
	} {
		c := blur(t, path)
		change(c)
		if rows, err := c.Check(1, false); err == nil || !strings.Contains(err.Error(), field) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: rows %v, error %v", field, rows, err)
		}
	}
	if _, err := NewFields(map[string]any{"t": math.NaN()}); err == nil || !strings.HasPrefix(err.Error(), "t: ") {
		t.Error(err)
	}
}
