// Package names takes constants that count from 0 to the names that messages, flags and files have for them, and back.
//
// It is for the types of such constants, whose String and Parse functions are one line each.
package names

import (
	"fmt"
	"slices"
	"strings"
)

// Of returns the name of v, or its type and its number, such as Variant(7), if it has none.
func Of[T ~int](v T, names []string) string {
	if v < 0 || int(v) >= len(names) {
		_, of, _ := strings.Cut(fmt.Sprintf("%T", v), ".")
		return fmt.Sprintf("%s(%d)", of, int(v))
	}
	return names[v]
}

// Parse is the inverse of Of. The error says of what no such name is known, and which there are.
func Parse[T ~int](what, name string, names []string) (T, error) {
	v := slices.Index(names, name)
	if v < 0 {
		return 0, fmt.Errorf("unknown %s %q; there are %s", what, name, strings.Join(names, ", "))
	}
	return T(v), nil
}
