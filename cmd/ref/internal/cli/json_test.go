package cli

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sdref/conv"
)

type inner struct {
	A float64 `json:"a,omitempty"`
	B float32
}

type outer struct {
	inner
	Name  string             `json:"name"`
	List  []float64          `json:"list"`
	None  []float64          `json:"none"`
	Map   map[string]float64 `json:"map"`
	Any   any                `json:"any"`
	Point *inner             `json:"point,omitempty"`
	Algo  conv.Algorithm     `json:"algorithm,omitzero"`
	Kind  conv.Algorithm     `json:"kind"`
	Bytes []byte             `json:"bytes"`
	Skip  float64            `json:"-"`
	own   float64
}

// What is finite is written as encoding/json writes it, to the byte, also where a number beside it is not.
func TestWriteJSON(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.json")
	value := outer{inner{0, 1.5}, "<n>", []float64{1, 2e-9}, nil, map[string]float64{"z": 1, "a": 2}, []any{1, "x", true}, nil, 0, conv.Winograd, []byte("ab"), 3, 4}
	if err := WriteJSON(path, value); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	spoiled := value
	spoiled.List = []float64{1, math.NaN()}
	if err := WriteJSON(path, spoiled); !errors.Is(err, ErrNotFinite) || !strings.Contains(err.Error(), path) {
		t.Error(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if wanted := strings.Replace(string(want), "2e-9", "null", 1); string(got) != wanted {
		t.Errorf("%s, want %s", got, wanted)
	}
	for _, v := range []any{math.Inf(1), map[string]any{"a": float32(math.Inf(-1))}, &inner{A: math.NaN()}, [2]float64{0, math.NaN()}} {
		if err := WriteJSON(path, v); !errors.Is(err, ErrNotFinite) {
			t.Errorf("%v: %v", v, err)
		}
		if got, err := os.ReadFile(path); err != nil || !json.Valid(got) || !strings.Contains(string(got), "null") {
			t.Errorf("%v: %s, %v", v, got, err)
		}
	}
	if err := WriteJSON(path, func() {}); err == nil || errors.Is(err, ErrNotFinite) {
		t.Errorf("a function: %v", err)
	}
}
