package tfevents

import (
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

var sample = []Event{
	{time.UnixMicro(1_700_000_000_250_000), 1, []Scalar{{"train/loss", 2.5}, {"train/accuracy", 0.125}}},
	{time.UnixMicro(1_700_000_001_500_000), 300, []Scalar{{"train/loss", -1e-3}}},
	{time.UnixMicro(1_700_000_002_000_000), 1 << 40, nil},
}

func all(Event) bool { return true }

// write appends events to a file.
func write(t testing.TB, path string, keep func(Event) bool, events ...Event) {
	t.Helper()
	w, err := Open(path, keep)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if err := w.Append(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Sync(); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// read returns the events with their values as float32 rounds them.
func read(t testing.TB, path string) []Event {
	t.Helper()
	events, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return events
}

// rounded is the events as they are read again.
func rounded(events []Event) []Event {
	var list []Event
	for _, e := range events {
		copied := Event{Wall: e.Wall, Step: e.Step}
		for _, s := range e.Scalars {
			copied.Scalars = append(copied.Scalars, Scalar{s.Tag, float64(float32(s.Value))})
		}
		list = append(list, copied)
	}
	return list
}

func TestRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events.out.tfevents.test")
	write(t, path, all, sample...)
	write(t, path, all, sample[0]) // later, to the same file
	if got, want := read(t, path), rounded(append(sample[:3:3], sample[0])); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// The bytes, by hand: CRC-32C of "123456789" is e3069283 by its definition's check value.
func TestBytes(t *testing.T) {
	if c := masked([]byte("123456789")); c != (0xe3069283>>15|0xe3069283<<17&0xffffffff)+0xa282ead8 {
		t.Errorf("%x", c)
	}
	got := hex.EncodeToString(encode(Event{time.UnixMicro(1_500_000), 300, []Scalar{{"ab", 1}}}))
	want := "09" + "000000000000f83f" + // wall_time 1.5
		"10" + "ac02" + // step 300
		"2a" + "0b" + "0a" + "09" + "0a02" + "6162" + "15" + "0000803f"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if record := frame([]byte("abc")); len(record) != 19 || record[0] != 3 || string(record[12:15]) != "abc" {
		t.Errorf("% x", record)
	}
}

// TestCutAndDamaged: a file truncated anywhere, or with any byte changed, is continued after its last whole
// event.
func TestCutAndDamaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events.out.tfevents.test")
	write(t, path, all, sample...)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head := len(frame(appendVersion(nil, time.Now())))
	next := Event{time.UnixMicro(5_000_000), 7, []Scalar{{"x", 1}}}
	ends := []int{head} // of the whole events
	for _, e := range sample {
		ends = append(ends, ends[len(ends)-1]+len(frame(encode(e))))
	}
	intact := func(at int) (n int) { // events before a byte
		for ; n < len(sample) && ends[n+1] <= at; n++ {
		}
		return n
	}
	for at := range whole {
		cut := whole[:at]
		if err := os.WriteFile(path, cut, 0o666); err != nil {
			t.Fatal(err)
		}
		write(t, path, all, next)
		if got, want := read(t, path), rounded(append(sample[:intact(at):intact(at)],
			next)); !reflect.DeepEqual(got, want) {
			t.Fatalf("cut at %d: %v, want %v", at, got, want)
		}
		damaged := append([]byte(nil), whole...)
		damaged[at] ^= 0x40
		if err := os.WriteFile(path, damaged, 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Fatalf("byte %d changed: %v", at, err)
		}
		if at < head {
			if _, err := Open(path, all); err == nil || !strings.Contains(err.Error(), path) {
				t.Fatalf("byte %d changed: %v", at, err)
			}
			continue
		}
		write(t, path, all, next)
		if got, want := read(t, path), rounded(append(sample[:intact(at):intact(at)],
			next)); !reflect.DeepEqual(got, want) {
			t.Fatalf("byte %d changed: %v, want %v", at, got, want)
		}
	}
}

// TestKeep: an event that is not to be kept is removed, and all after it.
func TestKeep(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events.out.tfevents.test")
	write(t, path, all, sample[0], sample[1], sample[0])
	write(t, path, func(e Event) bool { return e.Step < 300 }, sample[2])
	if got, want := read(t, path), rounded([]Event{sample[0], sample[2]}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestForeignFile: a file of another kind is not changed.
func TestForeignFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events.out.tfevents.test")
	text := strings.Repeat("notes of mine\n", 10)
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, all); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("opened: %v", err)
	}
	if _, err := Read(path); err == nil {
		t.Error("read")
	}
	if content, err := os.ReadFile(path); err != nil || string(content) != text {
		t.Errorf("%q, %v", content, err)
	}
	if _, err := Open(t.TempDir(), all); err == nil {
		t.Error("a folder was opened")
	}
}

// reader is a reader of the format in Python that shares nothing with this package: CRC bit by bit, fields by
// a walk.
const reader = `
import struct, sys
def crc(data):
    c = 0xffffffff
    for byte in data:
        c ^= byte
        for _ in range(8):
            c = c >> 1 ^ (0x82f63b78 if c & 1 else 0)
    c ^= 0xffffffff
    return ((c >> 15 | c << 17) + 0xa282ead8) & 0xffffffff
def varint(b, i):
    n = shift = 0
    while True:
        n |= (b[i] & 127) << shift; shift += 7; i += 1
        if b[i-1] < 128: return n, i
def fields(b):
    i = 0
    while i < len(b):
        key, i = varint(b, i)
        if key & 7 == 0: v, i = varint(b, i)
        elif key & 7 == 1: v = struct.unpack_from('<d', b, i)[0]; i += 8
        elif key & 7 == 5: v = struct.unpack_from('<f', b, i)[0]; i += 4
        else:
            n, i = varint(b, i); v = b[i:i+n]; i += n
        yield key >> 3, v
f = open(sys.argv[1], 'rb').read()
at = 0
while at < len(f):
    n, check = struct.unpack_from('<QI', f, at)
    assert crc(f[at:at+8]) == check
    data = f[at+12:at+12+n]
    assert crc(data) == struct.unpack_from('<I', f, at+12+n)[0]
    at += 16 + n
    e = dict(fields(data))
    if 3 in e: print(e[3].decode()); continue
    line = '%.2f %d' % (e[1], e[2])
    for _, value in fields(e[5]):
        v = dict(fields(value)); line += ' %s=%.6g' % (v[1].decode(), v[2])
    print(line)
`

func TestForeignReader(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip(err)
	}
	path := filepath.Join(t.TempDir(), "events.out.tfevents.test")
	write(t, path, all, sample...)
	out, err := exec.Command(python, "-c", reader, path).CombinedOutput()
	want := "brain.Event:2\n" +
		"1700000000.25 1 train/loss=2.5 train/accuracy=0.125\n" +
		"1700000001.50 300 train/loss=-0.001\n" +
		"1700000002.00 1099511627776\n"
	if err != nil || string(out) != want {
		t.Errorf("%v, %s, want %s", err, out, want)
	}
}

