// Package pickle reads and writes Python's pickle format without running anything.
//
// A pickle is a program for a machine with a stack and a memo, one of whose instructions calls any Python function by its
// name: in Python, reading a pickle is running it. Here a name means what the caller's table says, a name that is not in the
// table ends the reading, and memory and time stay in proportion to the program.
//
// It is for foreign checkpoints. It knows the instructions of protocols 2 to 5 that data need, not those of Python's objects,
// and nothing of tensors.
//
// Format: Lib/pickletools.py of Python's standard library.
package pickle

import (
	"bufio"
	"fmt"
	"io"
)

// The values of a pickle are nil for None, bool, int64, *big.Int for integers beyond it, float64, string, []byte, Tuple, *List,
// *Dict, and what the caller's functions return.
type (
	// Tuple is a Python tuple.
	Tuple []any
	// List is a Python list.
	List struct{ Items []any }
	// Entry is a key of a dictionary and its value.
	Entry struct{ Key, Value any }
	// Func is a function that a pickle may call.
	Func func(args Tuple) (any, error)
)

// Dict is a Python dictionary, in the order in which the keys came. Keys are strings, int64, bool or nil.
type Dict struct {
	Entries []Entry
	places  map[any]int
}

// maxKey bounds a key's bytes: each use of a key costs its length in time, and costs the program two bytes.
const maxKey = 4096

// Set gives a key its value. It reports false for what cannot be a key.
func (d *Dict) Set(key, value any) bool {
	switch k := key.(type) {
	case string:
		if len(k) > maxKey {
			return false
		}
	case int64, bool, nil:
	default:
		return false
	}
	if at, ok := d.places[key]; ok {
		d.Entries[at].Value = value
		return true
	}
	if d.places == nil {
		d.places = map[any]int{}
	}
	d.places[key] = len(d.Entries)
	d.Entries = append(d.Entries, Entry{key, value})
	return true
}

// Get returns the value of a key, nil if there is none.
func (d *Dict) Get(key string) any {
	if at, ok := d.places[key]; ok {
		return d.Entries[at].Value
	}
	return nil
}

// Decoder reads pickles that follow each other.
type Decoder struct {
	In      *bufio.Reader // stands behind the pickle once Decode has returned its value
	Limit   int64         // bytes that one pickle may take
	Globals map[string]any
	// Persistent returns what a reference to something outside the pickle stands for; nil allows none.
	Persistent func(id any) (any, error)
}

// Decode reads one pickle. Globals says what its names, "module.name", stand for: a Func can be called, anything else is a
// value. Errors tell the byte and the instruction.
func (d *Decoder) Decode() (value any, err error) {
	m := &machine{Decoder: d, memo: map[uint64]any{}}
	for !m.stopped {
		if m.steps++; m.steps > maxSteps {
			return nil, fmt.Errorf("pickle of more than %d instructions", maxSteps)
		}
		at := m.at
		code := m.byte()
		if m.failed != nil {
			return nil, fmt.Errorf("pickle, byte %d: %w", at, m.failed)
		}
		operation, ok := operations[code]
		if !ok {
			return nil, fmt.Errorf("pickle, byte %d: instruction %q is not supported", at, code)
		}
		operation.run(m)
		if m.failed != nil {
			return nil, fmt.Errorf("pickle, byte %d, %s: %w", at, operation.name, m.failed)
		}
	}
	return m.result, nil
}

// maxSteps bounds the instructions of a pickle, each of which makes at most one value beside the bytes that it reads. A
// checkpoint of a thousand tensors takes about fifty thousand.
const maxSteps = 1 << 20

// machine runs a pickle. Its first failure is kept and ends the run after the instruction.
type machine struct {
	*Decoder
	at      int64 // bytes read
	steps   int
	stack   []any
	marks   []int // heights of the stack at which a mark stands
	memo    map[uint64]any
	stopped bool
	result  any
	failed  error
}

func (m *machine) fail(format string, args ...any) {
	if m.failed == nil {
		m.failed = fmt.Errorf(format, args...)
	}
}

// bytes returns the next n bytes of the program, nil if it has failed.
func (m *machine) bytes(n uint64) []byte {
	if m.failed != nil {
		return nil
	}
	if n > uint64(m.Limit-m.at) {
		m.fail("%d bytes, where %d are left of the limit of %d", n, m.Limit-m.at, m.Limit)
		return nil
	}
	// In pieces, so that a length that is a lie costs no more than what follows.
	var text []byte
	for uint64(len(text)) < n {
		piece := make([]byte, min(n-uint64(len(text)), 1<<16))
		if _, err := io.ReadFull(m.In, piece); err != nil {
			m.fail("ends too early: %w", noEOF(err))
			return nil
		}
		text = append(text, piece...)
	}
	m.at += int64(n)
	return text
}

// noEOF turns the end of the file into an unexpected one.
func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (m *machine) byte() byte {
	if m.failed != nil {
		return 0
	}
	if m.at == m.Limit {
		m.fail("longer than the limit of %d bytes", m.Limit)
		return 0
	}
	b, err := m.In.ReadByte()
	if err != nil {
		m.fail("ends too early: %w", noEOF(err))
		return 0
	}
	m.at++
	return b
}

// unsigned reads a little-endian number of the given width.
func (m *machine) unsigned(width uint64) (n uint64) {
	for i, b := range m.bytes(width) {
		n |= uint64(b) << (8 * i)
	}
	return n
}

func (m *machine) push(value any) { m.stack = append(m.stack, value) }

// pop takes the topmost value, which must stand above the last mark.
func (m *machine) pop() any {
	floor := 0
	if len(m.marks) > 0 {
		floor = m.marks[len(m.marks)-1]
	}
	if len(m.stack) <= floor {
		m.fail("the stack is empty")
		return nil
	}
	top := m.stack[len(m.stack)-1]
	m.stack = m.stack[:len(m.stack)-1]
	return top
}

// top is the topmost value, which stays.
func (m *machine) top() any {
	value := m.pop()
	if m.failed == nil {
		m.push(value)
	}
	return value
}

// popMark takes the last mark and a copy of the values above it.
func (m *machine) popMark() Tuple {
	if len(m.marks) == 0 {
		m.fail("there is no mark")
		return nil
	}
	floor := m.marks[len(m.marks)-1]
	m.marks = m.marks[:len(m.marks)-1]
	items := append(Tuple{}, m.stack[floor:]...)
	m.stack = m.stack[:floor]
	return items
}

// popTuple takes the n topmost values.
func (m *machine) popTuple(n int) Tuple {
	items := make(Tuple, n)
	for i := range items {
		items[n-1-i] = m.pop()
	}
	return items
}
