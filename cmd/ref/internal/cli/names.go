package cli

import (
	"fmt"
	"strings"

	"sdref/sdnet"
)

// NetworkNames lists the networks, for a flag.
func NetworkNames() string {
	var names []string
	for _, s := range sdnet.Networks {
		names = append(names, s.Name)
	}
	return strings.Join(names, ", ")
}

// DataNames lists the data sets, for a flag.
func DataNames() string {
	var names []string
	for _, d := range sdnet.DataSets {
		names = append(names, d.Name)
	}
	return strings.Join(names, ", ")
}

// Thousands writes n with commas.
func Thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
