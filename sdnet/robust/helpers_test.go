package robust

import (
	"fmt"
	"strings"
	"testing"

	"sdref/sdnet"
	"sdref/sdnet/data"
	"sdref/tensor"
)

// network returns an initialised narrow network, made narrower still.
func network[T tensor.Float](t testing.TB, name string) *sdnet.Network[T] {
	t.Helper()
	spec, err := sdnet.Lookup(name, "shapes")
	if err != nil {
		t.Fatal(err)
	}
	spec.Widths = []int{5, 6, 7}
	net, err := sdnet.New[T](spec)
	if err != nil {
		t.Fatal(err)
	}
	net.Initialize(3)
	return net
}

func model[T tensor.Float](t testing.TB, net *sdnet.Network[T], batch int) *Model[T] {
	t.Helper()
	d := data.Shapes(0, 0, 1)
	m, err := NewModel(net, d.Mean, d.Std, batch)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func drawn(n int) *data.Set { return data.Shapes(0, n, 1).Test }

func panics(t *testing.T, part string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if text := fmt.Sprint(recover()); !strings.Contains(text, part) {
			t.Errorf("panic %q, want one that says %q", text, part)
		}
	}()
	f()
}
