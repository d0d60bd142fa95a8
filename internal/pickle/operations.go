package pickle

// operation is an instruction under the name that pickletools gives it.
type operation struct {
	name string
	run  func(*machine)
}

// operations are the instructions by their code. The values that follow a code in protocols 0 and 1 are lines
// of text.
var operations = [256]operation{
	0x80: {"PROTO", (*machine).protocol},
	0x95: {"FRAME", func(m *machine) { m.bytes(8) }}, // the length of a read-ahead, of no meaning here
	'.':  {"STOP", (*machine).stop},
	'0':  {"POP", func(m *machine) { m.pop() }},
	'1':  {"POP_MARK", func(m *machine) { m.popMark() }},
	'2':  {"DUP", func(m *machine) { m.push(m.top()) }},
	'(':  {"MARK", func(m *machine) { m.marks = append(m.marks, len(m.stack)) }},

	'N':  {"NONE", func(m *machine) { m.push(nil) }},
	0x88: {"NEWTRUE", func(m *machine) { m.push(true) }},
	0x89: {"NEWFALSE", func(m *machine) { m.push(false) }},
	'I':  {"INT", (*machine).decimal},
	'L':  {"LONG", (*machine).decimal},
	'K':  {"BININT1", func(m *machine) { m.push(int64(m.unsigned(1))) }},
	'M':  {"BININT2", func(m *machine) { m.push(int64(m.unsigned(2))) }},
	'J':  {"BININT", func(m *machine) { m.push(int64(int32(m.unsigned(4)))) }},
	0x8a: {"LONG1", func(m *machine) { m.long(m.unsigned(1)) }},
	0x8b: {"LONG4", func(m *machine) { m.long(m.unsigned(4)) }},
	'F':  {"FLOAT", (*machine).decimalFloat},
	'G':  {"BINFLOAT", (*machine).float},
	'S':  {"STRING", (*machine).quoted},
	'T':  {"BINSTRING", func(m *machine) { m.oldString(m.bytes(m.unsigned(4))) }},
	'U':  {"SHORT_BINSTRING", func(m *machine) { m.oldString(m.bytes(m.unsigned(1))) }},
	'V':  {"UNICODE", (*machine).escaped},
	'X':  {"BINUNICODE", func(m *machine) { m.text(4) }},
	0x8c: {"SHORT_BINUNICODE", func(m *machine) { m.text(1) }},
	0x8d: {"BINUNICODE8", func(m *machine) { m.text(8) }},
	'B':  {"BINBYTES", func(m *machine) { m.push(m.bytes(m.unsigned(4))) }},
	'C':  {"SHORT_BINBYTES", func(m *machine) { m.push(m.bytes(m.unsigned(1))) }},
	0x8e: {"BINBYTES8", func(m *machine) { m.push(m.bytes(m.unsigned(8))) }},
	0x96: {"BYTEARRAY8", func(m *machine) { m.push(m.bytes(m.unsigned(8))) }},
	0x98: {"READONLY_BUFFER", func(m *machine) { m.top() }},

	')':  {"EMPTY_TUPLE", func(m *machine) { m.push(Tuple{}) }},
	't':  {"TUPLE", func(m *machine) { m.push(m.popMark()) }},
	0x85: {"TUPLE1", func(m *machine) { m.push(m.popTuple(1)) }},
	0x86: {"TUPLE2", func(m *machine) { m.push(m.popTuple(2)) }},
	0x87: {"TUPLE3", func(m *machine) { m.push(m.popTuple(3)) }},
	']':  {"EMPTY_LIST", func(m *machine) { m.push(&List{}) }},
	'l':  {"LIST", func(m *machine) { m.push(&List{Items: m.popMark()}) }},
	'a':  {"APPEND", func(m *machine) { m.extend(m.popTuple(1)) }},
	'e':  {"APPENDS", func(m *machine) { m.extend(m.popMark()) }},
	'}':  {"EMPTY_DICT", func(m *machine) { m.push(&Dict{}) }},
	'd':  {"DICT", (*machine).dict},
	's':  {"SETITEM", func(m *machine) { m.setItems(m.popTuple(2)) }},
	'u':  {"SETITEMS", func(m *machine) { m.setItems(m.popMark()) }},
	0x8f: {"EMPTY_SET", func(m *machine) { m.push(&List{}) }},
	0x90: {"ADDITEMS", func(m *machine) { m.extend(m.popMark()) }},
	0x91: {"FROZENSET", func(m *machine) { m.push(m.popMark()) }},

	'p':  {"PUT", func(m *machine) { m.memo[m.place()] = m.top() }},
	'q':  {"BINPUT", func(m *machine) { m.memo[m.unsigned(1)] = m.top() }},
	'r':  {"LONG_BINPUT", func(m *machine) { m.memo[m.unsigned(4)] = m.top() }},
	0x94: {"MEMOIZE", func(m *machine) { m.memo[uint64(len(m.memo))] = m.top() }},
	'g':  {"GET", func(m *machine) { m.recall(m.place()) }},
	'h':  {"BINGET", func(m *machine) { m.recall(m.unsigned(1)) }},
	'j':  {"LONG_BINGET", func(m *machine) { m.recall(m.unsigned(4)) }},

	'c':  {"GLOBAL", func(m *machine) { m.push(m.lookUp()) }},
	0x93: {"STACK_GLOBAL", (*machine).stackGlobal},
	0x82: {"EXT1", func(m *machine) { m.extension(1) }},
	0x83: {"EXT2", func(m *machine) { m.extension(2) }},
	0x84: {"EXT4", func(m *machine) { m.extension(4) }},
	'R':  {"REDUCE", (*machine).reduce},
	0x81: {"NEWOBJ", func(m *machine) { args := m.pop(); m.instance(m.pop(), args) }},
	0x92: {"NEWOBJ_EX", (*machine).newWithKeywords},
	'i':  {"INST", func(m *machine) { class := m.lookUp(); m.instance(class, m.popMark()) }},
	'o':  {"OBJ", (*machine).object},
	'b':  {"BUILD", (*machine).build},
	'P':  {"PERSID", func(m *machine) { m.persistent(string(m.line())) }},
	'Q':  {"BINPERSID", func(m *machine) { m.persistent(m.pop()) }},
}

