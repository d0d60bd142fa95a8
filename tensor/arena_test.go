package tensor

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestArenaReusesMemory(t *testing.T) {
	a := NewArena[float32]()
	x, y := a.Get(2, 6), a.Get(12) // a unit each
	if x == y || &x.Data[0] == &y.Data[0] {
		t.Fatal("two tensors share memory")
	}
	if a.Live() != 2 || a.Capacity() != 2*arenaUnit {
		t.Fatalf("out %d, held %d, want 2 and %d", a.Live(), a.Capacity(), 2*arenaUnit)
	}
	memory := &x.Data[0]
	a.Put(x)
	if a.Live() != 1 || a.Capacity() != 2*arenaUnit {
		t.Fatalf("after Put: out %d, held %d, want 1 and %d", a.Live(), a.Capacity(), 2*arenaUnit)
	}
	if other := a.Get(arenaUnit + 1); &other.Data[0] == memory {
		t.Fatal("a larger tensor took the memory")
	}
	held := a.Capacity()
	again := a.Get(3, 4, 1)
	if &again.Data[0] != memory || !slices.Equal(again.Shape, []int{3, 4, 1}) || again.Len() != 12 {
		t.Errorf("a tensor of the same size did not get the memory back: shape %v", again.Shape)
	}
	if a.Capacity() != held || a.Live() != 3 {
		t.Errorf("out %d, held %d, want 3 and %d", a.Live(), a.Capacity(), held)
	}
}

// TestArenaJoinsNeighbours: neighbours returned in any order become one piece again, which serves a tensor as
// large as all of them.
func TestArenaJoinsNeighbours(t *testing.T) {
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {0, 2, 1}, {1, 0, 2}} {
		a := NewArena[float64]()
		whole := a.Get(3 * arenaUnit)
		memory := &whole.Data[0]
		a.Put(whole)
		var parts []*Tensor[float64]
		for range 3 {
			parts = append(parts, a.Get(arenaUnit))
		}
		if a.Capacity() != 3*arenaUnit {
			t.Fatalf("three parts need %d elements, a whole %d", a.Capacity(), 3*arenaUnit)
		}
		for _, i := range order {
			a.Put(parts[i])
		}
		if again := a.Get(3 * arenaUnit); &again.Data[0] != memory || a.Capacity() != 3*arenaUnit {
			t.Errorf("order %v: held %d, want %d", order, a.Capacity(), 3*arenaUnit)
		}
	}
}

// TestArenaNeverSharesMemory: tensors that are live at the same time, of random sizes, keep what was written
// to them.
func TestArenaNeverSharesMemory(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 1))
	a := NewArena[float32]()
	out := map[*Tensor[float32]]float32{}
	for step := range 3000 {
		for x, v := range out {
			if r.IntN(3) > 0 {
				continue
			}
			for _, e := range x.Data {
				if e != v {
					t.Fatalf("step %d: an element is %v, want %v", step, e, v)
				}
			}
			a.Put(x)
			delete(out, x)
		}
		x := a.Get(r.IntN(200))
		x.Fill(float32(step))
		out[x] = float32(step)
	}
	for x := range out {
		a.Put(x)
	}
	if len(a.free) != len(a.slabs) {
		t.Errorf("%d slabs are free in %d pieces", len(a.slabs), len(a.free))
	}
}

func TestArenaScalarsAndEmptyTensors(t *testing.T) {
	a := NewArena[float64]()
	scalar, empty := a.Get(), a.Get(0, 5)
	if scalar.Len() != 1 || empty.Len() != 0 || a.Capacity() != arenaUnit || a.Live() != 2 {
		t.Fatalf("lengths %d and %d, held %d, out %d", scalar.Len(), empty.Len(), a.Capacity(), a.Live())
	}
	memory := &scalar.Data[0]
	a.Put(scalar)
	a.Put(empty)
	if got := a.Get(1, 1); &got.Data[0] != memory || !slices.Equal(got.Shape, []int{1, 1}) {
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
				text := fmt.Sprint(recover())
				if !strings.Contains(text, "arena") || !strings.Contains(text, "shape") {
					t.Errorf("%s: recovered %q, want a panic that names the arena and the shape", name, text)
				}
			}()
			a.Put(x)
		}()
	}
}
