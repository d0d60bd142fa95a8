package pickle

import (
	"bufio"
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
)

// What Python 3.11's pickle.dumps wrote for one value in each protocol:
//
//	{'a': [1, -2, 2**70, True, None, 1.5, float('inf')], 'né\n\\': ('x', b'\x00\xff\'"'), 's': {3}, 'f': frozenset([4])}
var protocols = []string{

	"(dp0\nVa\np1\n(lp2\nI1\naI-2\naL1180591620717411303424L\naI01\naNaF1.5\naFinf\nasVn\xe9\\u000a\\u005c\np3\n(Vx\np4\nc_codecs\nencode\np5\n(V\\u0000\xff'\"\np6\nVlatin1\np7\ntp8\nRp9\ntp10\nsVs\np11\nc__builtin__\nset\np12\n((lp13\nI3\natp14\nRp15\nsVf\np16\nc__builtin__\nfrozenset\np17\n((lp18\nI4\natp19\nRp20\ns.",
	"}q\x00(X\x01\x00\x00\x00aq\x01]q\x02(K\x01J\xfe\xff\xff\xffL1180591620717411303424L\nI01\nNG?\xf8\x00\x00\x00\x00\x00\x00G\x7f\xf0\x00\x00\x00\x00\x00\x00eX\x05\x00\x00\x00n\xc3\xa9\n\\q\x03(X\x01\x00\x00\x00xq\x04c_codecs\nencode\nq\x05(X\x05\x00\x00\x00\x00\xc3\xbf'\"q\x06X\x06\x00\x00\x00latin1q\x07tq\x08Rq\x09tq\nX\x01\x00\x00\x00sq\x0bc__builtin__\nset\nq\x0c(]q\x0dK\x03atq\x0eRq\x0fX\x01\x00\x00\x00fq\x10c__builtin__\nfrozenset\nq\x11(]q\x12K\x04atq\x13Rq\x14u.",
	"\x80\x02}q\x00(X\x01\x00\x00\x00aq\x01]q\x02(K\x01J\xfe\xff\xff\xff\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00@\x88NG?\xf8\x00\x00\x00\x00\x00\x00G\x7f\xf0\x00\x00\x00\x00\x00\x00eX\x05\x00\x00\x00n\xc3\xa9\n\\q\x03X\x01\x00\x00\x00xq\x04c_codecs\nencode\nq\x05X\x05\x00\x00\x00\x00\xc3\xbf'\"q\x06X\x06\x00\x00\x00latin1q\x07\x86q\x08Rq\x09\x86q\nX\x01\x00\x00\x00sq\x0bc__builtin__\nset\nq\x0c]q\x0dK\x03a\x85q\x0eRq\x0fX\x01\x00\x00\x00fq\x10c__builtin__\nfrozenset\nq\x11]q\x12K\x04a\x85q\x13Rq\x14u.",
	"\x80\x03}q\x00(X\x01\x00\x00\x00aq\x01]q\x02(K\x01J\xfe\xff\xff\xff\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00@\x88NG?\xf8\x00\x00\x00\x00\x00\x00G\x7f\xf0\x00\x00\x00\x00\x00\x00eX\x05\x00\x00\x00n\xc3\xa9\n\\q\x03X\x01\x00\x00\x00xq\x04C\x04\x00\xff'\"q\x05\x86q\x06X\x01\x00\x00\x00sq\x07cbuiltins\nset\nq\x08]q\x09K\x03a\x85q\nRq\x0bX\x01\x00\x00\x00fq\x0ccbuiltins\nfrozenset\nq\x0d]q\x0eK\x04a\x85q\x0fRq\x10u.",
	"\x80\x04\x95[\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x01a\x94]\x94(K\x01J\xfe\xff\xff\xff\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00@\x88NG?\xf8\x00\x00\x00\x00\x00\x00G\x7f\xf0\x00\x00\x00\x00\x00\x00e\x8c\x05n\xc3\xa9\n\\\x94\x8c\x01x\x94C\x04\x00\xff'\"\x94\x86\x94\x8c\x01s\x94\x8f\x94(K\x03\x90\x8c\x01f\x94(K\x04\x91\x94u.",
	"\x80\x05\x95[\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x01a\x94]\x94(K\x01J\xfe\xff\xff\xff\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00@\x88NG?\xf8\x00\x00\x00\x00\x00\x00G\x7f\xf0\x00\x00\x00\x00\x00\x00e\x8c\x05n\xc3\xa9\n\\\x94\x8c\x01x\x94C\x04\x00\xff'\"\x94\x86\x94\x8c\x01s\x94\x8f\x94(K\x03\x90\x8c\x01f\x94(K\x04\x91\x94u.",
}

