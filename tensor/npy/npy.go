// Package npy reads and writes arrays in NumPy's .npy format: a magic number, a header that gives type, order
// and shape as a Python dictionary, then the raw values; and it reads arrays from .npz archives of such
// files.
//
// It is for exchanging tensors with programs in other languages. It reads versions 1 to 3, numbers of every
// type but complex ones, of either order of bytes, in C or Fortran order, and writes version 1,
// little-endian, in C order. It refuses every file that is cut, too long or ambiguous, and does not know what
// the arrays mean.
//
// Format: numpy.lib.format in NumPy's documentation.
package npy

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"

	"sdref/internal/filekind"
	"sdref/internal/misuse"
)

// Array is a shaped, row-major array, its values widened to float64, which holds all of them exactly.
type Array struct {
	Shape []int  // none for a scalar
	DType string // of the values in the file: "float64", "int32", "bool", ...
	Data  []float64
}

const magic = "\x93NUMPY"

// Encode returns the file of an array. It panics if the type is unknown or if shape and data disagree.
func Encode(a Array) []byte {
	n, ok := elements(a.Shape)
	k, known := find(func(k kind) bool { return k.name == a.DType })
	if !ok || n != len(a.Data) || !known {
		panic(misuse.Errorf("npy.Encode: %d values of type %q in shape %v", len(a.Data), a.DType, a.Shape))
	}
	shape := fmt.Sprint(a.Shape)
	shape = strings.ReplaceAll(shape[1:len(shape)-1], " ", ", ")
	if len(a.Shape) == 1 {
		shape += "," // or Python takes the parentheses for mere grouping
	}
	order := "<"
	if k.size == 1 {
		order = "|" // of one byte there is no order
	}
	header := fmt.Sprintf("{'descr': '%s%s', 'fortran_order': False, 'shape': (%s), }", order, k.code, shape)
	header += strings.Repeat(" ", 63-(len(magic)+4+len(header))%64) + "\n" // the values begin at a multiple of 64
	file := binary.LittleEndian.AppendUint16([]byte(magic+"\x01\x00"), uint16(len(header)))
	start := len(file) + len(header)
	file = append(append(file, header...), make([]byte, n*k.size)...)
	for i, v := range a.Data {
		k.write(binary.LittleEndian, file[start+i*k.size:], v)
	}
	return file
}

// Decode reads a whole file.
func Decode(file []byte) (a Array, err error) {
	text, values, err := split(file)
	if err != nil {
		return a, err
	}
	h, err := parse(text)
	if err != nil {
		return a, err
	}
	n, ok := elements(h.shape)
	if !ok || len(values)/h.kind.size != n || len(values)%h.kind.size != 0 {
		return a, fmt.Errorf("%d bytes of values, not those of shape %v in %s", len(values), h.shape, h.kind.name)
	}
	a = Array{Shape: h.shape, DType: h.kind.name, Data: make([]float64, n)}
	exact := true
	for i := range a.Data {
		if a.Data[i], exact = h.kind.read(h.order, values[i*h.kind.size:]); !exact {
			return Array{}, fmt.Errorf("element %d: an integer beyond 2^53 that float64 cannot hold", i)
		}
	}
	if h.fortran {
		a.Data = fromFortran(a.Data, a.Shape)
	}
	return a, nil
}

// split takes a file's header and values apart.
func split(file []byte) (header string, values []byte, err error) {
	rest, ok := bytes.CutPrefix(file, []byte(magic))
	if !ok || len(rest) < 2 {
		return "", nil, errors.New("not a .npy file")
	}
	version, width := rest[0], 2
	if version < 1 || version > 3 || rest[1] != 0 {
		return "", nil, fmt.Errorf("a .npy file of version %d.%d, not of 1.0, 2.0 or 3.0", version, rest[1])
	}
	if version > 1 {
		width = 4 // bytes of the header's length
	}
	if rest = rest[2:]; len(rest) < width {
		return "", nil, errors.New("cut inside the header's length: not a .npy file")
	}
	length := uint64(binary.LittleEndian.Uint16(rest))
	if width == 4 {
		length = uint64(binary.LittleEndian.Uint32(rest))
	}
	if rest = rest[width:]; uint64(len(rest)) < length {
		return "", nil, fmt.Errorf("cut inside the header: %d of %d bytes", len(rest), length)
	}
	return string(rest[:length]), rest[length:], nil
}

// fromFortran brings values whose first index runs fastest into C's order, in which the last one does.
func fromFortran(values []float64, shape []int) []float64 {
	strides, step := make([]int, len(shape)), 1
	for d, side := range shape {
		strides[d] = step
		step *= side
	}
	out, index, at := make([]float64, len(values)), make([]int, len(shape)), 0
	for i := range out {
		out[i] = values[at]
		for d := len(shape) - 1; d >= 0; d-- { // the next place, as an odometer counts
			index[d]++
			at += strides[d]
			if index[d] < shape[d] {
				break
			}
			at -= index[d] * strides[d]
			index[d] = 0
		}
	}
	return out
}

// elements is the product of the sides, if it is a size that fits in memory.
func elements(shape []int) (int, bool) {
	n := 1
	for _, side := range shape {
		if side < 0 || side > 0 && n > math.MaxInt32/side {
			return 0, false
		}
		n *= side
	}
	return n, true
}

// maxFile bounds a file's bytes.
const maxFile = math.MaxInt32

// Read reads the file at path. Errors name it.
func Read(path string) (Array, error) { return readFile(path, Decode) }

// readFile decodes the file at path. Errors name it.
func readFile(path string, decode func(file []byte) (Array, error)) (Array, error) {
	f, size, err := filekind.Open(path)
	if err != nil {
		return Array{}, err
	}
	defer f.Close()
	if size > maxFile {
		return Array{}, fmt.Errorf("%s: %d bytes, more than 2 GB", path, size)
	}
	a, err := filekind.DecodeFrom(f, decode)
	if err != nil {
		return Array{}, fmt.Errorf("%s: %w", path, err)
	}
	return a, nil
}

// Write writes the array to path, whose folder must exist.
func Write(path string, a Array) error { return os.WriteFile(path, Encode(a), 0o666) }

// MisuseError is the value with which this package panics for mistakes of its caller.
type MisuseError = misuse.Error