// lastProtocol is the highest protocol that there is.
const lastProtocol = 5

func (m *machine) protocol() {
	if p := m.unsigned(1); p > lastProtocol {
		m.fail("protocol %d is not between 0 and %d", p, lastProtocol)
	}
}

func (m *machine) stop() {
	m.result, m.stopped = m.pop(), true
	if len(m.stack) > 0 || len(m.marks) > 0 {
		m.fail("%d values and %d marks are left on the stack", len(m.stack), len(m.marks))
	}
}

func (m *machine) extend(items Tuple) {
	var list *List
	switch v := m.top().(type) {
	case *List:
		list = v
	case *Object:
		list = &v.Items
	default:
		m.fail("no list to append to")
		return
	}
	list.Items = append(list.Items, items...)
}

func (m *machine) dict() {
	items := m.popMark()
	m.push(&Dict{})
	m.setItems(items)
}

// keyShare is the part of a key's bytes that is charged each time the key is looked up: the time to hash so
// many bytes is that of an instruction.
const keyShare = 16

func (m *machine) setItems(items Tuple) {
	var dict *Dict
	switch v := m.top().(type) {
	case *Dict:
		dict = v
	case *Object:
		dict = &v.Values
	}
	if dict == nil || len(items)%2 != 0 {
		m.fail("%d values for the keys of a %T", len(items), m.top())
		return
	}
	for i := 0; i < len(items) && m.failed == nil; i += 2 {
		if key, ok := items[i].(string); ok {
			m.charge(len(key) / keyShare)
		}
		dict.Set(items[i], items[i+1])
	}
}

func (m *machine) recall(place uint64) {
	value, ok := m.memo[place]
	if !ok {
		m.fail("nothing was stored as %d", place)
	}
	m.push(value)
}

func (m *machine) persistent(id any) {
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
