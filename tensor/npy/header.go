package npy

import (
	"encoding/binary"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// header is what a file says of its values.
type header struct {
	kind    kind
	order   binary.ByteOrder
	fortran bool
	shape   []int
}

// The three entries of a header, each of which must be there once and nothing else. Python 2 writes u before
// texts and L behind long integers.
var (
	descrEntry = regexp.MustCompile(`u?['"]descr['"]\s*:\s*(u?['"][^'"]*['"]|\[[^{}]*\])`)
	orderEntry = regexp.MustCompile(`u?['"]fortran_order['"]\s*:\s*(True|False)`)
	shapeEntry = regexp.MustCompile(`u?['"]shape['"]\s*:\s*\(([0-9L,\s]*)\)`)
	noEntry    = regexp.MustCompile(`^\s*\{[,\s]*\}\s*$`)
)

// maxHeader bounds a header's bytes; that of a plain array has about 120.
const maxHeader = 1 << 16

// parse reads a header.
func parse(text string) (h header, err error) {
	if len(text) > maxHeader {
		return h, fmt.Errorf("a header of %d bytes", len(text))
	}
	// The order of entries is free, and a structure's list may hold anything: descr goes first, and the
	// others are looked for in what is left.
	rest := text
	entry := func(e *regexp.Regexp) string {
		found := e.FindAllStringSubmatch(rest, 2)
		if len(found) != 1 {
			err = errors.New("want one descr, fortran_order and shape")
			return ""
		}
		rest = e.ReplaceAllString(rest, "")
		return found[0][1]
	}
	descr, fortran, sizes := entry(descrEntry), entry(orderEntry), entry(shapeEntry)
	if err != nil {
		return h, fmt.Errorf("header %.200q: %w", text, err)
	}
	if !noEntry.MatchString(rest) {
		return h, fmt.Errorf("header: what is %.200q?", rest)
	}
	h.fortran = fortran == "True"
	if h.kind, h.order, err = parseType(descr); err != nil {
		return h, err
	}
	h.shape, err = parseShape(sizes)
	return h, err
}

// parseType reads a type: an order of bytes, if any, and a letter with a size, or one of the letters of C's
// types.
func parseType(descr string) (k kind, order binary.ByteOrder, err error) {
	if strings.HasPrefix(descr, "[") {
		return k, nil, fmt.Errorf("type %.60s: a structure, want an array of numbers", descr)
	}
	text := strings.Trim(strings.TrimPrefix(descr, "u"), `'"`)
	code := strings.TrimLeft(text, "<>=|")
	order = binary.LittleEndian
	if len(text)-len(code) > 1 {
		return k, nil, fmt.Errorf("type %.60q", text)
	}
	if strings.HasPrefix(text, ">") {
		order = binary.BigEndian
	}
	k, ok := find(func(k kind) bool { return k.code == code || k.letter == code })
	if !ok {
		what := map[byte]string{'c': "complex numbers", 'O': "Python objects", 'U': "texts", 'S': "texts", 'M': "times", 'm': "times", 'V': "raw bytes"}
		if len(code) > 0 && what[code[0]] != "" {
			return k, nil, fmt.Errorf("type %.60q: %s, want real numbers", text, what[code[0]])
		}
		return k, nil, fmt.Errorf("type %.60q: want bool, an integer of at most 8 bytes, f2, f4 or f8", text)
	}
	return k, order, nil
}

func parseShape(sizes string) (shape []int, err error) {
	for _, size := range strings.FieldsFunc(sizes, func(r rune) bool { return strings.ContainsRune(", \t\n\r\f\v", r) }) {
		side, err := strconv.Atoi(strings.TrimSuffix(size, "L"))
		if err != nil {
			return nil, fmt.Errorf("header: shape (%.100s): %w", sizes, err)
		}
		shape = append(shape, side)
	}
	return shape, nil
}
