package onnx_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	. "sdref/autodiff/onnx"
)

// field is a field of a protocol buffer.
type field struct {
	number int
	whole  uint64 // a varint or a fixed32
	bytes  []byte
}

// fields takes a message apart.
func fields(t testing.TB, b []byte) (list []field) {
	t.Helper()
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		b = b[n:]
		f := field{number: int(number)}
		switch kind {
		case protowire.VarintType:
			f.whole, n = protowire.ConsumeVarint(b)
		case protowire.Fixed32Type:
			var v uint32
			v, n = protowire.ConsumeFixed32(b)
			f.whole = uint64(v)
		case protowire.BytesType:
			f.bytes, n = protowire.ConsumeBytes(b)
		default:
			t.Fatalf("field %d has wire type %d", number, kind)
		}
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		b = b[n:]
		list = append(list, f)
	}
	return list
}

// read is the inverse of Model.Encode. The numbers of fields stand here a second time, as they are in ONNX's
// schema.
func read(t testing.TB, b []byte) *Model {
	t.Helper()
	m := &Model{}
	for _, f := range fields(t, b) {
		switch f.number {
		case 1:
			if f.whole != IRVersion {
				t.Errorf("IR version %d", f.whole)
			}
		case 2:
			if string(f.bytes) != "sdref" {
				t.Errorf("producer %q", f.bytes)
			}
		case 7:
			readGraph(t, m, f.bytes)
		case 8:
			if set := fields(t, f.bytes); len(set) != 1 || set[0].number != 2 || set[0].whole != Opset {
				t.Errorf("operator set %v", set)
			}
		case 14:
			p := fields(t, f.bytes)
			m.Metadata = append(m.Metadata, Property{string(p[0].bytes), string(p[1].bytes)})
		default:
			t.Errorf("a model has field %d", f.number)
		}
	}
	return m
}

func readGraph(t testing.TB, m *Model, b []byte) {
	for _, f := range fields(t, b) {
		switch f.number {
		case 1:
			m.Nodes = append(m.Nodes, readNode(t, f.bytes))
		case 2:
			m.Name = string(f.bytes)
		case 5:
			m.Constants = append(m.Constants, readTensor(t, f.bytes))
		case 10:
			m.Doc = string(f.bytes)
		case 11:
			m.Inputs = append(m.Inputs, readValue(t, f.bytes))
		case 12:
			m.Outputs = append(m.Outputs, readValue(t, f.bytes))
		default:
			t.Errorf("a graph has field %d", f.number)
		}
	}
}

func readNode(t testing.TB, b []byte) (n Node) {
	for _, f := range fields(t, b) {
		switch f.number {
		case 1:
			n.Inputs = append(n.Inputs, string(f.bytes))
		case 2:
			n.Outputs = append(n.Outputs, string(f.bytes))
		case 3:
			n.Name = string(f.bytes)
		case 4:
			n.Op = string(f.bytes)
		case 5:
			n.Attributes = append(n.Attributes, readAttribute(t, f.bytes))
		default:
			t.Errorf("a node has field %d", f.number)
		}
	}
	return n
}

func readAttribute(t testing.TB, b []byte) (a Attribute) {
	kind, ints := uint64(0), []int(nil)
	for _, f := range fields(t, b) {
		switch f.number {
		case 1:
			a.Name = string(f.bytes)
		case 2:
			a.Value = math.Float32frombits(uint32(f.whole))
		case 3:
			a.Value = int(f.whole)
		case 4:
			a.Value = string(f.bytes)
		case 8:
			ints = append(ints, int(f.whole))
			a.Value = ints
		case 20:
			kind = f.whole
		default:
			t.Errorf("an attribute has field %d", f.number)
		}
	}
	if want := map[string]uint64{"float32": 1, "int": 2, "string": 3, "[]int": 7}[fmt.Sprintf("%T", a.Value)]; kind != want {
		t.Errorf("attribute %s says that it is of kind %d", a.Name, kind)
	}
	return a
}

func readValue(t testing.TB, b []byte) (v Value) {
	for _, f := range fields(t, b) {
		switch f.number {
		case 1:
			v.Name = string(f.bytes)
		case 2:
			v.Shape = []int{}
			for _, f := range fields(t, fields(t, f.bytes)[0].bytes) {
				if f.number == 1 {
					v.Type = Type(f.whole)
					continue
				}
				for _, dim := range fields(t, f.bytes) {
					switch size := fields(t, dim.bytes)[0]; size.number {
					case 1:
						v.Shape = append(v.Shape, int(size.whole))
					case 2:
						if string(size.bytes) != "N" {
							t.Errorf("%s has the open size %q", v.Name, size.bytes)
						}
						v.Shape = append(v.Shape, Batch)
					}
				}
			}
		}
	}
	return v
}

func readTensor(t testing.TB, b []byte) Tensor {
	v, kind := Tensor{Shape: []int{}}, Type(0)
	for _, f := range fields(t, b) {
		switch f.number {
		case 1:
			v.Shape = append(v.Shape, int(f.whole))
		case 2:
			kind = Type(f.whole)
		case 8:
			v.Name = string(f.bytes)
		case 9:
			for raw := f.bytes; len(raw) > 0 && kind == Float32; raw = raw[4:] {
				v.Floats = append(v.Floats, math.Float32frombits(binary.LittleEndian.Uint32(raw)))
			}
			for raw := f.bytes; len(raw) > 0 && kind == Int64; raw = raw[8:] {
				v.Ints = append(v.Ints, int64(binary.LittleEndian.Uint64(raw)))
			}
		default:
			t.Errorf("a tensor has field %d", f.number)
		}
	}
	return v
}
