package pickle

import (
	"bytes"
	"math"
	"math/big"
	"slices"
	"unicode/utf8"
)

// operation is an instruction under the name that pickletools gives it.
type operation struct {
	name string
	run  func(*machine)
}

// operations are the instructions by their code.
var operations = map[byte]operation{
	0x80: {"PROTO", (*machine).protocol},
	0x95: {"FRAME", func(m *machine) { m.bytes(8) }}, // the length of a read-ahead, of no meaning here
	'.':  {"STOP", (*machine).stop},
	'0':  {"POP", func(m *machine) { m.pop() }},
	'(':  {"MARK", func(m *machine) { m.marks = append(m.marks, len(m.stack)) }},

	'N':  {"NONE", func(m *machine) { m.push(nil) }},
	0x88: {"NEWTRUE", func(m *machine) { m.push(true) }},
	0x89: {"NEWFALSE", func(m *machine) { m.push(false) }},
	'K':  {"BININT1", func(m *machine) { m.push(int64(m.unsigned(1))) }},
	'M':  {"BININT2", func(m *machine) { m.push(int64(m.unsigned(2))) }},
	'J':  {"BININT", func(m *machine) { m.push(int64(int32(m.unsigned(4)))) }},
	0x8a: {"LONG1", func(m *machine) { m.long(m.unsigned(1)) }},
	0x8b: {"LONG4", func(m *machine) { m.long(m.unsigned(4)) }},
	'G':  {"BINFLOAT", (*machine).float},
	'X':  {"BINUNICODE", func(m *machine) { m.text(4) }},
	0x8c: {"SHORT_BINUNICODE", func(m *machine) { m.text(1) }},
	0x8d: {"BINUNICODE8", func(m *machine) { m.text(8) }},
	'T':  {"BINSTRING", func(m *machine) { m.text(4) }}, // Python 2's strings, of which PyTorch wrote only ASCII ones
	'U':  {"SHORT_BINSTRING", func(m *machine) { m.text(1) }},
	'B':  {"BINBYTES", func(m *machine) { m.push(m.bytes(m.unsigned(4))) }},
	'C':  {"SHORT_BINBYTES", func(m *machine) { m.push(m.bytes(m.unsigned(1))) }},
	0x8e: {"BINBYTES8", func(m *machine) { m.push(m.bytes(m.unsigned(8))) }},

	')':  {"EMPTY_TUPLE", func(m *machine) { m.push(Tuple{}) }},
	't':  {"TUPLE", func(m *machine) { m.push(m.popMark()) }},
	0x85: {"TUPLE1", func(m *machine) { m.push(m.popTuple(1)) }},
	0x86: {"TUPLE2", func(m *machine) { m.push(m.popTuple(2)) }},
	0x87: {"TUPLE3", func(m *machine) { m.push(m.popTuple(3)) }},
	']':  {"EMPTY_LIST", func(m *machine) { m.push(&List{}) }},
	'a':  {"APPEND", func(m *machine) { m.extend(m.popTuple(1)) }},
	'e':  {"APPENDS", func(m *machine) { m.extend(m.popMark()) }},
	'}':  {"EMPTY_DICT", func(m *machine) { m.push(&Dict{}) }},
	's':  {"SETITEM", func(m *machine) { m.setItems(m.popTuple(2)) }},
	'u':  {"SETITEMS", func(m *machine) { m.setItems(m.popMark()) }},

	'q':  {"BINPUT", func(m *machine) { m.memo[m.unsigned(1)] = m.top() }},
	'r':  {"LONG_BINPUT", func(m *machine) { m.memo[m.unsigned(4)] = m.top() }},
	0x94: {"MEMOIZE", func(m *machine) { m.memo[uint64(len(m.memo))] = m.top() }},
	'h':  {"BINGET", func(m *machine) { m.recall(m.unsigned(1)) }},
	'j':  {"LONG_BINGET", func(m *machine) { m.recall(m.unsigned(4)) }},

	'c':  {"GLOBAL", func(m *machine) { m.global(m.line(), m.line()) }},
	0x93: {"STACK_GLOBAL", (*machine).stackGlobal},
	'R':  {"REDUCE", (*machine).reduce},
	'b':  {"BUILD", (*machine).build},
	'Q':  {"BINPERSID", (*machine).persistent},
}

