package main

import (
	"fmt"
	"strings"

	"sdref/sdnet"
)

// networkNames lists the networks, for a flag.
func networkNames() string {
	var names []string
	for _, s := range sdnet.Networks {
		names = append(names, s.Name)
	}
	return strings.Join(names, ", ")
}

// dataNames lists the data sets, for a flag.
func dataNames() string {
	var names []string
	for _, d := range sdnet.DataSets {
		names = append(names, d.Name)
	}
	return strings.Join(names, ", ")
}

// thousands writes n with commas.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