// tolerant decodes with the functions that bytes and sets need in old protocols; other names stand for
// themselves.
func tolerant(program string) (any, error) {
	set := Func(func(args Tuple) (any, error) {
		if len(args) == 0 {
			return &List{}, nil
		}
		return args[0], nil
	})
	d := Decoder{
		In: bufio.NewReader(strings.NewReader(program)), Limit: 1 << 30,
		Globals: map[string]any{"__builtin__.set": set, "builtins.set": set, "__builtin__.frozenset": set, "builtins.frozenset": set,
			"_codecs.encode": Func(func(args Tuple) (any, error) {
				if len(args) == 0 {
					return nil, errors.New("nothing to encode")
				}
				text, ok := args[0].(string)
				if !ok {
					return nil, errors.New("no text to encode")
				}
				var b []byte
				for _, r := range text {
					b = append(b, byte(r))
				}
				return b, nil
			})},
		Unknown: func(g Global) error {
			if g.Module == "posix" {
				return errors.New("not " + g.String())
			}
			return nil
		},
	}
	return d.Decode()
}

// Every protocol gives the same value.
func TestProtocols(t *testing.T) {
	large, _ := new(big.Int).SetString("1180591620717411303424", 10)
	for p, program := range protocols {
		got, err := tolerant(program)
		d, ok := got.(*Dict)
		if err != nil || !ok || len(d.Entries) != 4 {
			t.Fatalf("protocol %d: %v, %v", p, got, err)
		}
		list := d.Get("a").(*List).Items
		if !reflect.DeepEqual(list[:6], []any{int64(1), int64(-2), large, true, nil, 1.5}) || fmt.Sprint(list[6]) != "+Inf" {
			t.Errorf("protocol %d: list %v", p, list)
		}
		if pair := d.Get("né\n\\"); !reflect.DeepEqual(pair, Tuple{"x", []byte("\x00\xff'\"")}) {
			t.Errorf("protocol %d: pair %#v", p, pair)
		}
		if s := d.Get("s").(*List); !reflect.DeepEqual(s.Items, []any{int64(3)}) {
			t.Errorf("protocol %d: set %v", p, s)
		}
		if f := fmt.Sprint(d.Get("f")); f != "[4]" && f != "&{[4]}" {
			t.Errorf("protocol %d: frozenset %v", p, f)
		}
	}
}

// The instructions of protocols 0 and 1, and those that make objects.
func TestOldInstructions(t *testing.T) {
	class := Global{"m", "C"}
	for program, want := range map[string]any{
		"I01\n.": true, "I00\n.": false, "I-7\n.": int64(-7), "L5L\n.": int64(5), "F1e-3\n.": 1e-3, "F-inf\n.": nil,
		"S'a\\n\\x41\\101\\q'\n.": "a\nAA\\q", "S\"it's\"\n.": "it's", "S'\\xff'\n.": []byte{255}, "U\x01\xff.": []byte{255},
		"V\\u00e9\xe9\\U0001F600\\x\n.": "éé😀\\x", "N2\x86.": Tuple{nil, nil}, "N(NN1.": nil, "(I1\nI2\nl.": &List{Items: []any{int64(1), int64(2)}},
		"I9\np12\n0g12\n.": int64(9), "X\x03\x00\x00\x00\xed\xb2\x80.": "\uFFFD", "\x80\x00N.": nil, "\x8f(K\x01\x90.": &List{Items: []any{int64(1)}},
		"(K\x01\x91.": Tuple{int64(1)}, "\x96\x01\x00\x00\x00\x00\x00\x00\x00a\x98.": []byte("a"),
		"cm\nC\n.": class, "cm\nC\n)R.": &Object{Class: class}, "cm\nC\nK\x01\x85\x81.": &Object{Class: class, Args: Tuple{int64(1)}},
		"(im\nC\n.": &Object{Class: class, Args: Tuple{}}, "(cm\nC\nNo.": &Object{Class: class, Args: Tuple{nil}},
		"cm\nC\n)}\x92.": &Object{Class: class, Args: Tuple{}}, "cm\nC\n)\x81K\x05b.": &Object{Class: class, Args: Tuple{}, State: int64(5)},
		"cm\nC\n)RK\x01a.": &Object{Class: class, Items: List{Items: []any{int64(1)}}}, "cm\nC\n)R)R.": &Object{Class: class},
		"\x82\x07.": Global{"copyreg", "extension 7"}, "\x8a\x41" + strings.Repeat("\x01", 65) + ".": &Object{Class: tooLong},
		"L" + strings.Repeat("1", 200) + "L\n.": &Object{Class: tooLong},
	} {
		got, err := tolerant(program)
		if f, ok := got.(float64); ok && f < -1e300 {
			got = nil // an infinity
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%.30q is %#v, %v, want %#v", program, got, err, want)
		}
	}
	got, err := tolerant("cm\nC\n)\x81(\x8c\x01aK\x01)Nu.")
	if o, ok := got.(*Object); err != nil || !ok || o.Values.Get("a") != any(int64(1)) || len(o.Values.Entries) != 2 {
		t.Errorf("items of an object: %v, %v", got, err)
	}
	if _, err := tolerant("cposix\nsystem\n."); err == nil || !strings.Contains(err.Error(), "GLOBAL: not posix.system") {
		t.Errorf("a name that the caller refuses: %v", err)
	}
}

