// Package torchfile reads and writes the tensors of PyTorch's files, as torch.save makes them, without running what is in them.
//
// Such a file is a zip archive of one pickle and one record of raw bytes per storage, or, before PyTorch 1.6, five pickles and
// then the storages. The pickle is a Python program; the table of what it may name is in rebuild.go, and anything else, such as
// os.system or the class of a network saved whole, is refused by name. Memory stays near the size of the file whatever the file
// claims.
//
// The package is for exchanging weights. It knows nothing of networks.
//
// Format: torch/serialization.py and torch/_utils.py of PyTorch 1.13 and 2.x.
package torchfile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

// File is the content of a file.
type File struct {
	Path    string
	Legacy  bool // written before PyTorch 1.6, or as if
	Tensors []Tensor
	Scalars []Scalar // the numbers and strings beside the tensors, such as an epoch
}

// Tensor is a tensor of a file. Its name leads there from the outermost dictionary: the keys, and the indices of lists, joined
// by dots.
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

// Read reads the file at path. Every error names it.
func Read(path string) (*File, error) {
	opened, err := os.Open(path)
	if err != nil {
		return nil, err // it names the path
	}
	defer opened.Close()
	info, err := opened.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a regular file", path)
	}
	f, err := decode(opened, info.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	f.Path = path
	return f, nil
}

// Decode reads a whole file held in memory.
func Decode(file []byte) (*File, error) { return decode(bytes.NewReader(file), int64(len(file))) }

// How the two kinds of file begin: with a zip archive's first record, and with the pickle of a magic number.
var (
	zipMagic    = []byte("PK\x03\x04")
	legacyMagic = []byte("\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.")
)

// Is tells whether a file that begins like this is one of PyTorch's.
func Is(beginning []byte) bool {
	return bytes.HasPrefix(beginning, zipMagic) || bytes.HasPrefix(beginning, legacyMagic)
}

// MagicBytes is how much of a file Is needs to see.
const MagicBytes = 15

func decode(r io.ReaderAt, size int64) (*File, error) {
	beginning := make([]byte, min(size, MagicBytes))
	if _, err := io.ReadFull(io.NewSectionReader(r, 0, size), beginning); err != nil {
		return nil, err
	}
	var value any
	var err error
	legacy := bytes.HasPrefix(beginning, legacyMagic)
	switch {
	case legacy:
		value, err = readLegacy(bufio.NewReader(io.NewSectionReader(r, 0, size)), size)
	case bytes.HasPrefix(beginning, zipMagic):
		value, err = readZip(r, size)
	default:
		err = errors.New("not a file of torch.save: it is neither a zip archive nor begins with the magic number of older files")
	}
	if err != nil {
		return nil, err
	}
	f := flattening{File: &File{Legacy: legacy}}
	return f.File, f.visit("", value)
}
