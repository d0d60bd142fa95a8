package onnx

// The versions that models are written in. Operator set 17 belongs to ONNX 1.12; nothing newer is needed.
const (
	Opset     = 17
	IRVersion = 8
)

// Model is an ONNX model: a graph, and what is said about it.
type Model struct {
	Name      string
	Doc       string
	Metadata  []Property
	Inputs    []Value
	Outputs   []Value
	Constants []Tensor // the weights and the numbers that the nodes need
	Nodes     []Node   // in an order in which they can be computed
}

// Property is something that a model says of itself for its users.
type Property struct{ Key, Value string }

// Value is an input or an output.
type Value struct {
	Name  string
	Type  Type
	Shape []int // Batch stands for a size that is left open
}

// Batch is the size of an axis whose length is known only when the model runs: the number of images.
const Batch = -1

// Type is the type of a tensor's elements, by its number in ONNX.
type Type int

// The types that models here have as inputs, outputs and constants.
const (
	Float32 Type = 1
	Int64   Type = 7
)

// Node is one ONNX operator applied to values by their names.
type Node struct {
	Name            string
	Op              string
	Inputs, Outputs []string
	Attributes      []Attribute
}

// Attribute is a setting of a node: an int, a float32, a string or a list of ints.
type Attribute struct {
	Name  string
	Value any
}

// Tensor is a named tensor with its elements, row-major.
type Tensor struct {
	Name   string
	Shape  []int
	Floats []float32 // or
	Ints   []int64
}

// Type is the type of the elements.
func (t Tensor) Type() Type {
	if t.Ints != nil {
		return Int64
	}
	return Float32
}