func FuzzDecode(f *testing.F) {
	for _, e := range sample {
		f.Add(encode(e))
	}
	f.Add(appendVersion(nil, time.Now()))
	f.Add([]byte{0x2a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, event []byte) {
		fileVersion(event)
		if _, err := decode(event); err != nil {
			return
		}
		if data, rest, ok := next(append(frame(event), 1)); !ok || string(data) != string(event) ||
			len(rest) != 1 {
			t.Error("a record does not come back")
		}
	})
}

// A run that is continued from step 2 continues the file after the event of step 2.
func ExampleOpen() {
	folder, err := os.MkdirTemp("", "events")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "events.out.tfevents.example")
	for _, from := range []int64{0, 2} {
		w, err := Open(path, func(e Event) bool { return e.Step <= from })
		if err != nil {
			panic(err)
		}
		for step := from + 1; step <= 3; step++ {
			if err := w.Append(Event{time.Now(), step, []Scalar{{"loss", float64(from)}}}); err != nil {
				panic(err)
			}
		}
		w.Close()
	}
	events, err := Read(path)
	for _, e := range events {
		fmt.Println(e.Step, e.Scalars)
	}
	fmt.Println(err)
	// Output:
	// 1 [{loss 0}]
	// 2 [{loss 0}]
	// 3 [{loss 2}]
	// <nil>
}
