package pickle

import (
	"bytes"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxLong bounds an integer's bytes. PyTorch's longest, the magic number of its old files, has 10, the state
// of a random number generator 16. A longer one is kept as an Object: converting it takes time that grows
// faster than its length.
const maxLong = 64

var tooLong = Global{"builtins", "int"}

// long reads an integer in two's complement.
func (m *machine) long(size uint64) {
	text := m.bytes(size)
	if size > maxLong {
		m.push(&Object{Class: tooLong})
		return
	}
	slices.Reverse(text) // big-endian
	n := new(big.Int).SetBytes(text)
	if len(text) > 0 && text[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(text))))
	}
	m.integer(n)
}

func (m *machine) integer(n *big.Int) {
	if n.IsInt64() {
		m.push(n.Int64())
		return
	}
	m.push(n)
}

// decimal reads a line with an integer, or with one of the texts for False and True.
func (m *machine) decimal() {
	switch text := strings.TrimSuffix(string(m.line()), "L"); {
	case m.failed != nil:
	case text == "00" || text == "01":
		m.push(text == "01")
	case len(text) > 2*maxLong:
		m.push(&Object{Class: tooLong})
	default:
		n, ok := new(big.Int).SetString(text, 10)
		if !ok {
			m.fail("%.40q is not an integer", text)
			return
		}
		m.integer(n)
	}
}

// place reads a line with the number of a place in the memo.
func (m *machine) place() uint64 {
	text := string(m.line())
	n, err := strconv.ParseUint(text, 10, 64)
	if m.failed == nil && err != nil {
		m.fail("%.40q is not a place in the memo", text)
	}
	return n
}

// float reads a double, the only big-endian number of the format.
func (m *machine) float() {
	bits := uint64(0)
	for _, b := range m.bytes(8) {
		bits = bits<<8 | uint64(b)
	}
	m.push(math.Float64frombits(bits))
}

// maxFloat bounds the bytes of a line with a number.
const maxFloat = 400

func (m *machine) decimalFloat() {
	text := string(m.line())
	v, err := strconv.ParseFloat(text, 64)
	if m.failed == nil && (len(text) > maxFloat || err != nil && !math.IsInf(v, 0)) {
		m.fail("%.40q is not a number", text)
	}
	m.push(v)
}

// text reads a string whose length takes the given number of bytes.
func (m *machine) text(width uint64) {
	text := m.bytes(m.unsigned(width))
	if !utf8.Valid(text) {
		text = withoutSurrogates(text)
	}
	if !utf8.Valid(text) {
		m.fail("a string that is not UTF-8")
	}
	m.push(string(text))
}

// withoutSurrogates replaces each half of a UTF-16 pair as Python encodes it, the stand-in for a byte of a
// file's name that is not UTF-8.
func withoutSurrogates(text []byte) []byte {
	var out []byte
	for i := 0; i < len(text); i++ {
		if i+2 < len(text) && text[i] == 0xed && text[i+1] >= 0xa0 && text[i+1] <= 0xbf && text[i+2]&0xc0 == 0x80 {
			out = append(out, "\uFFFD"...)
			i += 2
			continue
		}
		out = append(out, text[i])
	}
	return out
}

// oldString pushes a string of Python 2, which is bytes: a string if it is text, else []byte.
func (m *machine) oldString(text []byte) {
	if m.failed == nil && !utf8.Valid(text) {
		m.push(text)
		return
	}
	m.push(string(text))
}

// quoted reads a line with a string of Python 2 as Python writes it in a program.
func (m *machine) quoted() {
	line := bytes.TrimRight(m.line(), "\r ")
	if n := len(line); m.failed == nil && (n < 2 || line[0] != line[n-1] || line[0] != '\'' && line[0] != '"') {
		m.fail("a string without quotes")
	}
	if m.failed != nil {
		return
	}
	line = line[1 : len(line)-1]
	var text []byte
	for i := 0; i < len(line); i++ {
		if line[i] != '\\' || i+1 == len(line) {
			text = append(text, line[i])
			continue
		}
		i++
		value, width := unescape(line[i:])
		if width == 0 {
			text = append(text, '\\', line[i])
			continue
		}
		text = append(text, value)
		i += width - 1
	}
	m.oldString(text)
}

// simpleEscapes are what single letters behind a backslash stand for.
var simpleEscapes = map[byte]byte{'\\': '\\', '\'': '\'', '"': '"', 'a': 7, 'b': 8, 'f': 12, 'n': 10, 'r': 13, 't': 9, 'v': 11}

// unescape reads what stands behind a backslash: the byte, and how many characters it took, 0 if it is no
// escape.
func unescape(rest []byte) (value byte, width int) {
	if v, ok := simpleEscapes[rest[0]]; ok {
		return v, 1
	}
	if rest[0] == 'x' && len(rest) >= 3 {
		if n, err := strconv.ParseUint(string(rest[1:3]), 16, 8); err == nil {
			return byte(n), 3
		}
		return 0, 0
	}
	for width < min(3, len(rest)) && rest[width] >= '0' && rest[width] <= '7' {
		value = value<<3 | rest[width] - '0'
		width++
	}
	return value, width
}

// escaped reads a line with a string in Python's encoding raw-unicode-escape: a byte is a character, and \u
// and \U with four and eight hexadecimal digits are the others.
func (m *machine) escaped() {
	line := m.line()
	var text strings.Builder
	for i := 0; i < len(line); i++ {
		digits := 0
		if line[i] == '\\' && i+1 < len(line) {
			digits = map[byte]int{'u': 4, 'U': 8}[line[i+1]]
		}
		if digits > 0 && i+2+digits <= len(line) {
			if n, err := strconv.ParseUint(string(line[i+2:i+2+digits]), 16, 32); err == nil {
				text.WriteRune(rune(n))
				i += 1 + digits
				continue
			}
		}
		text.WriteRune(rune(line[i]))
	}
	m.push(text.String())
}
