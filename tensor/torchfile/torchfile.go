// Package torchfile reads and writes the tensors of PyTorch's files, as torch.save makes them, without
// running what is in them.
//
// Such a file is a zip archive of one pickle and one record of raw bytes per storage, or, before PyTorch 1.6,
// five pickles and then the storages; a pickle alone, of tensors or of NumPy's arrays, is read too. The
// pickle is a Python program. What it may call is in a table, rebuild.go and python.go: what makes tensors
// and containers. Anything else, such as the arguments of a script, an optimiser or a network saved whole, is
// kept as data without a call, the tensors in it are read, and the file lists it by name; names of which only
// an attack has use are refused. Memory and time stay near the size of the file, whatever the file claims.
//
// The package is for exchanging weights. It knows nothing of networks.
//
// Format: torch/serialization.py and torch/_utils.py of PyTorch 1.13 and 2.x.
package torchfile

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"sdref/internal/filekind"
	"sdref/internal/misuse"
	"sdref/internal/pickle"
)

// File is the content of a file.
type File struct {
	Path    string
	Legacy  bool // written before PyTorch 1.6, or as if
	Pickle  bool // of pickle.dump, not of torch.save
	Tensors []Tensor
	Scalars []Scalar // the numbers and strings beside the tensors, such as an epoch
	Objects []Object // what else there is
	Note    string   // of WriteNoted
}

// Tensor is a tensor of a file, or an array of NumPy's. Its name leads there from the outermost dictionary:
// the keys, the indices of lists and the names of attributes, joined by dots. A module that was saved whole
// gives the names of its state_dict.
type Tensor struct {
	Name  string
	Type  string // as PyTorch calls it: float32, bfloat16, ...
	Shape []int  // none for a scalar

	view
}

// Scalar is a number or a string of a file, under a name as a Tensor has it.
type Scalar struct {
	Name  string
	Value any // bool, int64, float64 or string
}

// Object is something of a file that is neither a tensor, a number, a string nor a container. It was not
// made, and nothing was run.
type Object struct {
	Name string
	What string // the Python class, or a few words
}

// Read reads the file at path. Every error names it.
func Read(path string) (*File, error) { return ReadContext(context.Background(), path) }

// ReadContext reads the file at path until the context is cancelled; then the error wraps the context's.
func ReadContext(ctx context.Context, path string) (*File, error) {
	opened, size, err := filekind.Open(path)
	if err != nil {
		return nil, err // it names the path
	}
	defer opened.Close()
	f, err := decode(filekind.Until(ctx, opened), size)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	f.Path = path
	return f, nil
}

// Decode reads a whole file held in memory.
func Decode(file []byte) (*File, error) { return decode(bytes.NewReader(file), int64(len(file))) }

// How files begin: with a zip archive's first record; with the pickle, of any protocol, of an old file's
// magic number, in which these bytes or this line stand at once or behind a frame; with a pickle's protocol,
// or, of protocols 0 and 1, which say none, with a dictionary or the name of the function that makes an
// ordered one.
var (
	zipMagic     = []byte("PK\x03\x04")
	legacyMagic  = []byte("\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.")
	legacyLine   = []byte("L119547037146038801333356L\n.")
	pickleStarts = []string{"\x80\x01", "\x80\x02", "\x80\x03", "\x80\x04", "\x80\x05", "(dp", "(d.", "}q", "}(", "}.", "ccollections\n", "ccopy_reg\n"}
)

// Is tells whether a file that begins like this is one of PyTorch's, or a pickle.
func Is(beginning []byte) bool {
	return bytes.HasPrefix(beginning, zipMagic) || isLegacy(beginning) || isPickle(beginning)
}

// MagicBytes is how much of a file Is needs to see.
const MagicBytes = 32

func isLegacy(beginning []byte) bool {
	at := bytes.Index(beginning[:min(len(beginning), MagicBytes)], legacyMagic)
	return bytes.HasPrefix(beginning, legacyLine) || at >= 0 && beginning[0] == 0x80
}

func isPickle(beginning []byte) bool {
	if filekind.Describe(beginning) == filekind.Safetensors {
		return false // the length of its header may be the bytes that begin a pickle
	}
	return slices.ContainsFunc(pickleStarts, func(start string) bool { return bytes.HasPrefix(beginning, []byte(start)) })
}

func decode(r io.ReaderAt, size int64) (*File, error) {
	beginning := make([]byte, min(size, MagicBytes))
	if _, err := io.ReadFull(io.NewSectionReader(r, 0, size), beginning); err != nil {
		return nil, err
	}
	var value any
	var err error
	f := &File{Legacy: isLegacy(beginning)}
	whole := bufio.NewReader(io.NewSectionReader(r, 0, size))
	switch {
	case f.Legacy:
		value, err = readLegacy(whole, size, 0)
	case bytes.HasPrefix(beginning, zipMagic):
		value, f.Note, err = readZip(r, size)
	case isPickle(beginning):
		f.Pickle = true
		value, err = readPickle(whole, size)
	default:
		err = errors.New("not a file of torch.save: it is neither a zip archive nor begins with the magic number of older files, nor is it a pickle")
	}
	if err != nil {
		return nil, err
	}
	return f, (&flattening{File: f, limit: leastValues + int(size)}).file(value)
}

// readPickle reads a pickle that is all of a file.
func readPickle(in *bufio.Reader, size int64) (any, error) {
	d := &pickle.Decoder{In: in, Limit: size, Globals: globals(0), Unknown: allowed}
	value, err := d.Decode()
	if err != nil {
		return nil, err
	}
	if _, err := in.ReadByte(); err != io.EOF {
		return nil, errors.New("bytes after the pickle: not a file of torch.save")
	}
	return value, nil
}

// MisuseError is the value with which this package panics for mistakes of its caller.
type MisuseError = misuse.Error
