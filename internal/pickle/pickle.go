// Package pickle reads and writes Python's pickle format without running anything.
//
// A pickle is a program for a machine with a stack and a memo, one of whose instructions calls any Python
// function by its name: in Python, reading a pickle is running it. Here a name means what the caller's table
// says. A name that is not in the table ends the reading or, if the caller wants that, stands for itself:
// what the pickle makes of it is kept as data, an Object, and no code of that name exists here. Memory and
// time stay in proportion to the program, whatever it does.
//
// It is for foreign checkpoints. It knows all instructions of protocols 0 to 5 but those for memory outside
// the pickle, and nothing of tensors.
//
// Format: Lib/pickletools.py of Python's standard library.
package pickle

import (
	"bufio"
	"fmt"
)

// The values of a pickle are nil for None, bool, int64, *big.Int for integers beyond it, float64, string,
// []byte, Tuple, *List, *Dict, Global for names that Decoder.Unknown allows, *Object for what is made of
// them, and what the caller's functions return.
type (
	// Tuple is a Python tuple, or a frozenset.
	Tuple []any
	// List is a Python list, or a set.
	List struct{ Items []any }
	// Entry is a key of a dictionary and its value.
	Entry struct{ Key, Value any }
	// Func is a function that a pickle may call. Its time and memory must be within the size of its
	// arguments.
	Func func(args Tuple) (any, error)
	// Builder is a value that takes a state, what Python calls __setstate__.
	Builder interface{ Build(state any) error }
)

// Global is a name, of a module and of something in it.
type Global struct{ Module, Name string }

func (g Global) String() string { return g.Module + "." + g.Name }

// Object is what a pickle makes of a class, or has a function make, that is not in the table. Nothing was
// called for it.
type Object struct {
	Class  Global
	Args   Tuple // of an instance; nil for the result of a function, whose arguments say nothing of what is in it
	State  any   // the attributes, mostly a *Dict, or a Tuple with one
	Items  List  // what was appended to it, as to a subclass of list
	Values Dict  // what was put into it under keys, as into a subclass of dict
}

// Dict is a Python dictionary, in the order in which the keys came.
type Dict struct {
	Entries []Entry
	places  map[any]int
}

// maxKey bounds the bytes of a key that is looked up.
const maxKey = 4096

// Set gives a key its value. A key that is neither a string of at most 4096 bytes nor a number, a bool or nil
// is not looked up: setting it twice makes two entries.
func (d *Dict) Set(key, value any) {
	if !indexed(key) {
		d.Entries = append(d.Entries, Entry{key, value})
		return
	}
	if at, ok := d.places[key]; ok {
		d.Entries[at].Value = value
		return
	}
	if d.places == nil {
		d.places = map[any]int{}
	}
	d.places[key] = len(d.Entries)
	d.Entries = append(d.Entries, Entry{key, value})
}

func indexed(key any) bool {
	switch k := key.(type) {
	case string:
		return len(k) <= maxKey
	case int64, float64, bool, nil:
		return true
	}
	return false
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
	// Unknown is asked about each name that Globals lacks: an error refuses it. If Unknown is nil, each is
	// refused.
	Unknown func(Global) error
	// Persistent returns what a reference to something outside the pickle stands for; nil allows none.
	Persistent func(id any) (any, error)
}

// Decode reads one pickle. Globals says what its names, "module.name", stand for: a Func can be called,
// anything else is a value. Errors tell the byte and the instruction.
func (d *Decoder) Decode() (value any, err error) {
	m := &machine{Decoder: d, memo: map[uint64]any{}}
	for !m.stopped {
		at := m.at
		code := m.byte()
		if m.failed != nil {
			return nil, fmt.Errorf("pickle, byte %d: %w", at, m.failed)
		}
		operation := &operations[code]
		if operation.run == nil {
			return nil, fmt.Errorf("pickle, byte %d: instruction %q is not supported", at, code)
		}
		operation.run(m)
		if m.failed != nil {
			return nil, fmt.Errorf("pickle, byte %d, %s: %w", at, operation.name, m.failed)
		}
	}
	return m.result, nil
}
