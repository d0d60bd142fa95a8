package judge

import "testing"

func TestPatterns(t *testing.T) {
	shape := []int{3, 64, 6, 7}
	for want, wrong := range map[string]func(n, c, i, j int) bool{
		"none":          func(n, c, i, j int) bool { return false },
		"every element": func(n, c, i, j int) bool { return true },
		"one element": func(n, c, i, j int) bool {
			return n == 1 && c == 5 && i == 2 && j == 3
		},
		"last column":               func(n, c, i, j int) bool { return j == 6 },
		"first row":                 func(n, c, i, j int) bool { return i == 0 },
		"channels = 0 mod 32":       func(n, c, i, j int) bool { return c%32 == 0 },
		"channels = 3 mod 16":       func(n, c, i, j int) bool { return c%16 == 3 },
		"channels = 7 mod 8":        func(n, c, i, j int) bool { return c%8 == 7 },
		"rows = 1 mod 2":            func(n, c, i, j int) bool { return i%2 == 1 },
		"channel 9":                 func(n, c, i, j int) bool { return c == 9 },
		"channels 8 to 11":          func(n, c, i, j int) bool { return c/4 == 2 },
		"every image but the first": func(n, c, i, j int) bool { return n > 0 },
		"every image but the last":  func(n, c, i, j int) bool { return n < 2 },
		"first and last row":        func(n, c, i, j int) bool { return i == 0 || i == 5 },
		"border only": func(n, c, i, j int) bool {
			return i == 0 || j == 0 || i == 5 || j == 6
		},
		"last channel, last column": func(n, c, i, j int) bool { return c == 63 && j == 6 },
		"3 of 64 channels":          func(n, c, i, j int) bool { return c == 1 || c == 2 || c == 6 },
		"scattered":                 func(n, c, i, j int) bool { return (n*31+c*17+i*5+j*3)%11 == 0 },
	} {
		var all []bool
		count := 0
		for n := range shape[0] {
			for c := range shape[1] {
				for i := range shape[2] {
					for j := range shape[3] {
						all = append(all, wrong(n, c, i, j))
						if wrong(n, c, i, j) {
							count++
						}
					}
				}
			}
		}
		m := mapErrors(shape, axisNames(4, false), all)
		if m.Pattern != want || m.Wrong != count || m.Elements != len(all) {
			t.Errorf("%q, %d of %d; want %q, %d", m.Pattern, m.Wrong, m.Elements, want, count)
		}
		for _, a := range m.Axes {
			sum := 0
			for _, n := range a.Wrong {
				sum += n
			}
			if sum != count {
				t.Errorf("%s: axis %s counts %d of %d", want, a.Name, sum, count)
			}
		}
	}
	if got := mapErrors([]int{2, 2, 3, 3}, axisNames(4, true),
		make([]bool, 36)).Axes[2].Name; got != "tap row" {
		t.Errorf("a kernel's third axis is %q", got)
	}
	for rank, want := range map[int]string{0: "", 1: "channel", 2: "image", 3: "axis 0", 5: "axis 0"} {
		if names := axisNames(rank, false); len(names) != rank || rank > 0 && names[0] != want {
			t.Errorf("rank %d: %q", rank, names)
		}
	}
	if m := mapErrors(nil, axisNames(0, false), []bool{true}); m.Pattern != "every element" {
		t.Errorf("a scalar: %q", m.Pattern)
	}
}
