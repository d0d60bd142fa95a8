// Package npy reads and writes arrays in NumPy's .npy format, version 1.0: a magic number, a header that gives type, order and
// shape as a Python dictionary, then the raw little-endian values.
//
// It is for exchanging tensors with backends in other languages. It holds float64, float32, float16 and int64 arrays in C order,
// refuses every file that is cut, too long or ambiguous, and does not know what the arrays mean.
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
	"regexp"
	"strconv"
	"strings"
)

// Array is a shaped, row-major array, its values widened to float64, which holds all of them exactly.
type Array struct {
	Shape []int  // none for a scalar
	DType string // as they lie in the file: "float64", "float32", "float16" or "int64"
	Data  []float64
}

// kind is how values of one type lie in a file.
type kind struct {
	name, descr string
	size        int
	read        func([]byte) float64
	write       func([]byte, float64)
}

var order = binary.LittleEndian

var kinds = []kind{
	{"float64", "<f8", 8, func(b []byte) float64 { return math.Float64frombits(order.Uint64(b)) },
		func(b []byte, v float64) { order.PutUint64(b, math.Float64bits(v)) }},
	{"float32", "<f4", 4, func(b []byte) float64 { return float64(math.Float32frombits(order.Uint32(b))) },
		func(b []byte, v float64) { order.PutUint32(b, math.Float32bits(float32(v))) }},
	{"float16", "<f2", 2, func(b []byte) float64 { return fromHalf(order.Uint16(b)) },
		func(b []byte, v float64) { order.PutUint16(b, toHalf(v)) }},
	{"int64", "<i8", 8, func(b []byte) float64 { return float64(int64(order.Uint64(b))) },
		func(b []byte, v float64) { order.PutUint64(b, uint64(int64(v))) }},
}

const magic = "\x93NUMPY\x01\x00"

// The three entries of a header, each of which must be there once and nothing else.
var (
	descrEntry = regexp.MustCompile(`['"]descr['"]\s*:\s*['"]([^'"]*)['"]`)
	orderEntry = regexp.MustCompile(`['"]fortran_order['"]\s*:\s*(True|False)`)
	shapeEntry = regexp.MustCompile(`['"]shape['"]\s*:\s*\(([0-9,\s]*)\)`)
	noEntry    = regexp.MustCompile(`^\s*\{[,\s]*\}\s*$`)
)

// Encode returns the file of an array. It panics if the type is unknown or if shape and data disagree.
func Encode(a Array) []byte {
	n, ok := elements(a.Shape)
	k, err := find(func(k kind) bool { return k.name == a.DType })
	if !ok || n != len(a.Data) || err != nil {
		panic(fmt.Sprintf("npy.Encode: %d values of type %q in shape %v", len(a.Data), a.DType, a.Shape))
	}
	shape := fmt.Sprint(a.Shape)
	shape = strings.ReplaceAll(shape[1:len(shape)-1], " ", ", ")
	if len(a.Shape) == 1 {
		shape += "," // or Python takes the parentheses for mere grouping
	}
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", k.descr, shape)
	header += strings.Repeat(" ", 63-(len(magic)+2+len(header))%64) + "\n" // the values begin at a multiple of 64
	file := order.AppendUint16([]byte(magic), uint16(len(header)))
	start := len(file) + len(header)
	file = append(append(file, header...), make([]byte, n*k.size)...)
	for i, v := range a.Data {
		k.write(file[start+i*k.size:], v)
	}
	return file
}

// Decode reads a whole file.
func Decode(file []byte) (a Array, err error) {
	rest, ok := bytes.CutPrefix(file, []byte(magic))
	if !ok || len(rest) < 2 {
		return a, errors.New("not a .npy file of version 1.0")
	}
	length := int(order.Uint16(rest))
	if rest = rest[2:]; len(rest) < length {
		return a, fmt.Errorf("cut inside the header: %d of %d bytes", len(rest), length)
	}
	k, shape, err := parse(string(rest[:length]))
	if err != nil {
		return a, err
	}
	rest = rest[length:]
	n, ok := elements(shape)
	if !ok || len(rest)/k.size != n || len(rest)%k.size != 0 {
		return a, fmt.Errorf("%d bytes of values, not those of shape %v in %s", len(rest), shape, k.name)
	}
	a = Array{Shape: shape, DType: k.name, Data: make([]float64, n)}
	for i := range a.Data {
		a.Data[i] = k.read(rest[i*k.size:])
		if k.name == "int64" && math.Abs(a.Data[i]) > 1<<53 {
			return Array{}, fmt.Errorf("element %d: an integer beyond 2^53", i)
		}
	}
	return a, nil
}

// parse reads a header.
func parse(header string) (k kind, shape []int, err error) {
	entry := func(e *regexp.Regexp) string {
		found := e.FindAllStringSubmatch(header, 2)
		if len(found) != 1 {
			err = fmt.Errorf("header %q: want one descr, fortran_order and shape", header)
			return ""
		}
		return found[0][1]
	}
	descr, fortran, sizes := entry(descrEntry), entry(orderEntry), entry(shapeEntry)
	if err != nil {
		return k, nil, err
	}
	for _, e := range []*regexp.Regexp{descrEntry, orderEntry, shapeEntry} {
		header = e.ReplaceAllString(header, "")
	}
	if !noEntry.MatchString(header) {
		return k, nil, fmt.Errorf("header: what is %q?", header)
	}
	if fortran == "True" {
		return k, nil, errors.New("in Fortran order, want C order (numpy.ascontiguousarray)")
	}
	if k, err = find(func(k kind) bool { return k.descr == descr }); err != nil {
		return k, nil, fmt.Errorf("type %q: want <f4, <f8, <f2 or <i8", descr)
	}
	for _, size := range strings.FieldsFunc(sizes, func(r rune) bool { return strings.ContainsRune(", \t\n\r\f\v", r) }) {
		side, err := strconv.Atoi(size)
		if err != nil {
			return k, nil, fmt.Errorf("shape (%s): %w", sizes, err)
		}
		shape = append(shape, side)
	}
	return k, shape, nil
}

func find(is func(kind) bool) (kind, error) {
	for _, k := range kinds {
		if is(k) {
			return k, nil
		}
	}
	return kind{}, errors.New("unknown type")
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

// Read reads the file at path. Errors name it.
func Read(path string) (Array, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Array{}, err
	}
	if !info.Mode().IsRegular() || info.Size() > math.MaxInt32 {
		return Array{}, fmt.Errorf("%s: not a file of at most 2 GB", path)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		return Array{}, err
	}
	a, err := Decode(file)
	if err != nil {
		return Array{}, fmt.Errorf("%s: %w", path, err)
	}
	return a, nil
}

// Write writes the array to path, whose folder must exist.
func Write(path string, a Array) error { return os.WriteFile(path, Encode(a), 0o666) }
