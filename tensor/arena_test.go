package tensor

import (
	"slices"
	"strings"
	"testing"
)

func TestArenaReusesBySize(t *testing.T) {
	a := NewArena[float32]()
	x := a.Get(2, 6)
	y := a.Get(12)
	if x == y || &x.Data[0] == &y.Data[0] {
		t.Fatal("two tensors share memory")
	}
	if a.Out() != 2 || a.Held() != 24 {
		t.Fatalf("out %d, held %d, want 2 and 24", a.Out(), a.Held())
	}
	memory := &x.Data[0]
	a.Put(x)
	if a.Out() != 1 || a.Held() != 24 {
		t.Fatalf("after Put: out %d, held %d, want 1 and 24", a.Out(), a.Held())
	}
	other := a.Get(13)
	if &other.Data[0] == memory || a.Held() != 37 {
		t.Fatalf("a larger tensor took the memory, or held %d is not 37", a.Held())
	}
	again := a.Get(3, 4, 1)
	if &again.Data[0] != memory || !slices.Equal(again.Shape, []int{3, 4, 1}) || again.Len() != 12 {
		t.Errorf("a tensor of the same size did not get the memory back: shape %v", again.Shape)
	}
	if a.Held() != 37 || a.Out() != 3 {
		t.Errorf("out %d, held %d, want 3 and 37", a.Out(), a.Held())
	}
}

func TestArenaScalarsAndEmptyTensors(t *testing.T) {
	a := NewArena[float64]()
	scalar, empty := a.Get(), a.Get(0, 5)
	if scalar.Len() != 1 || empty.Len() != 0 || a.Held() != 1 || a.Out() != 2 {
		t.Fatalf("lengths %d and %d, held %d, out %d", scalar.Len(), empty.Len(), a.Held(), a.Out())
	}
	a.Put(scalar)
	a.Put(empty)
	if got := a.Get(1, 1); got != scalar || !slices.Equal(got.Shape, []int{1, 1}) {
		t.Error("a (1, 1) tensor did not reuse the scalar's memory")
	}
}

func TestArenaPutPanics(t *testing.T) {
	a, other := NewArena[float32](), NewArena[float32]()
	twice := a.Get(2, 3)
	a.Put(twice)
	for name, x := range map[string]*Tensor[float32]{
		"given back twice":   twice,
		"made by New":        New[float32](2, 3),
		"of another arena":   other.Get(2, 3),
		"a view of a tensor": a.Get(5).Reshape(5, 1),
	} {
		func() {
			defer func() {
				text, _ := recover().(string)
				if !strings.Contains(text, "arena") || !strings.Contains(text, "shape") {
					t.Errorf("%s: recovered %q, want a panic that names the arena and the shape", name, text)
				}
			}()
			a.Put(x)
		}()
	}
}
