package onnx

import (
	"encoding/binary"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// The numbers of the fields, from ONNX's public schema, onnx.proto.
const (
	modelIRVersion, modelProducer, modelGraph, modelOpset, modelMetadata = 1, 2, 7, 8, 14

	opsetVersion = 2 // its domain, field 1, is left out: that of ONNX itself

	propertyKey, propertyValue = 1, 2

	graphNode, graphName, graphInitializer, graphDoc, graphInput, graphOutput = 1, 2, 5, 10, 11, 12

	nodeInput, nodeOutput, nodeName, nodeOp, nodeAttribute = 1, 2, 3, 4, 5

	attributeName, attributeFloat, attributeInt, attributeString, attributeInts, attributeType = 1, 2, 3, 4, 8, 20

	tensorDims, tensorType, tensorName, tensorRaw = 1, 2, 8, 9

	valueName, valueType = 1, 2

	typeTensor = 1

	tensorElement, tensorShape = 1, 2 // of a type, not of a tensor

	shapeDim = 1

	dimValue, dimParam = 1, 2
)

// The kinds of attributes, by their numbers in ONNX.
const (
	kindFloat  = 1
	kindInt    = 2
	kindString = 3
	kindInts   = 7
)

// producer is the program's name in models.
const producer = "sdref"

// batchName is what the open size is called in models.
const batchName = "N"

// Encode returns the model as the bytes of a ModelProto, which is what a .onnx file holds.
func (m *Model) Encode() []byte {
	var w message
	w.int(modelIRVersion, IRVersion)
	w.text(modelProducer, producer)
	w.nested(modelGraph, m.graph)
	w.nested(modelOpset, func(w *message) { w.int(opsetVersion, Opset) })
	for _, p := range m.Metadata {
		w.nested(modelMetadata, func(w *message) {
			w.text(propertyKey, p.Key)
			w.text(propertyValue, p.Value)
		})
	}
	return w.bytes
}

// graph writes a GraphProto.
func (m *Model) graph(w *message) {
	for i := range m.Nodes {
		w.nested(graphNode, m.Nodes[i].write)
	}
	w.text(graphName, m.Name)
	for i := range m.Constants {
		w.nested(graphInitializer, m.Constants[i].write)
	}
	w.text(graphDoc, m.Doc)
	for i := range m.Inputs {
		w.nested(graphInput, m.Inputs[i].write)
	}
	for i := range m.Outputs {
		w.nested(graphOutput, m.Outputs[i].write)
	}
}

// write writes a NodeProto.
func (n *Node) write(w *message) {
	for _, name := range n.Inputs {
		w.text(nodeInput, name)
	}
	for _, name := range n.Outputs {
		w.text(nodeOutput, name)
	}
	w.text(nodeName, n.Name)
	w.text(nodeOp, n.Op)
	for i := range n.Attributes {
		w.nested(nodeAttribute, n.Attributes[i].write)
	}
}

// write writes an AttributeProto.
func (a *Attribute) write(w *message) {
	w.text(attributeName, a.Name)
	switch v := a.Value.(type) {
	case int:
		w.int(attributeInt, v)
		w.int(attributeType, kindInt)
	case float32:
		w.float(attributeFloat, v)
		w.int(attributeType, kindFloat)
	case string:
		w.text(attributeString, v)
		w.int(attributeType, kindString)
	case []int:
		for _, i := range v {
			w.int(attributeInts, i)
		}
		w.int(attributeType, kindInts)
	default:
		panic(fmt.Sprintf("onnx: attribute %s is a %T", a.Name, a.Value))
	}
}

// write writes a ValueInfoProto.
func (v *Value) write(w *message) {
	w.text(valueName, v.Name)
	w.nested(valueType, func(w *message) {
		w.nested(typeTensor, func(w *message) {
			w.int(tensorElement, int(v.Type))
			w.nested(tensorShape, func(w *message) {
				for _, size := range v.Shape {
					w.nested(shapeDim, func(w *message) {
						if size == Batch {
							w.text(dimParam, batchName)
						} else {
							w.int(dimValue, size)
						}
					})
				}
			})
		})
	})
}

// Encode returns the tensor as the bytes of a TensorProto, which is what a .pb file of ONNX's own tests
// holds.
func (t *Tensor) Encode() []byte {
	var w message
	t.write(&w)
	return w.bytes
}

func (t *Tensor) write(w *message) {
	for _, size := range t.Shape {
		w.int(tensorDims, size)
	}
	w.int(tensorType, int(t.Type()))
	w.text(tensorName, t.Name)
	raw := make([]byte, 0, 4*len(t.Floats)+8*len(t.Ints)) // little-endian, as the schema says
	for _, f := range t.Floats {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(f))
	}
	for _, i := range t.Ints {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(i))
	}
	w.raw(tensorRaw, raw)
}

// message is a protocol buffer under way: fields, each a number and a value, one after the other.
type message struct{ bytes []byte }

func (w *message) int(field protowire.Number, v int) {
	w.bytes = protowire.AppendTag(w.bytes, field, protowire.VarintType)
	w.bytes = protowire.AppendVarint(w.bytes, uint64(v))
}

func (w *message) float(field protowire.Number, v float32) {
	w.bytes = protowire.AppendTag(w.bytes, field, protowire.Fixed32Type)
	w.bytes = protowire.AppendFixed32(w.bytes, math.Float32bits(v))
}

func (w *message) raw(field protowire.Number, v []byte) {
	w.bytes = protowire.AppendTag(w.bytes, field, protowire.BytesType)
	w.bytes = protowire.AppendBytes(w.bytes, v)
}

func (w *message) text(field protowire.Number, v string) { w.raw(field, []byte(v)) }

// nested appends a message within this one.
func (w *message) nested(field protowire.Number, write func(w *message)) {
	var inner message
	write(&inner)
	w.raw(field, inner.bytes)
}
