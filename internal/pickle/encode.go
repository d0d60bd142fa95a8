package pickle

import (
	"encoding/binary"
	"fmt"
	"math"
)

// The values that only Encode knows.
type (
	// Reduce is the call of a function, and what is then put into the dictionary that it returns.
	Reduce struct {
		Func  Global
		Args  Tuple
		Items []Entry
	}
	// Persistent is a reference to something outside the pickle.
	Persistent struct{ ID any }
)

// Encode returns the pickle, of protocol 2, of a value made of nil, bool, int64 within 32 bits, float64,
// string, Tuple, Global, Reduce and Persistent. Anything else is the caller's bug, and a panic.
func Encode(value any) []byte {
	return append(appendValue([]byte{0x80, 2}, value), '.')
}

func appendValue(p []byte, value any) []byte {
	switch v := value.(type) {
	case nil:
		return append(p, 'N')
	case bool:
		if v {
			return append(p, 0x88)
		}
		return append(p, 0x89)
	case int64:
		if v != int64(int32(v)) {
			break
		}
		return binary.LittleEndian.AppendUint32(append(p, 'J'), uint32(int32(v)))
	case float64:
		return binary.BigEndian.AppendUint64(append(p, 'G'), math.Float64bits(v))
	case string:
		p = binary.LittleEndian.AppendUint32(append(p, 'X'), uint32(len(v)))
		return append(p, v...)
	case Tuple:
		p = append(p, '(')
		for _, item := range v {
			p = appendValue(p, item)
		}
		return append(p, 't')
	case Global:
		return append(p, "c"+v.Module+"\n"+v.Name+"\n"...)
	case Reduce:
		p = append(appendValue(appendValue(p, v.Func), v.Args), 'R')
		return appendItems(p, v.Items)
	case Persistent:
		return append(appendValue(p, v.ID), 'Q')
	}
	panic(fmt.Sprintf("pickle.Encode: %T %v", value, value))
}

func appendItems(p []byte, items []Entry) []byte {
	if len(items) == 0 {
		return p
	}
	p = append(p, '(')
	for _, e := range items {
		p = appendValue(appendValue(p, e.Key), e.Value)
	}
	return append(p, 'u')
}
