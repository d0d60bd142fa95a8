package cli

import (
	"bytes"
	"fmt"
	"io"
	"unicode/utf8"
)

// console is one of the program's standard streams. It remembers the first error, since nobody looks at that of each line, and
// writes control characters by their code: names of files and tensors, and what a backend says of itself, come from others and could
// move the terminal's cursor, colour what follows or hide it.
type console struct {
	to  io.Writer
	err error
}

func (c *console) Write(p []byte) (int, error) {
	if _, err := c.to.Write(visible(p)); err != nil {
		if c.err == nil {
			c.err = err
		}
		return 0, err
	}
	return len(p), nil
}

// visible is a text whose control characters, other than ends of lines and tabs, are spelt out.
func visible(text []byte) []byte {
	if bytes.IndexFunc(text, hidden) < 0 {
		return text
	}
	var b bytes.Buffer
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		switch {
		case !hidden(r), r == utf8.RuneError && size > 1:
			b.Write(text[:size])
		case size == 1:
			fmt.Fprintf(&b, `\x%02x`, text[0])
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		text = text[size:]
	}
	return b.Bytes()
}

// hidden tells whether a character is one of control, turns the direction of writing round, or is none at all.
func hidden(r rune) bool {
	switch {
	case r == '\n', r == '\t':
		return false
	case r < 0x20, r >= 0x7f && r < 0xa0: // C0, DEL, C1
		return true
	case r >= 0x200e && r <= 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069: // bidirectional
		return true
	}
	return r == utf8.RuneError || r == '\u2028' || r == '\u2029'
}
