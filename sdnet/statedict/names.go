package statedict

import (
	"fmt"
	"regexp"
	"strings"
)

// foreignNames are how torchvision's ResNet calls what the published networks call otherwise.
var foreignNames = []struct{ ours, theirs string }{
	{"layer0.0.", "conv1."}, {"layer0.1.", "bn1."}, {"linear.", "fc."},
}

// foreign is torchvision's name of a tensor, "" if it is the same.
func foreign(name string) string {
	for _, f := range foreignNames {
		if rest, ok := strings.CutPrefix(name, f.ours); ok {
			return f.theirs + rest
		}
	}
	if before, after, ok := strings.Cut(name, ".shortcut."); ok {
		return before + ".downsample." + after
	}
	return ""
}

// Rename gives tensors another name. An asterisk in Old is any text; the first one in New is the text of the
// first one in Old, and so on.
type Rename struct{ Old, New string }

// ParseRename reads OLD=NEW.
func ParseRename(text string) (Rename, error) {
	before, after, ok := strings.Cut(text, "=")
	if !ok || before == "" || after == "" || strings.Count(after, "*") > strings.Count(before, "*") {
		return Rename{}, fmt.Errorf("%q is not OLD=NEW, with at most as many asterisks in NEW as in OLD", text)
	}
	return Rename{before, after}, nil
}

// pattern is a name with asterisks as a regular expression.
func pattern(name string) *regexp.Regexp {
	return regexp.MustCompile("(?s)^" + strings.ReplaceAll(regexp.QuoteMeta(name), `\*`, "(.*)") + "$")
}

// edited returns the dictionary with the query's names left out and renamed, and how many were left out.
func (d *Dict) edited(q Query) (*Dict, int, error) {
	if len(q.Ignore)+len(q.Rename) == 0 {
		return d, 0, nil
	}
	prefixes := append(d.Prefixes(), q.Prefix, "")
	var ignore []*regexp.Regexp
	for _, name := range q.Ignore {
		ignore = append(ignore, pattern(name))
	}
	out, ignored := *d, 0
	out.Entries = nil
	used := make([]bool, len(q.Rename))
	for _, e := range d.Entries {
		if leftAside(ignore, e.Name, prefixes) {
			ignored++
			continue
		}
		for i, r := range q.Rename {
			if name, ok := r.apply(e.Name, prefixes); ok {
				e.Name, used[i] = name, true
				break
			}
		}
		out.Entries = append(out.Entries, e)
	}
	seen := map[string]bool{}
	for _, e := range out.Entries {
		if seen[e.Name] && len(q.Rename) > 0 {
			return nil, 0, fmt.Errorf("%s: two tensors %q after renaming", d.Path, e.Name)
		}
		seen[e.Name] = true
	}
	for i, r := range q.Rename {
		if !used[i] && !strings.Contains(r.Old, "*") {
			return nil, 0, fmt.Errorf("%s: no tensor %q to rename", d.Path, r.Old)
		}
	}
	return &out, ignored, nil
}

func leftAside(ignore []*regexp.Regexp, name string, prefixes []string) bool {
	for _, p := range prefixes {
		rest, ok := strings.CutPrefix(name, p)
		for _, e := range ignore {
			if ok && e.MatchString(rest) {
				return true
			}
		}
	}
	return false
}

// apply is the new name of a tensor, if it is one that gets one.
func (r Rename) apply(name string, prefixes []string) (string, bool) {
	old := pattern(r.Old)
	for _, p := range prefixes {
		rest, ok := strings.CutPrefix(name, p)
		found := old.FindStringSubmatch(rest)
		if !ok || found == nil {
			continue
		}
		renamed := ""
		for i, part := range strings.Split(r.New, "*") {
			if i > 0 {
				renamed += found[i]
			}
			renamed += part
		}
		return p + renamed, true
	}
	return "", false
}
