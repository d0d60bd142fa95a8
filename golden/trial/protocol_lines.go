package trial

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// lines is manifest.txt, the manifest for languages without JSON: one fact a line, words separated by one
// blank.
//
//	schema 1
//	case ID KIND
//	flag NAME
//	attr NAME VALUE
//	input NAME FILE RANK SIDE...
//	output NAME FILE REQUIRED RANK SIDE...     REQUIRED is 0 or 1
//	end
func (m Manifest) lines() (string, error) {
	var s strings.Builder
	fmt.Fprintf(&s, "schema %d\n", m.Schema)
	for _, c := range m.Cases {
		fmt.Fprintf(&s, "case %s %s\n", c.ID, c.Kind)
		for _, f := range c.Flags {
			fmt.Fprintf(&s, "flag %s\n", f)
		}
		for _, name := range slices.Sorted(maps.Keys(c.Attrs)) {
			value := fmt.Sprint(c.Attrs[name])
			if !word.MatchString(name) || value == "" || strings.ContainsAny(value, " \t\r\n") {
				return "", fmt.Errorf("case %s: attr %q is %q: empty, or with blanks", c.ID, name, value)
			}
			fmt.Fprintf(&s, "attr %s %s\n", name, value)
		}
		for _, in := range c.Inputs {
			fmt.Fprintf(&s, "input %s %s %s\n", in.Name, in.File, shape(in.Shape))
		}
		for _, out := range c.Outputs {
			required := 0
			if out.Required {
				required = 1
			}
			fmt.Fprintf(&s, "output %s %s %d %s\n", out.Name, out.File, required, shape(out.Shape))
		}
		s.WriteString("end\n")
	}
	return s.String(), nil
}

// shape is the rank, then the sides.
func shape(sides []int) string {
	text := fmt.Sprint(append([]int{len(sides)}, sides...))
	return text[1 : len(text)-1]
}
