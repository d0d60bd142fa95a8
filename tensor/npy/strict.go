package npy

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
)

// Header is what a file says of its array before the values.
type Header struct {
	Shape []int  // none for a scalar
	DType string // as Array has it
	Bytes int64  // the size of a whole file with this header
}

// maxQuoted is how many bytes of a file an error message repeats at the most.
const maxQuoted = 60

// ReadHeader reads the beginning of a file up to the values, of which it reads none. It is for protocols that
// allow one form alone: version 1.0, little-endian, in C order; another form is an error that names it.
func ReadHeader(r io.Reader) (h Header, err error) {
	start := make([]byte, len(magic)+4)
	n, err := io.ReadFull(r, start)
	if err := checkStart(start[:n]); err != nil {
		return h, err
	}
	if err != nil {
		return h, errors.New("cut inside the header's length")
	}
	text := make([]byte, binary.LittleEndian.Uint16(start[len(magic)+2:]))
	if n, err := io.ReadFull(r, text); err != nil {
		return h, fmt.Errorf("cut inside the header: %d of %d bytes", n, len(text))
	}
	p, err := parse(string(text))
	switch count, ok := elements(p.shape); {
	case err != nil:
		return h, err
	case p.order == binary.BigEndian && p.kind.size > 1:
		return h, fmt.Errorf("type %s is big-endian: want little-endian", quoted(p.kind.name))
	case p.fortran:
		return h, errors.New("in Fortran order, want C order (numpy.ascontiguousarray)")
	case !ok:
		return h, fmt.Errorf("shape %v is beyond %d elements", p.shape, math.MaxInt32)
	default:
		return Header{p.shape, p.kind.name, int64(len(start)+len(text)) + int64(count)*int64(p.kind.size)}, nil
	}
}

// checkStart says what is wrong with a file's first bytes: the magic number and the version.
func checkStart(start []byte) error {
	switch name := len(magic); {
	case len(start) == 0:
		return errors.New("an empty file")
	case !strings.HasPrefix(string(start), magic[:min(name, len(start))]):
		return errors.New("not a .npy file")
	case len(start) < name+2:
		return errors.New("cut inside the magic number and the version")
	case start[name] != 1 || start[name+1] != 0:
		return fmt.Errorf("version %d.%d of the .npy format, want version 1.0", start[name], start[name+1])
	}
	return nil
}

// quoted is text from a file as messages repeat it: not too much of it, and control characters visible.
func quoted(text string) string {
	if len(text) > maxQuoted {
		return fmt.Sprintf("%q...", text[:maxQuoted])
	}
	return fmt.Sprintf("%q", text)
}
