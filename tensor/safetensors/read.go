package safetensors

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"
	"unicode/utf8"

	"sdref/internal/filekind"
)

// maxHeader bounds the JSON header, in bytes: the same limit as the format's
// reference implementation has.
const maxHeader = 100_000_000

// chunk is how many bytes of values are moved at once.
const chunk = 1 << 18

// Read reads the file at path. Every error names the path, and the tensor where
// there is one. Memory stays near the size of the file whatever its header claims.
func Read(path string) (*File, error) {
	return ReadContext(context.Background(), path)
}

// ReadContext reads like Read until the context is cancelled; then the error wraps the context's.
func ReadContext(ctx context.Context, path string) (*File, error) {
	opened, size, err := filekind.Open(path)
	if err != nil {
		return nil, err // it names the path
	}
	defer opened.Close()
	r := filekind.Until(ctx, opened)
	f, err := decode(io.NewSectionReader(r, 0, size), size)
	if err != nil {
		beginning := make([]byte, filekind.Beginning)
		n, _ := r.ReadAt(beginning, 0)
		if what := filekind.Describe(beginning[:n]); what != "" && what != filekind.Safetensors {
			err = fmt.Errorf("%s, not %s (%w)", what, filekind.Safetensors, err)
		}
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	f.Path = path
	return f, nil
}

// Decode reads a whole file held in memory. The tensors are copies.
func Decode(file []byte) (*File, error) {
	return decode(bytes.NewReader(file), int64(len(file)))
}

// entry is one tensor of the header; begin and end count bytes after the header.
type entry struct {
	name, dtype string
	shape       []int
	begin, end  int64
}

// decode reads size bytes of r.
func decode(r io.Reader, size int64) (*File, error) {
	if size < 8 {
		return nil, fmt.Errorf("%d bytes are too few for a header length", size)
	}
	var prefix [8]byte
	if _, err := io.ReadFull(r, prefix[:]); err != nil {
		return nil, fmt.Errorf("header length: %w", err)
	}
	length, rest := binary.LittleEndian.Uint64(prefix[:]), size-8
	if length > maxHeader || int64(length) > rest {
		return nil, fmt.Errorf("header of %d bytes: the limit is %d, and %d bytes follow", length, maxHeader, rest)
	}
	header := make([]byte, length)
	if _, err := io.ReadFull(r, header); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	metadata, entries, err := parseHeader(header)
	if err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	places, err := layOut(entries, rest-int64(length))
	if err != nil {
		return nil, err
	}
	f := &File{Metadata: metadata, Tensors: make([]Tensor, len(entries))}
	for _, i := range places {
		if f.Tensors[i], err = readTensor(r, entries[i]); err != nil {
			return nil, fmt.Errorf("tensor %q: %w", entries[i].name, err)
		}
	}
	return f, nil
}

// layOut checks that the tensors tile the size bytes of data without a gap or
// an overlap and that each has the bytes its shape asks for. It returns the
// indices of the entries in the order of their data.
func layOut(entries []entry, size int64) ([]int, error) {
	places := make([]int, len(entries))
	for i, e := range entries {
		places[i] = i
		n, ok := Elements(e.shape)
		bytesEach := int64(width(e.dtype))
		need := int64(n) * bytesEach
		switch {
		case !ok || need/bytesEach != int64(n): // the product wrapped around
			return nil, fmt.Errorf("tensor %q: shape %v: too many elements", e.name, e.shape)
		case e.begin < 0 || e.end < e.begin || e.end > size:
			return nil, fmt.Errorf("tensor %q: bytes %d to %d lie outside the file's %d bytes of data", e.name, e.begin, e.end, size)
		case e.end-e.begin != need:
			return nil, fmt.Errorf("tensor %q: %s needs %d bytes and has %d", e.name, describe(e.dtype, e.shape), need, e.end-e.begin)
		}
	}
	sort.SliceStable(places, func(a, b int) bool {
		x, y := entries[places[a]], entries[places[b]]
		if x.begin != y.begin {
			return x.begin < y.begin
		}
		return x.end < y.end // an empty tensor before the one that starts where it does
	})
	at := int64(0)
	for _, i := range places {
		if e := entries[i]; e.begin != at {
			return nil, fmt.Errorf("tensor %q: starts at byte %d of the data, want %d: a gap or an overlap", e.name, e.begin, at)
		}
		at = entries[i].end
	}
	if at != size {
		return nil, fmt.Errorf("%d bytes after the last tensor", size-at)
	}
	return places, nil
}

// readTensor reads the values of e, whose size layOut has checked against the file's.
func readTensor(r io.Reader, e entry) (t Tensor, err error) {
	n, _ := Elements(e.shape)
	t = Tensor{Name: e.name, Shape: e.shape}
	switch e.dtype {
	case "F64":
		t.data, err = readValues[float64](r, n)
	case "F32":
		t.data, err = readValues[float32](r, n)
	case "I64":
		t.data, err = readValues[int64](r, n)
	case "U64":
		t.data, err = readValues[uint64](r, n)
	default:
		raw := make([]byte, e.end-e.begin)
		_, err = io.ReadFull(r, raw)
		t.data = packed{e.dtype, raw}
	}
	return t, err
}

func readValues[T Element](r io.Reader, n int) ([]T, error) {
	values := make([]T, n)
	bytesEach := width(dtypeOf(values))
	buffer := make([]byte, min(chunk, n*bytesEach))
	for rest := values; len(rest) > 0; {
		now := rest[:min(len(rest), chunk/bytesEach)]
		raw := buffer[:len(now)*bytesEach]
		if _, err := io.ReadFull(r, raw); err != nil {
			return nil, err
		}
		// binary.Decode has a loop of its own for these slices, without reflection.
		if _, err := binary.Decode(raw, binary.LittleEndian, now); err != nil {
			return nil, err
		}
		rest = rest[len(now):]
	}
	return values, nil
}

// parseHeader reads the JSON header: an object, then nothing but padding spaces.
func parseHeader(header []byte) (metadata map[string]string, entries []entry, err error) {
	if !utf8.Valid(header) {
		return nil, nil, errors.New("not UTF-8")
	}
	if len(header) == 0 || header[0] != '{' {
		return nil, nil, errors.New("does not begin with {")
	}
	d := json.NewDecoder(bytes.NewReader(header))
	err = eachField(d, func(name string) error {
		if name == metadataKey {
			if metadata, err = parseMetadata(d); err != nil {
				return fmt.Errorf("%s: %w", metadataKey, err)
			}
			return nil
		}
		e, err := parseEntry(d)
		if err != nil {
			return fmt.Errorf("tensor %q: %w", name, err)
		}
		e.name = name
		entries = append(entries, e)
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	if tail := bytes.TrimRight(header[d.InputOffset():], " "); len(tail) > 0 {
		return nil, nil, fmt.Errorf("%.20q after the JSON", tail)
	}
	return metadata, entries, nil
}

func parseMetadata(d *json.Decoder) (map[string]string, error) {
	metadata := map[string]string{}
	err := eachField(d, func(key string) error {
		var value *string
		if err := d.Decode(&value); err != nil {
			return fmt.Errorf("%q: %w", key, err)
		}
		if value == nil {
			return fmt.Errorf("%q: null is no string", key)
		}
		metadata[key] = *value
		return nil
	})
	return metadata, err
}

func parseEntry(d *json.Decoder) (e entry, err error) {
	var shape []*int
	var offsets []*int64
	err = eachField(d, func(key string) (err error) {
		switch key {
		case "dtype":
			err = d.Decode(&e.dtype)
		case "shape":
			err = d.Decode(&shape)
		case "data_offsets":
			err = d.Decode(&offsets)
		default:
			return fmt.Errorf("unknown field %q", key)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		return nil
	})
	switch {
	case err != nil:
		return e, err
	case width(e.dtype) == 0:
		return e, fmt.Errorf("dtype %q is not one of %s", e.dtype, formatNames())
	case shape == nil:
		return e, errors.New("no shape")
	case len(offsets) != 2 || offsets[0] == nil || offsets[1] == nil:
		return e, errors.New("data_offsets is not a pair of numbers")
	}
	e.begin, e.end = *offsets[0], *offsets[1]
	e.shape = make([]int, len(shape))
	for i, side := range shape {
		if side == nil || *side < 0 {
			return e, fmt.Errorf("shape: side %d is null or negative", i)
		}
		e.shape[i] = *side
	}
	return e, nil
}

func formatNames() string {
	var names []string
	for _, f := range formats {
		names = append(names, f.name)
	}
	return strings.Join(names, ", ")
}

// eachField reads a JSON object from d, calling value at each key to read what
// follows it. Two equal keys are an error: readers would disagree on which counts.
func eachField(d *json.Decoder, value func(key string) error) error {
	if t, err := d.Token(); err != nil {
		return err
	} else if t != json.Delim('{') {
		return fmt.Errorf("%v where an object should begin", t)
	}
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return err
		}
		key, ok := t.(string)
		if !ok {
			return fmt.Errorf("%v where a key should be", t)
		}
		if seen[key] {
			return fmt.Errorf("%q appears twice", key)
		}
		seen[key] = true
		if err := value(key); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}
