package names

import "testing"

type colour int

func TestThereAndBack(t *testing.T) {
	list := []string{"red", "green"}
	for i, name := range list {
		if got := Of(colour(i), list); got != name {
			t.Errorf("%d is %q, want %q", i, got, name)
		}
		if v, err := Parse[colour]("colour", name, list); err != nil || v != colour(i) {
			t.Errorf("%q is %d, %v", name, v, err)
		}
	}
	for _, v := range []colour{-1, 2} {
		if got, want := Of(v, list), map[colour]string{-1: "colour(-1)", 2: "colour(2)"}[v]; got != want {
			t.Errorf("%d is %q, want %q", int(v), got, want)
		}
	}
	if _, err := Parse[colour]("colour", "blue", list); err == nil || err.Error() != `unknown colour "blue"; there are red, green` {
		t.Errorf("blue: %v", err)
	}
}
