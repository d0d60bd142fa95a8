package answer

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"

	"sdref/tensor"
)

// Response is an answer: what can be said in JSON, and arrays.
type Response struct {
	Error  string // a sentence, if there is no answer; nothing else is set then
	Values any    // becomes the header's "values"
	arrays []array
	data   bytes.Buffer
}

// array describes an array in the data.
type array struct {
	Name   string `json:"name"`
	Shape  []int  `json:"shape"`
	Type   string `json:"type"`   // "float32", "float64" or "uint8", little-endian
	Offset int    `json:"offset"` // behind the header, in bytes, a multiple of 8
}

// align is what offsets are multiples of, so that a reader can look at the arrays where they lie.
const align = 8

func (r *Response) begin(name, kind string, shape []int) {
	for r.data.Len()%align != 0 {
		r.data.WriteByte(0)
	}
	r.arrays = append(r.arrays, array{name, shape, kind, r.data.Len()})
}

// add appends a tensor.
func add[T tensor.Float](r *Response, name string, t *tensor.Tensor[T]) {
	kind := "float32"
	if _, ok := any(t).(*tensor.Tensor[float64]); ok {
		kind = "float64"
	}
	r.begin(name, kind, t.Shape)
	r.data.Write(bytesOf(t))
}

// addBytes appends bytes.
func (r *Response) addBytes(name string, b []byte, shape ...int) {
	r.begin(name, "uint8", shape)
	r.data.Write(b)
}

// bytesOf is a tensor's elements as they stand in a response.
func bytesOf[T tensor.Float](t *tensor.Tensor[T]) []byte {
	switch data := any(t.Data).(type) {
	case []float32:
		b := make([]byte, 0, 4*len(data))
		for _, v := range data {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
		}
		return b
	case []float64:
		b := make([]byte, 0, 8*len(data))
		for _, v := range data {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
		}
		return b
	}
	panic("answer: a tensor of another type")
}

// Encode returns the response as bytes: the header's length, uint32 little-endian, and four zeros; the header in JSON, with spaces
// behind it up to a multiple of 8; the arrays.
func (r *Response) Encode() []byte {
	header := struct {
		Error  string  `json:"error,omitempty"`
		Values any     `json:"values,omitempty"`
		Arrays []array `json:"arrays,omitempty"`
	}{r.Error, r.Values, r.arrays}
	if r.Error != "" {
		header.Values, header.Arrays = nil, nil
		r.data.Reset()
	}
	text, err := json.Marshal(header)
	if err != nil { // a number that is not finite
		return (&Response{Error: "the result is not finite"}).Encode()
	}
	for len(text)%align != 0 {
		text = append(text, ' ')
	}
	out := binary.LittleEndian.AppendUint32(nil, uint32(len(text)))
	return append(append(append(out, 0, 0, 0, 0), text...), r.data.Bytes()...)
}
