package judge

import (
	"fmt"
	"strings"
)

// ErrorMap says where in a tensor the wrong elements sit.
type ErrorMap struct {
	Wrong, Elements int
	Axes            []AxisCount
	Pattern         string // in words, such as "last column" or "channels = 0 mod 32"
}

// AxisCount is the number of wrong elements at each place along one axis.
type AxisCount struct {
	Name  string
	Wrong []int
}

// axisNames names the axes of activations, weights being told from them.
func axisNames(rank int, weight bool) []string {
	switch {
	case rank == 4 && weight:
		return []string{"atom", "channel", "tap row", "tap column"}
	case rank == 4:
		return []string{"image", "channel", "row", "column"}
	case rank == 2 && weight:
		return []string{"class", "feature"}
	case rank == 2:
		return []string{"image", "class"}
	case rank == 1:
		return []string{"channel"}
	}
	names := make([]string, rank)
	for i := range names {
		names[i] = fmt.Sprintf("axis %d", i)
	}
	return names
}

// mapErrors counts the wrong elements of a tensor along its axes.
func mapErrors(shape []int, names []string, wrong []bool) *ErrorMap {
	m := &ErrorMap{Elements: len(wrong), Axes: make([]AxisCount, len(shape))}
	for a, side := range shape {
		m.Axes[a] = AxisCount{names[a], make([]int, side)}
	}
	border := true // every wrong element lies on the edge of its plane
	for i, w := range wrong {
		if !w {
			continue
		}
		m.Wrong++
		edge := false
		for a := len(shape) - 1; a >= 0; a-- {
			at := i % shape[a]
			i /= shape[a]
			m.Axes[a].Wrong[at]++
			edge = edge || a >= 2 && (at == 0 || at == shape[a]-1)
		}
		border = border && edge
	}
	m.Pattern = m.name(border)
	return m
}

func (m *ErrorMap) name(border bool) string {
	var words []string
	for _, a := range m.Axes {
		if w := a.name(); w != "" {
			words = append(words, w)
		}
	}
	switch {
	case m.Wrong == 0:
		return "none"
	case m.Wrong == m.Elements:
		return "every element"
	case m.Wrong == 1 && len(m.Axes) > 0:
		return "one element"
	case len(words) > 0:
		return strings.Join(words, ", ")
	case border && len(m.Axes) == 4:
		return "border only"
	}
	return "scattered"
}

// name says in words which places of an axis have wrong elements, and nothing if all have.
func (a AxisCount) name() string {
	var at []int
	for i, n := range a.Wrong {
		if n > 0 {
			at = append(at, i)
		}
	}
	n, k := len(a.Wrong), len(at)
	if k == 0 || k == n {
		return ""
	}
	first, last := at[0], at[k-1]
	switch {
	case k == 1 && last == n-1:
		return "last " + a.Name
	case k == 1 && first == 0:
		return "first " + a.Name
	case k == 1:
		return fmt.Sprintf("%s %d", a.Name, first)
	case k == n-1 && first == 1:
		return fmt.Sprintf("every %s but the first", a.Name)
	case k == n-1 && last == n-2:
		return fmt.Sprintf("every %s but the last", a.Name)
	case k == 2 && first == 0 && last == n-1:
		return fmt.Sprintf("first and last %s", a.Name)
	case last-first == k-1:
		return fmt.Sprintf("%ss %d to %d", a.Name, first, last)
	}
	for _, m := range []int{32, 16, 8, 4, 2} {
		if congruent(at, m) {
			return fmt.Sprintf("%ss = %d mod %d", a.Name, first%m, m)
		}
	}
	return fmt.Sprintf("%d of %d %ss", k, n, a.Name)
}

// congruent tells whether the numbers are the same modulo m.
func congruent(numbers []int, m int) bool {
	for _, n := range numbers {
		if n%m != numbers[0]%m {
			return false
		}
	}
	return true
}
