package statedict

import (
	"fmt"
	"slices"
	"strings"

	"sdref/sdnet"
)

// Query says which network to look for in a file. What is empty is open.
type Query struct {
	Network, Data string      // as in sdnet.Networks and sdnet.DataSets
	Classes       int         // where they are not the data set's
	Size          int         // height and width of the images, likewise
	Spec          *sdnet.Spec // the network itself, one of the user's own; the fields before it are empty then
	Prefix        string      // of the names
	// Ignore are names of tensors that are left aside, and Rename names that stand for others. An asterisk is
	// any text. A name is the whole one, or what stands behind a prefix.
	Ignore []string
	Rename []Rename
}

// Find returns how the file compares with the network in question. Of several it returns the one that fits,
// or the one with the fewest differences. The drawn images, which have CIFAR-10's shape, are in question only
// if they are named.
func (d *Dict) Find(q Query) (Match, error) {
	d, ignored, err := d.edited(q)
	if err != nil {
		return Match{}, err
	}
	prefix, err := d.prefix(q.Prefix)
	if err != nil {
		return Match{}, err
	}
	specs, err := d.candidates(q, prefix)
	if err != nil {
		return Match{}, err
	}
	var best Match
	var fit []string
	for i, s := range specs {
		m, err := d.Compare(s, prefix)
		if err != nil {
			return Match{}, err
		}
		if m.Fits() {
			fit = append(fit, fmt.Sprintf("%s for %s", s.Name, s.Data.Name))
		}
		if i == 0 || len(m.Differences) < len(best.Differences) {
			best = m
		}
	}
	if len(fit) > 1 {
		return Match{}, fmt.Errorf("%s fits %s: say which", d.Path, strings.Join(fit, " and "))
	}
	best.Ignored = ignored
	return best, nil
}

// prefix is the one given, which must be there, or the only one there is.
func (d *Dict) prefix(given string) (string, error) {
	list := d.Prefixes()
	switch {
	case len(list) == 0:
		return "", fmt.Errorf("%s: no tensor %q, alone or behind a prefix, among its %d%s", d.Path, landmarks[0], len(d.Entries), d.objects())
	case given != "" && slices.Contains(list, given):
		return given, nil
	case given != "" || len(list) > 1:
		return "", fmt.Errorf("%s: %q stands behind the prefixes %q: choose one of these", d.Path, landmarks[0], list)
	}
	return list[0], nil
}

// objects tells which objects lie beside the tensors, for who looks for a network in vain.
func (d *Dict) objects() string {
	if len(d.Objects) == 0 {
		return ""
	}
	return fmt.Sprintf("; not read, as nothing in a file is run: %d objects, the first %.100q", len(d.Objects), d.Objects[0].What)
}

// candidates lists the networks in question. Where the network or the data set is open, only those are in
// question whose classifier has the file's shape.
func (d *Dict) candidates(q Query, prefix string) ([]sdnet.Spec, error) {
	if q.Spec != nil {
		return []sdnet.Spec{*q.Spec}, nil
	}
	if err := q.check(); err != nil {
		return nil, err
	}
	inside, _ := d.under(prefix)
	shape := classifier(inside)
	var specs []sdnet.Spec
	for _, n := range sdnet.Networks {
		for _, d := range sdnet.DataSets {
			s, err := sdnet.Lookup(n.Name, d.Name)
			if err != nil {
				return nil, err
			}
			if q.Network != "" && s.Name != q.Network || q.Data != "" && s.Data.Name != q.Data || q.Data == "" && s.Data.Name == "shapes" {
				continue
			}
			if q.Classes != 0 {
				s.Data.Classes = q.Classes
			}
			if q.Size != 0 {
				s.Data.Image = q.Size
			}
			if q.Network != "" && q.Data != "" || slices.Equal(shape, []int{s.Data.Classes, s.Widths[len(s.Widths)-1]}) {
				specs = append(specs, s)
			}
		}
	}
	if len(specs) == 0 {
		hint := ""
		if len(shape) == 2 && q.Classes == 0 {
			hint = fmt.Sprintf(": are these weights of %d classes?", shape[0])
		}
		return nil, fmt.Errorf("%s: %s has shape %v, as in none of the networks in question%s", d.Path, prefix+landmarks[0], shape, hint)
	}
	return specs, nil
}

// check tells which name is unknown.
func (q Query) check() error {
	network, data := q.Network, q.Data
	if network == "" {
		network = sdnet.Networks[0].Name
	}
	if data == "" {
		data = sdnet.DataSets[0].Name
	}
	_, err := sdnet.Lookup(network, data)
	if err == nil && q.Classes < 0 {
		err = fmt.Errorf("%d classes", q.Classes)
	}
	if err == nil && q.Size < 0 {
		err = fmt.Errorf("images of side %d", q.Size)
	}
	return err
}