// lastProtocol is the highest protocol that there is.
const lastProtocol = 5

func (m *machine) protocol() {
	if p := m.unsigned(1); p < 2 || p > lastProtocol {
		m.fail("protocol %d is not between 2 and %d", p, lastProtocol)
	}
}

func (m *machine) stop() {
	m.result, m.stopped = m.pop(), true
	if len(m.stack) > 0 || len(m.marks) > 0 {
		m.fail("%d values and %d marks are left on the stack", len(m.stack), len(m.marks))
	}
}

// maxLong bounds an integer's bytes; PyTorch's longest, the magic number of its old files, has 10.
const maxLong = 64

// long reads an integer in two's complement.
func (m *machine) long(size uint64) {
	if size > maxLong {
		m.fail("an integer of %d bytes, the limit is %d", size, maxLong)
		return
	}
	text := m.bytes(size)
	slices.Reverse(text) // big-endian
	n := new(big.Int).SetBytes(text)
	if len(text) > 0 && text[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(text))))
	}
	if n.IsInt64() {
		m.push(n.Int64())
		return
	}
	m.push(n)
}

// float reads a double, the only big-endian number of the format.
func (m *machine) float() {
	bits := uint64(0)
	for _, b := range m.bytes(8) {
		bits = bits<<8 | uint64(b)
	}
	m.push(math.Float64frombits(bits))
}

// text reads a string whose length takes the given number of bytes.
func (m *machine) text(width uint64) {
	text := m.bytes(m.unsigned(width))
	if !utf8.Valid(text) {
		m.fail("a string that is not UTF-8")
	}
	m.push(string(text))
}

// line reads up to the next line feed.
func (m *machine) line() string {
	var line []byte
	for m.failed == nil && len(line) <= maxKey {
		b := m.byte()
		if b == '\n' {
			return string(bytes.ToValidUTF8(line, []byte("?")))
		}
		line = append(line, b)
	}
	m.fail("a name of more than %d bytes", maxKey)
	return ""
}

func (m *machine) extend(items Tuple) {
	list, ok := m.top().(*List)
	if !ok {
		m.fail("no list to append to")
		return
	}
	list.Items = append(list.Items, items...)
}

func (m *machine) setItems(items Tuple) {
	dict, ok := m.top().(*Dict)
	if !ok || len(items)%2 != 0 {
		m.fail("%d values for the keys of a %T", len(items), m.top())
		return
	}
	for i := 0; i < len(items); i += 2 {
		if !dict.Set(items[i], items[i+1]) {
			m.fail("a %T cannot be a key, nor can a string of more than %d bytes", items[i], maxKey)
			return
		}
	}
}

func (m *machine) recall(place uint64) {
	value, ok := m.memo[place]
	if !ok {
		m.fail("nothing was stored as %d", place)
	}
	m.push(value)
}

// global pushes what a name stands for, if it is in the table.
func (m *machine) global(module, name string) {
	if m.failed != nil {
		return
	}
	value, ok := m.Globals[module+"."+name]
	if !ok {
		m.fail("the pickle names %q, which is not allowed", module+"."+name)
	}
	m.push(value)
}

func (m *machine) stackGlobal() {
	names := m.popTuple(2)
	module, ok1 := names[0].(string)
	name, ok2 := names[1].(string)
	if !ok1 || !ok2 {
		m.fail("a name that is a %T and a %T", names[0], names[1])
	}
	m.global(module, name)
}

// reduce calls a function.
func (m *machine) reduce() {
	args, ok := m.pop().(Tuple)
	call, callable := m.pop().(Func)
	if !ok || !callable {
		m.fail("a call of what is no function")
		return
	}
	value, err := call(args)
	if err != nil {
		m.fail("%w", err)
	}
	m.push(value)
}

// build leaves the attributes of a dictionary out: PyTorch's state_dicts carry versions of their modules there.
func (m *machine) build() {
	m.pop()
	if _, ok := m.top().(*Dict); !ok {
		m.fail("attributes of a %T", m.top())
	}
}

func (m *machine) persistent() {
	id := m.pop()
	if m.failed != nil {
		return
	}
	if m.Persistent == nil {
		m.fail("a reference to something outside")
		return
	}
	value, err := m.Persistent(id)
	if err != nil {
		m.fail("%w", err)
	}
	m.push(value)
}
