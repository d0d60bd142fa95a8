package explore

import (
	"slices"
	"testing"
)

// span is the numbers from one to another.
func span(from, to int) (list []int) {
	for v := from; v <= to; v++ {
		list = append(list, v)
	}
	return list
}

func not(list []int, out ...int) []int {
	return slices.DeleteFunc(slices.Clone(list), func(v int) bool { return slices.Contains(out, v) })
}

// TestDescribe puts values at which cases fail into words; the rest of the span does not fail.
func TestDescribe(t *testing.T) {
	for want, c := range map[string]struct {
		axis         string
		wrong, right []int
	}{
		"channels are greater than 4":                         {"channels", span(5, 20), span(1, 4)},
		"batch is 9 or more":                                  {"batch", span(9, 20), span(1, 6)},
		"rows are 3 or less":                                  {"rows", span(1, 3), span(4, 9)},
		"magnitude is 2^-21 or less":                          {"magnitude", []int{-40, -24, -21}, span(-20, 5)},
		"atoms are a multiple of 4":                           {"atoms", []int{4, 8, 12, 16}, not(span(1, 18), 4, 8, 12, 16)},
		"atoms are a multiple of 6":                           {"atoms", []int{6, 12, 18}, not(span(1, 20), 6, 12, 18)},
		"channels are odd":                                    {"channels", []int{1, 3, 5, 7}, []int{2, 4, 6, 8}},
		"columns are 1 more than a multiple of 4":             {"columns", []int{5, 9, 13}, not(span(2, 14), 5, 9, 13)},
		"channels are not a multiple of 4":                    {"channels", not(span(1, 15), 4, 8, 12), []int{4, 8, 12}},
		"channels are greater than 8 and not a multiple of 4": {"channels", not(span(9, 20), 12, 16, 20), append(span(1, 8), 12, 16, 20)},
		"rows are greater than 11 and a multiple of 4":        {"rows", []int{12, 16, 20}, not(span(1, 22), 12, 16, 20)},
		"channels are 6, 9, 15":                               {"channels", []int{6, 9, 15}, not(span(1, 20), 6, 9, 15)},
		"stride is 2":                                         {"stride", []int{2}, []int{1, 3, 4}},
		"codes have both signs":                               {"signed", []int{1}, []int{0}},
		"data are real numbers":                               {"exact", []int{0}, []int{1}},
	} {
		words, is := describe(c.axis, c.wrong, c.right)
		if words != want {
			t.Errorf("%q, want %q", words, want)
		}
		for _, v := range c.wrong {
			if !is(v) {
				t.Errorf("%s: does not hold for %d", words, v)
			}
		}
		for _, v := range c.right {
			if is(v) {
				t.Errorf("%s: holds for %d", words, v)
			}
		}
	}
	if edge, first := threshold([]int{33, 40, 100, 20}, []int{1, 32, 31, 50}); edge != 32 || first != 33 {
		t.Errorf("a threshold with exceptions: %d, %d", edge, first)
	}
}
