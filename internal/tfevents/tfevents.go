// Package tfevents writes the log files that TensorBoard reads, and reads them in order to continue one.
//
// A file is records: the length of the data in eight little-endian bytes, the masked CRC of these, the data,
// the masked CRC of the data,
//
//	masked(c) = (c rotated right by 15) + 0xa282ead8,   c the CRC-32C
//
// and the data of a record is an Event in the encoding of Protocol Buffers: a time, a step, and named
// scalars. TensorBoard takes every file whose name contains "tfevents".
//
// It is for logs of training runs. It knows scalars only, and nothing of what they mean.
package tfevents

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"time"
)

// Scalar is a named number; in the file it is a float32.
type Scalar struct {
	Tag   string
	Value float64
}

// Event is the scalars of one step.
type Event struct {
	Wall    time.Time
	Step    int64
	Scalars []Scalar
}

// version is the content of a file's first event.
const version = "brain.Event:2"

// Writer appends events to a file.
type Writer struct{ file *os.File }

// Open opens the file at path to append to, and creates it if there is none. An existing file is truncated
// before the first event for which keep is false, and before the first record that is incomplete or damaged,
// as the last one is when the writer was killed. A file that does not begin as a file of events is an error,
// and is left as it is. Errors name path.
func Open(path string, keep func(Event) bool) (*Writer, error) {
	content, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	head := frame(appendVersion(nil, time.Now()))
	end := 0
	first, rest, ok := next(content)
	switch {
	case ok && fileVersion(first) != version, !ok && len(content) >= len(head):
		return nil, fmt.Errorf("%s: does not begin as a file of events", path)
	case ok:
		end = len(content) - len(rest)
		for {
			data, after, ok := next(rest)
			event, err := decode(data)
			if !ok || err != nil || !keep(event) {
				break
			}
			rest, end = after, len(content)-len(after)
		}
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	w := &Writer{file}
	err = file.Truncate(int64(end))
	if err == nil {
		_, err = file.Seek(int64(end), io.SeekStart)
	}
	if err == nil && end == 0 {
		_, err = file.Write(head)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return w, nil
}

// Append adds an event.
func (w *Writer) Append(e Event) error {
	_, err := w.file.Write(frame(encode(e)))
	return err
}

// Sync brings what was appended to the disk.
func (w *Writer) Sync() error { return w.file.Sync() }

// Close closes the file.
func (w *Writer) Close() error { return w.file.Close() }

// Read returns the events of a file, without the first, which is its version. Errors name path.
func Read(path string) ([]Event, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	data, rest, ok := next(content)
	if !ok || fileVersion(data) != version {
		return nil, fmt.Errorf("%s: does not begin as a file of events", path)
	}
	var events []Event
	for len(rest) > 0 {
		at := len(content) - len(rest)
		if data, rest, ok = next(rest); !ok {
			return nil, fmt.Errorf("%s: byte %d: a record that is incomplete or damaged", path, at)
		}
		e, err := decode(data)
		if err != nil {
			return nil, fmt.Errorf("%s: byte %d: %w", path, at, err)
		}
		events = append(events, e)
	}
	return events, nil
}

// The sizes of what surrounds the data of a record.
const (
	headerBytes  = 12 // the length of the data, and the CRC of the length
	trailerBytes = 4  // the CRC of the data
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func masked(data []byte) uint32 {
	c := crc32.Checksum(data, castagnoli)
	return (c>>15 | c<<17) + 0xa282ead8
}

// frame makes a record of data.
func frame(data []byte) []byte {
	record := binary.LittleEndian.AppendUint64(nil, uint64(len(data)))
	record = binary.LittleEndian.AppendUint32(record, masked(record))
	record = append(record, data...)
	return binary.LittleEndian.AppendUint32(record, masked(data))
}

// next splits the content into its first record's data and the rest; ok is false if it does not begin with a
// whole record.
func next(content []byte) (data, rest []byte, ok bool) {
	if len(content) < headerBytes+trailerBytes ||
		binary.LittleEndian.Uint32(content[8:]) != masked(content[:8]) {
		return nil, content, false
	}
	length := binary.LittleEndian.Uint64(content)
	if length > uint64(len(content)-headerBytes-trailerBytes) {
		return nil, content, false
	}
	data, rest = content[headerBytes:headerBytes+length], content[headerBytes+length:]
	if binary.LittleEndian.Uint32(rest) != masked(data) {
		return nil, content, false
	}
	return data, rest[trailerBytes:], true
}
