package torchfile

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strconv"

	"sdref/internal/atomicfile"
	"sdref/internal/misuse"
	"sdref/internal/pickle"
	"sdref/tensor/safetensors"
)

// Write replaces the file at path by a state_dict, an ordered dictionary of tensors, that torch.load reads,
// also where it accepts weights only. The file is left as it was if that fails. See Encode for what panics.
func Write(path string, tensors []safetensors.Tensor) error { return WriteNoted(path, tensors, "") }

// NoteRecord is the record of a note, where PyTorch does not look.
const NoteRecord = "extra/sdref.json"

// WriteNoted writes like Write, and a text for readers of this package beside the tensors.
func WriteNoted(path string, tensors []safetensors.Tensor, note string) error {
	return atomicfile.Write(path, func(w io.Writer) error { return encode(w, tensors, note) })
}

// Encode writes what Write puts into a file. The same tensors give the same bytes. Two tensors of one name
// are the caller's bug, and a panic.
func Encode(w io.Writer, tensors []safetensors.Tensor) error { return encode(w, tensors, "") }

func encode(w io.Writer, tensors []safetensors.Tensor, note string) error {
	z := zip.NewWriter(w)
	if err := record(z, "data.pkl", program(tensors)); err != nil {
		return err
	}
	if err := record(z, "byteorder", []byte("little")); err != nil {
		return err
	}
	for i, t := range tensors {
		if err := record(z, "data/"+strconv.Itoa(i), raw(t)); err != nil {
			return fmt.Errorf("tensor %q: %w", t.Name, err)
		}
	}
	if note != "" {
		if err := record(z, NoteRecord, []byte(note)); err != nil {
			return err
		}
	}
	if err := record(z, "version", []byte("3\n")); err != nil { // of PyTorch's zip format
		return err
	}
	return z.Close()
}

func record(z *zip.Writer, name string, content []byte) error {
	w, err := z.CreateHeader(&zip.FileHeader{Name: "archive/" + name, Method: zip.Store})
	if err != nil {
		return err
	}
	_, err = w.Write(content)
	return err
}

// program is the pickle of the dictionary: each tensor a call of _rebuild_tensor_v2 with a reference to a
// storage of its own.
func program(tensors []safetensors.Tensor) []byte {
	ordered := pickle.Global{Module: "collections", Name: "OrderedDict"}
	rebuild := pickle.Global{Module: "torch._utils", Name: "_rebuild_tensor_v2"}
	dict := pickle.Reduce{Func: ordered, Args: pickle.Tuple{}}
	seen := map[string]bool{}
	for i, t := range tensors {
		if seen[t.Name] {
			panic(misuse.Errorf("torchfile.Encode: two tensors %q", t.Name))
		}
		seen[t.Name] = true
		shape, strides := make(pickle.Tuple, len(t.Shape)), make(pickle.Tuple, len(t.Shape))
		stride := int64(1)
		for d := len(t.Shape) - 1; d >= 0; d-- {
			shape[d], strides[d] = int64(t.Shape[d]), stride
			stride *= int64(t.Shape[d])
		}
		storage := pickle.Tuple{"storage", storageType(t), strconv.Itoa(i), "cpu", int64(t.Len())}
		dict.Items = append(dict.Items, pickle.Entry{Key: t.Name, Value: pickle.Reduce{Func: rebuild, Args: pickle.Tuple{
			pickle.Persistent{ID: storage}, int64(0), shape, strides, false, pickle.Reduce{Func: ordered, Args: pickle.Tuple{}}}}})
	}
	return pickle.Encode(dict)
}

// storageType is the PyTorch type of the tensor's storage.
func storageType(t safetensors.Tensor) pickle.Global {
	name := map[string]string{"F64": "DoubleStorage", "F32": "FloatStorage", "I64": "LongStorage"}[t.DType()]
	if name == "" {
		panic(misuse.Errorf("torchfile.Encode: tensor %q of type %s", t.Name, t.DType()))
	}
	return pickle.Global{Module: "torch", Name: name}
}

// raw is the tensor's elements, little-endian.
func raw(t safetensors.Tensor) []byte {
	if values, err := safetensors.Values[float64](t); err == nil {
		return littleEndian(values)
	}
	if values, err := safetensors.Values[float32](t); err == nil {
		return littleEndian(values)
	}
	values, err := safetensors.Values[int64](t)
	if err != nil {
		panic(misuse.Errorf("torchfile.Encode: %v", err)) // not made by safetensors.New
	}
	return littleEndian(values)
}

func littleEndian[T safetensors.Element](values []T) []byte {
	var b bytes.Buffer
	if err := binary.Write(&b, binary.LittleEndian, values); err != nil {
		panic(err) // a buffer takes everything
	}
	return b.Bytes()
}
