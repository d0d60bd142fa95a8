package data

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"strings"
	"testing"
)

func sha(content []byte) [32]byte { return sha256.Sum256(content) }

// pickler writes pickles as Python's versions do: 2 is Python 2's and protocol 2, 3 is protocol 2 of Python 3,
// others are protocols of Python 3.
type pickler struct {
	bytes.Buffer
	version int
}

func newPickler(version int) *pickler {
	p := &pickler{version: version}
	p.WriteString("\x80" + string([]byte{map[int]byte{2: 2, 3: 2, 4: 4, 5: 5}[version]}))
	return p
}

func (p *pickler) long(code string, n int) {
	p.WriteString(code)
	p.Write(binary.LittleEndian.AppendUint32(nil, uint32(n)))
}

// raw writes bytes.
func (p *pickler) raw(content []byte) {
	switch p.version {
	case 2:
		p.long("T", len(content))
		p.Write(content)
	case 3: // _codecs.encode(text, "latin1")
		p.WriteString("c_codecs\nencode\n")
		var text strings.Builder
		for _, b := range content {
			text.WriteRune(rune(b))
		}
		p.text(text.String())
		p.text("latin1")
		p.WriteString("\x86R")
	default:
		p.long("B", len(content))
		p.Write(content)
	}
}

func (p *pickler) text(s string) {
	p.long("X", len(s))
	p.WriteString(s)
}

// array writes an array of bytes of N x 3072.
func (p *pickler) array(content []byte) {
	n := len(content) / ImageBytes
	element := func() { p.WriteString("cnumpy\ndtype\n"); p.text("u1"); p.WriteString("\x89\x88\x87R") }
	if p.version == 5 { // NumPy 2
		p.WriteString("cnumpy._core.numeric\n_frombuffer\n(\x96")
		p.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(content))))
		p.Write(content)
		element()
		p.long("J", n)
		p.long("J", ImageBytes)
		p.WriteString("\x86")
		p.text("C")
		p.WriteString("tR")
		return
	}
	p.WriteString("cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85")
	p.raw([]byte("b"))
	p.WriteString("\x87R(K\x01")
	p.long("J", n)
	p.long("J", ImageBytes)
	p.WriteString("\x86")
	element()
	p.WriteString("(K\x03")
	p.text("|")
	p.WriteString("NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89")
	p.raw(content)
	p.WriteString("tb")
}

func (p *pickler) labels(list []uint8) {
	p.WriteString("](")
	for _, label := range list {
		p.WriteString("K" + string([]byte{label}))
	}
	p.WriteString("e")
}

// pickled is a file of Python's form.
func pickled(t testing.TB, s *Set, version int) []byte {
	t.Helper()
	p := newPickler(version)
	p.WriteString("}(")
	p.raw([]byte("batch_label"))
	p.raw([]byte("training batch 1 of 5"))
	if s.Coarse != nil {
		p.raw([]byte("fine_labels"))
		p.labels(s.Labels)
		p.raw([]byte("coarse_labels"))
		p.labels(s.Coarse)
	} else {
		p.raw([]byte("labels"))
		p.labels(s.Labels)
	}
	p.raw([]byte("data"))
	p.array(s.Images)
	p.WriteString("u.")
	return p.Bytes()
}

// pickledMeta is the file of the names.
func pickledMeta(l *layout, version int) []byte {
	p := newPickler(version)
	p.WriteString("}(")
	p.raw([]byte(map[bool]string{false: "label_names", true: "fine_label_names"}[l.coarse > 0]))
	p.WriteString("](")
	for _, name := range l.classes {
		p.raw([]byte(name))
	}
	p.WriteString("eu.")
	return p.Bytes()
}

// Each version of Python's and NumPy's writes the same records.
func TestPickled(t *testing.T) {
	for _, l := range layouts {
		want := numberedSet(4, len(l.classes), l.coarse)
		for version := 2; version <= 5; version++ {
			content, got := pickled(t, want, version), &Set{}
			if err := readPickled(bytes.NewReader(content), int64(len(content)), l, got); err != nil {
				t.Errorf("%s, version %d: %v", l.name, version, err)
				continue
			}
			if !bytes.Equal(encodeRecords(t, got), encodeRecords(t, want)) {
				t.Errorf("%s, version %d: other records", l.name, version)
			}
			if names, err := pickledNames(pickledMeta(l, version)); err != nil || strings.Join(names, " ") != strings.Join(l.classes, " ") {
				t.Errorf("%s, version %d: %q, %v", l.name, version, names, err)
			}
		}
	}
}

// What is no file of CIFAR is told by what it lacks.
func TestPickledRefuses(t *testing.T) {
	good := string(pickled(t, numberedSet(2, 10, 0), 4))
	for says, content := range map[string]string{
		"under the key data":     strings.Replace(good, "B\x04\x00\x00\x00data", "B\x04\x00\x00\x00Data", 1),
		"0 labels of 2 images":   strings.Replace(good, "B\x06\x00\x00\x00labels", "B\x06\x00\x00\x00Labels", 1),
		"1 labels of 2 images":   strings.Replace(good, "K\x00K\x07e", "K\x00e", 1),
		"label 10 is outside":    strings.Replace(good, "K\x00K\x07e", "K\x00K\x0ae", 1),
		"label 1 is -1":          strings.Replace(good, "K\x00K\x07e", "K\x00J\xff\xff\xff\xffe", 1),
		"not one of bytes":       strings.Replace(good, "u1", "f8", 1),
		"of shape [3 3072]":      strings.Replace(good, "J\x02\x00\x00\x00J\x00\x0c", "J\x03\x00\x00\x00J\x00\x0c", 1),
		"Fortran":                strings.Replace(good, "tb\x89", "tb\x88", 1),
		"are left of the limit":  good[:len(good)-9],
		"else than a dictionary": "\x80\x04N.",
		"is not supported":       "\x80\x04\xff.",
		"another state":          strings.Replace(good, "(K\x01J", "(K\x01K\x01J", 1),
	} {
		if content == good {
			t.Errorf("%q: nothing was changed", says)
		}
		err := readPickled(strings.NewReader(content), int64(len(content)), layouts[0], &Set{})
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
}

// FuzzPickled: the reader panics on no input, and what it accepts are records that the other form takes too.
func FuzzPickled(f *testing.F) {
	for _, l := range layouts {
		for version := 2; version <= 5; version++ {
			f.Add(pickled(f, numberedSet(1, len(l.classes), l.coarse), version), l.coarse > 0)
		}
	}
	f.Fuzz(func(t *testing.T, content []byte, hundred bool) {
		l := layouts[0]
		if hundred {
			l = layouts[1]
		}
		set := &Set{}
		if err := readPickled(bytes.NewReader(content), int64(len(content)), l, set); err != nil {
			return
		}
		if err := readRecords(bytes.NewReader(encodeRecords(t, set)), l, &Set{}); err != nil {
			t.Error(err)
		}
	})
}
