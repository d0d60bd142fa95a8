package tfevents

import (
	"encoding/binary"
	"errors"
	"math"
	"time"
)

// The fields that a file of scalars needs, of the messages that TensorFlow's event.proto and summary.proto
// define:
//
//	Event    1: wall_time double   2: step int64   3: file_version string   5: summary Summary
//	Summary  1: value Value, repeated
//	Value    1: tag string   2: simple_value float
//
// A field begins with its number times eight plus one of the kinds below. They are so few that training need not compile a library for
// them.
const (
	varint  = 0
	fixed64 = 1
	chunk   = 2 // a length and as many bytes
	fixed32 = 5
)

func appendVersion(b []byte, wall time.Time) []byte {
	return appendChunk(appendWall(b, wall), 3, []byte(version))
}

func appendWall(b []byte, wall time.Time) []byte {
	seconds := float64(wall.UnixMicro()) / 1e6
	return binary.LittleEndian.AppendUint64(append(b, 1<<3|fixed64), math.Float64bits(seconds))
}

func appendChunk(b []byte, field byte, data []byte) []byte {
	return append(binary.AppendUvarint(append(b, field<<3|chunk), uint64(len(data))), data...)
}

func encode(e Event) []byte {
	var summary []byte
	for _, s := range e.Scalars {
		value := appendChunk(nil, 1, []byte(s.Tag))
		value = binary.LittleEndian.AppendUint32(append(value, 2<<3|fixed32),
			math.Float32bits(float32(s.Value)))
		summary = appendChunk(summary, 1, value)
	}
	b := binary.AppendUvarint(append(appendWall(nil, e.Wall), 2<<3|varint), uint64(e.Step))
	return appendChunk(b, 5, summary)
}

var errWire = errors.New("a field that is incomplete or of an unknown kind")

// fields calls with for each field of a message: its number, and its value, a number or bytes.
func fields(message []byte, with func(field, number uint64, data []byte) error) error {
	for len(message) > 0 {
		key, n := binary.Uvarint(message)
		if n <= 0 {
			return errWire
		}
		message = message[n:]
		var number uint64
		var data []byte
		switch kind := key & 7; {
		case kind == varint:
			if number, n = binary.Uvarint(message); n <= 0 {
				return errWire
			}
			message = message[n:]
		case kind == fixed64 && len(message) >= 8:
			number, message = binary.LittleEndian.Uint64(message), message[8:]
		case kind == fixed32 && len(message) >= 4:
			number, message = uint64(binary.LittleEndian.Uint32(message)), message[4:]
		case kind == chunk:
			length, n := binary.Uvarint(message)
			if n <= 0 || length > uint64(len(message)-n) {
				return errWire
			}
			data, message = message[n:n+int(length)], message[n+int(length):]
		default:
			return errWire
		}
		if err := with(key>>3, number, data); err != nil {
			return err
		}
	}
	return nil
}

// fileVersion is the version in the first event of a file, "" if it has none.
func fileVersion(event []byte) (text string) {
	// An event that cannot be read has no version.
	_ = fields(event, func(field, _ uint64, data []byte) error {
		if field == 3 {
			text = string(data)
		}
		return nil
	})
	return text
}

func decode(event []byte) (e Event, err error) {
	err = fields(event, func(field, number uint64, data []byte) error {
		switch field {
		case 1:
			e.Wall = time.UnixMicro(int64(math.Float64frombits(number) * 1e6))
		case 2:
			e.Step = int64(number)
		case 5:
			return fields(data, func(_, _ uint64, value []byte) error {
				var s Scalar
				err := fields(value, func(field, number uint64, data []byte) error {
					switch field {
					case 1:
						s.Tag = string(data)
					case 2:
						s.Value = float64(math.Float32frombits(uint32(number)))
					}
					return nil
				})
				e.Scalars = append(e.Scalars, s)
				return err
			})
		}
		return nil
	})
	return e, err
}
