package pickle

import (
	"fmt"
	"io"
)

// machine runs a pickle. Its first failure is kept and ends the run after the instruction.
type machine struct {
	*Decoder
	at      int64 // bytes read
	work    int64 // what instructions cost beyond the bytes and values that they read
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

// Each instruction costs what it reads and takes from the stack, where each value was put by an instruction
// of its own. What a value from the memo costs in addition is charged: a program of two bytes more can have
// the same list copied once more. So much may be charged for each byte of the program, and in addition to
// begin with; honest pickles use the memo for keys and for values that they share, and copy nothing twice.
const (
	workPerByte = 2
	freeWork    = 1 << 12
)

// charge counts work.
func (m *machine) charge(work int) {
	if m.work += int64(work); m.work > freeWork+workPerByte*m.at {
		m.fail("more work than %d bytes can honestly ask for", m.at)
	}
}

// size is what it costs to read through a value, not counting what is in its elements.
func size(value any) int {
	switch v := value.(type) {
	case string:
		return len(v)
	case []byte:
		return len(v)
	case Tuple:
		return len(v)
	case *List:
		return 4 * len(v.Items) // a dictionary made of it takes that much more
	case *Dict:
		return len(v.Entries)
	}
	return 1
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
		if text == nil {
			text = piece
			continue
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

// line reads up to the next line feed, which it leaves out.
func (m *machine) line() []byte {
	var line []byte
	for m.failed == nil {
		b := m.byte()
		if b == '\n' {
			return line
		}
		line = append(line, b)
	}
	return nil
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