// bombs are programs whose work or memory grows faster than their length, each of about n bytes.
func bombs(n int) map[string]string {
	pairs := "]q\x00("
	for i := range n / 20 {
		pairs += fmt.Sprintf("](J%c%c%c%cK\x01e", byte(i), byte(i>>8), byte(i>>16), byte(i>>24))
	}
	pairs += "e"
	key := "X\x00\x10\x00\x00" + strings.Repeat("k", 4096) + "q\x010"
	text := fmt.Sprintf("X%c%c%c\x00%sq\x010", byte(n/2), byte(n/2>>8), byte(n/2>>16), strings.Repeat("a", n/2))
	copies := func(call string) string { return strings.Repeat(call, n/2/len(call)) }
	return map[string]string{
		"a list copied":        "cm\ncopy\nq\x020" + pairs + "0(" + copies("h\x02h\x00\x85R") + "t.",
		"a list copied to go":  "cm\ncopy\nq\x020" + pairs + "0" + copies("h\x02h\x00\x85R0") + "N.",
		"a long key":           key + "}" + copies("h\x01Ns") + ".",
		"a long text copied":   "cm\ncopy\nq\x020" + text + "(" + copies("h\x02h\x01\x85R") + "t.",
		"a long name":          "X\x00\x08\x00\x00" + strings.Repeat("m", 2048) + "q\x010" + copies("h\x01h\x01\x930") + "N.",
		"marks":                copies("(") + "N.",
		"dictionaries":         "(" + copies("}NNs") + "t.",
		"objects":              "cm\nC\nq\x010(" + copies("h\x01)R") + "t.",
		"places":               "N" + strings.Repeat("\x94", n) + ".",
		"the stack duplicated": "N(" + copies("2") + "t.",
		"lists in lists":       copies("]") + "N" + copies("a") + ".",
	}
}

// Work and memory are in proportion to the program's length, whatever it does.
func TestWorkIsBounded(t *testing.T) {
	const size = 200_000
	for name, program := range bombs(size) {
		d := Decoder{
			In: bufio.NewReader(strings.NewReader(program)), Limit: 1 << 30,
			Globals: map[string]any{"m.copy": Func(func(args Tuple) (any, error) {
				switch v := args[0].(type) {
				case string:
					return []byte(v), nil
				case *List:
					copied := &Dict{}
					for _, i := range v.Items {
						copied.Set(i.(*List).Items[0], i)
					}
					return copied, nil
				}
				return nil, errors.New("no argument")
			})},
			Unknown: func(Global) error { return nil },
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		_, _ = d.Decode()
		took := time.Since(start)
		runtime.ReadMemStats(&after)
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 400*uint64(len(program)) || took > 10*time.Second {
			t.Errorf("%s: %d bytes and %v for a program of %d bytes", name, grown, took, len(program))
		}
	}
}

// A reader that fails, such as one whose user has stopped the program, ends the reading.
func TestReaderFails(t *testing.T) {
	stopped := errors.New("stopped")
	for _, program := range []string{"(NNN", "X\xff\x00\x00\x00abc", "(Vabc", "cm"} {
		d := Decoder{In: bufio.NewReader(failing{strings.NewReader(program), stopped}), Limit: 1 << 20, Unknown: func(Global) error { return nil }}
		if _, err := d.Decode(); !errors.Is(err, stopped) {
			t.Errorf("%q: %v", program, err)
		}
	}
}

type failing struct {
	program *strings.Reader
	err     error
}

func (f failing) Read(p []byte) (int, error) {
	if f.program.Len() == 0 {
		return 0, f.err
	}
	return f.program.Read(p)
}

// No program brings the machine down, and none takes memory out of proportion.
func FuzzDecode(f *testing.F) {
	for _, p := range protocols {
		f.Add(p)
	}
	for _, program := range bombs(500) {
		f.Add(program)
	}
	f.Add("cm\nC\n)\x81(\x8c\x01aK\x01)Nu}b.")
	f.Fuzz(func(t *testing.T, program string) {
		if len(program) > 1<<16 {
			return
		}
		_, err := tolerant(program)
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("an error of two lines: %q", err)
		}
	})
}
