package pickle

import (
	"bytes"
	"fmt"
)

// lookUp reads a name from two lines and returns what it stands for.
func (m *machine) lookUp() any {
	module, name := m.line(), m.line()
	if len(module)+len(name) > maxKey {
		m.fail("a name of more than %d bytes", maxKey)
	}
	return m.global(string(bytes.ToValidUTF8(module, []byte("?"))), string(bytes.ToValidUTF8(name, []byte("?"))))
}

// global is what a name stands for.
func (m *machine) global(module, name string) any {
	if m.failed != nil {
		return nil
	}
	g := Global{module, name}
	m.charge((len(module) + len(name)) / keyShare)
	if value, ok := m.Globals[g.String()]; ok {
		return value
	}
	err := fmt.Errorf("the pickle names %q, which is not allowed", g)
	if m.Unknown != nil {
		err = m.Unknown(g)
	}
	if err != nil {
		m.fail("%w", err)
	}
	return g
}

func (m *machine) stackGlobal() {
	names := m.popTuple(2)
	module, ok1 := names[0].(string)
	name, ok2 := names[1].(string)
	if !ok1 || !ok2 {
		m.fail("a name that is a %T and a %T", names[0], names[1])
	} else if len(module)+len(name) > maxKey {
		m.fail("a name of more than %d bytes", maxKey)
	}
	m.push(m.global(module, name))
}

// extension pushes a class by its number in a registry that the writer and the reader would have to share.
func (m *machine) extension(width uint64) {
	g := Global{"copyreg", fmt.Sprintf("extension %d", m.unsigned(width))}
	if m.Unknown == nil {
		m.fail("the pickle names %q, which is not allowed", g)
	} else if err := m.Unknown(g); err != nil {
		m.fail("%w", err)
	}
	m.push(g)
}

// call calls a function of the table.
func (m *machine) call(f Func, args Tuple) {
	m.charge(len(args))
	for _, a := range args {
		m.charge(size(a))
	}
	if m.failed != nil {
		return
	}
	value, err := f(args)
	if err != nil {
		m.fail("%w", err)
	}
	m.push(value)
}

// reduce calls a function, or makes an Object for what an unknown one would have made. An attribute of an
// object may be called too, whatever it is.
func (m *machine) reduce() {
	args, ok := m.pop().(Tuple)
	switch f := m.pop().(type) {
	case Func:
		if ok {
			m.call(f, args)
			return
		}
	case Global:
		if ok {
			m.push(&Object{Class: f})
			return
		}
	case *Object:
		if ok {
			m.push(&Object{Class: f.Class})
			return
		}
	}
	m.fail("a call of what is no function")
}

// instance makes an instance of a class.
func (m *machine) instance(class, args any) {
	list, ok := args.(Tuple)
	if m.failed == nil && !ok {
		m.fail("arguments that are a %T", args)
	}
	if m.failed != nil {
		return
	}
	switch c := class.(type) {
	case Func:
		m.call(c, list)
	case Global:
		m.push(&Object{Class: c, Args: list})
	case *Object:
		m.push(&Object{Class: c.Class, Args: list})
	default:
		m.fail("an instance of what is no class")
	}
}

func (m *machine) newWithKeywords() {
	m.pop() // the arguments that have names
	args := m.pop()
	m.instance(m.pop(), args)
}

// object makes an instance of the class that stands above the mark, in front of its arguments.
func (m *machine) object() {
	items := m.popMark()
	if m.failed == nil && len(items) == 0 {
		m.fail("an instance of what is no class")
	}
	if m.failed != nil {
		return
	}
	m.instance(items[0], items[1:])
}

// build gives a value its state. Attributes of a dictionary or a list are left out: PyTorch's state_dicts
// carry versions of their modules there.
func (m *machine) build() {
	state := m.pop()
	switch v := m.top().(type) {
	case Builder:
		if err := v.Build(state); err != nil {
			m.fail("%w", err)
		}
	case *Object:
		v.State = state
	case nil, bool, int64, float64, string, []byte, Tuple, Func:
		m.fail("attributes of a %T", v)
	}
}
