package safetensors

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"sort"
	"unicode/utf8"

	"sdref/internal/atomicfile"
	"sdref/internal/misuse"
)

// Write replaces the file at path by f, or leaves it untouched and returns an
// error that names path. See Encode for the bytes and for what panics.
func Write(path string, f *File) error {
	return atomicfile.Write(path, func(w io.Writer) error { return Encode(w, f) })
}

// Encode writes f to w. The same content gives the same bytes: the metadata
// comes sorted by key, the header lists the tensors in the order given, spaces
// fill it up to a multiple of eight, and the data follow in the same order,
// except that narrower types come behind wider ones, so that every value is aligned to its width.
//
// A name that is empty, reserved, used twice or not UTF-8, and a tensor that
// was not made by New or was reshaped since, are the caller's bugs: Encode panics.
func Encode(w io.Writer, f *File) error {
	check(f)
	order := dataOrder(f.Tensors)
	header := buildHeader(f, order)
	if _, err := w.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(header)))); err != nil {
		return err
	}
	if _, err := w.Write(header); err != nil {
		return err
	}
	for _, i := range order {
		if err := writeTensor(w, f.Tensors[i]); err != nil {
			return fmt.Errorf("tensor %q: %w", f.Tensors[i].Name, err)
		}
	}
	return nil
}

func check(f *File) {
	seen := map[string]bool{}
	for _, t := range f.Tensors {
		switch n, ok := Elements(t.Shape); {
		case t.Name == "" || t.Name == metadataKey || !utf8.ValidString(t.Name):
			panic(misuse.Errorf("safetensors.Encode: %q cannot name a tensor", t.Name))
		case seen[t.Name]:
			panic(misuse.Errorf("safetensors.Encode: two tensors %q", t.Name))
		case t.data == nil || !ok || n != t.Len():
			panic(misuse.Errorf("safetensors.Encode: tensor %q of shape %v holds %d values", t.Name, t.Shape, t.Len()))
		}
		seen[t.Name] = true
	}
	for key, value := range f.Metadata {
		if !utf8.ValidString(key) || !utf8.ValidString(value) {
			panic(misuse.Errorf("safetensors.Encode: metadata %q: %q is not UTF-8", key, value))
		}
	}
}

// dataOrder returns the indices of the tensors in the order of their data:
// wider values first, otherwise as given.
func dataOrder(tensors []Tensor) []int {
	order := make([]int, len(tensors))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(a, b int) bool {
		return width(tensors[order[a]].DType()) > width(tensors[order[b]].DType())
	})
	return order
}

// buildHeader returns the padded JSON header. It is put together by hand because
// the order of the tensors counts, and a Go map has none.
func buildHeader(f *File, order []int) []byte {
	begin, at := make([]int, len(order)), 0
	for _, i := range order {
		begin[i] = at
		at += f.Tensors[i].Len() * width(f.Tensors[i].DType())
	}
	h := []byte{'{'}
	if len(f.Metadata) > 0 {
		h = append(appendJSON(h, metadataKey), ':')
		h = appendJSON(h, f.Metadata) // encoding/json sorts the keys
	}
	for i, t := range f.Tensors {
		if len(h) > 1 {
			h = append(h, ',')
		}
		shape := t.Shape
		if shape == nil {
			shape = []int{} // a scalar's shape is [], not null
		}
		h = append(appendJSON(h, t.Name), ':')
		h = appendJSON(h, struct {
			DType   string `json:"dtype"`
			Shape   []int  `json:"shape"`
			Offsets [2]int `json:"data_offsets"`
		}{t.DType(), shape, [2]int{begin[i], begin[i] + t.Len()*width(t.DType())}})
	}
	h = append(h, '}')
	for len(h)%8 != 0 {
		h = append(h, ' ')
	}
	return h
}

// appendJSON appends v, which is made of checked strings and integers and so
// always has a JSON form.
func appendJSON(b []byte, v any) []byte {
	j, err := json.Marshal(v)
	if err != nil {
		panic(misuse.Errorf("safetensors: %v", err))
	}
	return append(b, j...)
}

func writeTensor(w io.Writer, t Tensor) error {
	switch d := t.data.(type) {
	case []float64:
		return writeValues(w, d)
	case []float32:
		return writeValues(w, d)
	case []int64:
		return writeValues(w, d)
	case []uint64:
		return writeValues(w, d)
	case packed:
		_, err := w.Write(d.raw)
		return err
	}
	return nil
}

func writeValues[T Element](w io.Writer, values []T) error {
	bytesEach := width(dtypeOf(values))
	buffer := make([]byte, min(chunk, len(values)*bytesEach))
	for len(values) > 0 {
		now := values[:min(len(values), chunk/bytesEach)]
		n, err := binary.Encode(buffer, binary.LittleEndian, now)
		if err != nil {
			return err
		}
		if _, err := w.Write(buffer[:n]); err != nil {
			return err
		}
		values = values[len(now):]
	}
	return nil
}
