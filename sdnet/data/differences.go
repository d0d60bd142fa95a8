package data

import (
	"fmt"
	"slices"
	"strings"
)

// Differences says how the training images, their classes and their normalisation differ from those that d
// describes; nothing if they do not. What one of the descriptions does not say is not compared.
func (d Description) Differences(now Description) (list []string) {
	list = d.ClassDifferences(now)
	if d.Shape() != now.Shape() {
		list = append(list, fmt.Sprintf("images of %s, not %s", ShapeText(now.Shape()), ShapeText(d.Shape())))
	}
	if d.Mean != now.Mean || d.Std != now.Std {
		list = append(list, fmt.Sprintf("normalised by mean %v and deviation %v, not %v and %v", now.Mean, now.Std, d.Mean, d.Std))
	}
	return append(list, d.differences("train", d.Train, now.Train, now)...)
}

// TestDifferences says how the test images differ from those that d describes.
func (d Description) TestDifferences(now Description) []string {
	return d.differences("test", d.Test, now.Test, now)
}

// ClassDifferences says how the names of the classes differ from those of d.
func (d Description) ClassDifferences(now Description) (list []string) {
	if d.Classes == nil || now.Classes == nil || slices.Equal(d.Classes, now.Classes) {
		return nil
	}
	gone, added := Lacking(d.Classes, now.Classes), Lacking(now.Classes, d.Classes)
	for _, old := range slices.Clone(gone) {
		for _, name := range added {
			if d.sameContents(old, now, name) {
				list = append(list, fmt.Sprintf("class %s renamed to %s", Shown(old), Shown(name)))
				gone, added = without(gone, old), without(added, name)
				break
			}
		}
	}
	if len(gone) > 0 {
		list = append(list, "no class "+some(gone))
	}
	if len(added) > 0 {
		list = append(list, "a new class "+some(added))
	}
	if list == nil {
		list = append(list, fmt.Sprintf("the classes in another order, %s, not %s", some(now.Classes), some(d.Classes)))
	}
	return list
}

// sameContents tells whether a class has the training images that another one has now.
func (d Description) sameContents(old string, now Description, name string) bool {
	if d.Train == nil || now.Train == nil {
		return false
	}
	a, b := d.Train.Classes[slices.Index(d.Classes, old)], now.Train.Classes[slices.Index(now.Classes, name)]
	return a == b && a.Images > 0
}

// differences compares the images of one part, class by class.
func (d Description) differences(part string, was, is *Digest, now Description) (list []string) {
	if was == nil || is == nil || was.Ordered == is.Ordered {
		return nil
	}
	for c, old := range was.Classes {
		at, name := c, fmt.Sprint(c)
		if d.Classes != nil && now.Classes != nil {
			name = Shown(d.Classes[c])
			at = slices.Index(now.Classes, d.Classes[c])
		}
		if at < 0 || at >= len(is.Classes) {
			continue // ClassDifferences says so
		}
		switch more := is.Classes[at].Images - old.Images; {
		case more != 0:
			list = append(list, fmt.Sprintf("%s in %s/%s", count(more), part, name))
		case is.Classes[at].Contents != old.Contents:
			list = append(list, fmt.Sprintf("other images in %s/%s, as many", part, name))
		}
	}
	switch {
	case was.Contents == is.Contents && list != nil:
		return []string{"labels moved: the same images under other labels, " + some(list)}
	case len(list) > maxNamed:
		return []string{some(list)}
	case list == nil && slices.Equal(d.Classes, now.Classes) && len(was.Classes) == len(is.Classes):
		return []string{fmt.Sprintf("the same images in %s, under other names or in another order", part)}
	}
	return list
}

// count says how many images there are more, or fewer.
func count(more int) string {
	n, word := max(more, -more), "more"
	if more < 0 {
		word = "fewer"
	}
	if n == 1 {
		return "1 image " + word
	}
	return fmt.Sprintf("%d images %s", n, word)
}

// maxNamed is the greatest number of things that a message lists.
const maxNamed = 10

// some lists things, the first ones if there are many.
func some(list []string) string {
	shown := make([]string, 0, maxNamed)
	for _, name := range list[:min(len(list), maxNamed)] {
		shown = append(shown, Shown(name))
	}
	text := strings.Join(shown, ", ")
	if len(list) > maxNamed {
		text += fmt.Sprintf(" and %d more", len(list)-maxNamed)
	}
	return text
}

// Lacking lists the names of a list that another one lacks.
func Lacking(list, other []string) (names []string) {
	known := map[string]bool{}
	for _, name := range other {
		known[name] = true
	}
	for _, name := range list {
		if !known[name] {
			names = append(names, name)
		}
	}
	return names
}

func without(list []string, name string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == name })
}
