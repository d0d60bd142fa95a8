package pickle

import (
	"bufio"
	"errors"
	"fmt"
	"math"
	"math/big"
	"os/exec"
	"reflect"
	"runtime"
	"strings"
	"testing"
)

// decode reads one pickle with a few names.
func decode(program string) (any, error) {
	d := Decoder{
		In: bufio.NewReader(strings.NewReader(program)), Limit: 1 << 20,
		Globals: map[string]any{
			"m.pair":  Func(func(args Tuple) (any, error) { return append(Tuple{"pair"}, args...), nil }),
			"m.fail":  Func(func(Tuple) (any, error) { return nil, errors.New("it failed") }),
			"m.value": "a value",
		},
		Persistent: func(id any) (any, error) { return Tuple{"outside", id}, nil },
	}
	return d.Decode()
}

// Each instruction, written by hand from pickletools' descriptions.
func TestInstructions(t *testing.T) {
	long, _ := new(big.Int).SetString("-170141183460469231731687303715884105728", 10) // -2^127
	list := &List{Items: []any{int64(1), int64(2), int64(3)}}
	for program, want := range map[string]any{
		"N.": nil, "\x88.": true, "\x89.": false, "\x80\x05N.": nil, "\x95\x02\x00\x00\x00\x00\x00\x00\x00N.": nil,
		"K\xff.": int64(255), "M\x01\x02.": int64(513), "J\xfe\xff\xff\xff.": int64(-2), "J\x00\x00\x00\x80.": int64(math.MinInt32),
		"\x8a\x00.": int64(0), "\x8a\x01\xff.": int64(-1), "\x8a\x02\xff\x00.": int64(255), "\x8b\x01\x00\x00\x00\x80.": int64(-128),
		"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f.": int64(math.MaxInt64), "\x8a\x10" + strings.Repeat("\x00", 15) + "\x80.": long,
		"G\x3f\xf8\x00\x00\x00\x00\x00\x00.": 1.5, "G\x7f\xf0\x00\x00\x00\x00\x00\x00.": math.Inf(1),
		"X\x03\x00\x00\x00n\xc3\xa9.": "né", "\x8c\x01a.": "a", "\x8d\x01\x00\x00\x00\x00\x00\x00\x00a.": "a",
		"U\x01a.": "a", "T\x01\x00\x00\x00a.": "a", "X\x00\x00\x00\x00.": "",
		"C\x01\xff.": []byte{255}, "B\x01\x00\x00\x00\xff.": []byte{255}, "\x8e\x01\x00\x00\x00\x00\x00\x00\x00\xff.": []byte{255},
		").": Tuple{}, "(K\x01K\x02t.": Tuple{int64(1), int64(2)}, "K\x01\x85.": Tuple{int64(1)}, "K\x01K\x02\x86.": Tuple{int64(1), int64(2)},
		"K\x01K\x02K\x03\x87.": Tuple{int64(1), int64(2), int64(3)}, "((K\x01tK\x02t.": Tuple{Tuple{int64(1)}, int64(2)},
		"]K\x01a(K\x02K\x03e.": list, "]q\x07K\x01a0h\x07.": &List{Items: []any{int64(1)}}, "K\x01r\x00\x01\x00\x000j\x00\x01\x00\x00.": int64(1),
		"K\x01\x94K\x02\x940h\x00\x86.": Tuple{int64(1), int64(1)}, "K\x010N.": nil, "cm\nvalue\n.": "a value", "\x8c\x01m\x8c\x05value\x93.": "a value",
		"cm\npair\nK\x01\x85R.": Tuple{"pair", int64(1)}, "K\x05Q.": Tuple{"outside", int64(5)},
	} {
		got, err := decode(program)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q is %#v, %v, want %#v", program, got, err, want)
		}
	}
}

func TestDictionaries(t *testing.T) {
	got, err := decode("}K\x01K\x02s(\x8c\x01aN\x88K\x03K\x01K\x04u}b.")
	d, ok := got.(*Dict)
	if err != nil || !ok || fmt.Sprint(d.Entries) != "[{1 4} {a <nil>} {true 3}]" {
		t.Fatalf("%v, %v", got, err)
	}
	d.Set("c", 2.5)
	if d.Get("b") != nil || d.Get("c") != 2.5 {
		t.Error("Set or Get")
	}
}

func TestRefusals(t *testing.T) {
	for program, want := range map[string]string{
		"X\x02\x00\x00\x00n\xc3.":       "BINUNICODE: a string that is not UTF-8",
		"":                              "byte 0: ends too early",
		"K":                             "byte 0, BININT1: ends too early",
		"(.":                            "STOP: the stack is empty",
		"NN.":                           "STOP: 1 values and 0 marks are left",
		"N(0.":                          "byte 2, POP: the stack is empty",
		"t.":                            "TUPLE: there is no mark",
		"N\x86.":                        "TUPLE2: the stack is empty",
		"NNa.":                          "APPEND: no list",
		"N(Nu.":                         "SETITEMS: 1 values for the keys of a <nil>",
		"}(NNNu.":                       "SETITEMS: 3 values",
		"h\x03.":                        "BINGET: nothing was stored as 3",
		"q\x03.":                        "BINPUT: the stack is empty",
		"cos\nsystem\nX":                `GLOBAL: the pickle names "os.system", which is not allowed`,
		"\x8c\x02os\x8c\x06system\x93.": `"os.system", which is not allowed`,
		"NN\x93.":                       "a name that is a <nil> and a <nil>",
		"cm\n" + strings.Repeat("x", 5000) + "\n.": "a name of more than 4096 bytes",
		"cm\nvalue\n)R.":       "REDUCE: a call of what is no function",
		"cm\npair\nNR.":        "REDUCE: a call of what is no function",
		"cm\nfail\n)R.":        "REDUCE: it failed",
		"NNb.":                 "BUILD: attributes of a <nil>",
		"\x80\x06N.":           "protocol 6",
		"\x97.":                `instruction '\u0097' is not supported`, // a buffer that is not in the file
		"\x82\x01.":            `"copyreg.extension 1", which is not allowed`,
		"I1x\n.":               "INT: \"1x\" is not an integer",
		"I\n.":                 "INT: \"\" is not an integer",
		"F1,5\n.":              "FLOAT: \"1,5\" is not a number",
		"N2g1\n.":              "GET: nothing was stored as 1",
		"g-1\n.":               "GET: \"-1\" is not a place",
		"Sabc\n.":              "STRING: a string without quotes",
		"S'\n.":                "STRING: a string without quotes",
		"im\nvalue\n.":         "INST: there is no mark",
		"(o.":                  "OBJ: an instance of what is no class",
		"NN\x81.":              "NEWOBJ: arguments that are a <nil>",
		"N)\x81.":              "NEWOBJ: an instance of what is no class",
		"Pid\n":                "ends too early",
		"\x8b\xff\xff\xff\xff": "LONG4: 4294967295 bytes, where",
		"X\xff\xff\xff\xffabc": "BINUNICODE: 4294967295 bytes, where",
		"\x8e\xff\xff\xff\xff\xff\xff\xff\xffabc": "18446744073709551615 bytes, where",
		"X\x00\x00\x0f\x00abc":                    "BINUNICODE: ends too early: unexpected EOF",
		"C\x00" + strings.Repeat("0N", 1<<19):     "longer than the limit of 1048576 bytes",
	} {
		got, err := decode(program)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q is %v, %v, want an error that says %q", program, got, err, want)
		}
	}
	d := Decoder{In: bufio.NewReader(strings.NewReader("NQ.")), Limit: 10}
	if _, err := d.Decode(); err == nil || !strings.Contains(err.Error(), "outside") {
		t.Errorf("references where none are allowed: %v", err)
	}
}

// A length that is a lie costs no memory.
func TestLies(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	d := Decoder{In: bufio.NewReader(strings.NewReader("X\xff\xff\xff\xffabc")), Limit: 1 << 40}
	_, err := d.Decode()
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; err == nil || grown > 1<<20 {
		t.Errorf("error %v, %d bytes", err, grown)
	}
}

// Pickles that follow each other are read one by one.
func TestSequence(t *testing.T) {
	d := Decoder{In: bufio.NewReader(strings.NewReader("K\x01.K\x02.rest")), Limit: 10}
	for want := range int64(2) {
		if got, err := d.Decode(); err != nil || got != want+1 {
			t.Errorf("%v, %v, want %d", got, err, want+1)
		}
	}
	if rest, err := d.In.ReadString(0); rest != "rest" {
		t.Errorf("the rest is %q, %v", rest, err)
	}
}

// What is encoded is decoded, here and by Python, which is asked in its own words.
func TestEncode(t *testing.T) {
	call := Reduce{Global{"collections", "OrderedDict"}, Tuple{}, []Entry{{"a", int64(-1)}, {"né", Tuple{1.5, true, false, nil}}}}
	program := Encode(Tuple{call, Reduce{Func: Global{"collections", "OrderedDict"}, Args: Tuple{}}, int64(math.MaxInt32)})
	const script = "import pickle, sys; print(pickle.load(sys.stdin.buffer))"
	command := exec.Command("python3", "-c", script)
	command.Stdin = strings.NewReader(string(program))
	command.Env = append(command.Environ(), "PYTHONIOENCODING=utf-8")
	if out, err := command.Output(); err != nil {
		t.Logf("no Python: %v", err)
	} else if got := strings.NewReplacer("{", "", "}", "", "[", "", "]", "", "('a', -1)", "'a': -1", "('né', (1.5, True, False, None))", "'né': (1.5, True, False, None)").
		Replace(strings.TrimSpace(string(out))); got != "(OrderedDict('a': -1, 'né': (1.5, True, False, None)), OrderedDict(), 2147483647)" {
		t.Errorf("Python reads %s", out)
	}
	d := Decoder{In: bufio.NewReader(strings.NewReader(string(Encode(Tuple{"x", Persistent{Tuple{int64(7)}}, Global{"m", "v"}})))), Limit: 1000,
		Globals: map[string]any{"m.v": "value"}, Persistent: func(id any) (any, error) { return id, nil }}
	if got, err := d.Decode(); err != nil || !reflect.DeepEqual(got, Tuple{"x", Tuple{int64(7)}, "value"}) {
		t.Errorf("%v, %v", got, err)
	}
	defer func() {
		if r, ok := recover().(string); !ok || !strings.Contains(r, "pickle.Encode: int64") {
			t.Errorf("panic %v", r)
		}
	}()
	Encode(int64(math.MaxInt32 + 1))
}

func ExampleDecoder() {
	// What Python's pickle.dumps({"epoch": 3, "loss": [0.5]}, 2) gives.
	const program = "\x80\x02}q\x00(X\x05\x00\x00\x00epochq\x01K\x03X\x04\x00\x00\x00lossq\x02]q\x03G?\xe0\x00\x00\x00\x00\x00\x00au."
	d := Decoder{In: bufio.NewReader(strings.NewReader(program)), Limit: 1000}
	value, err := d.Decode()
	if err != nil {
		panic(err)
	}
	for _, e := range value.(*Dict).Entries {
		fmt.Println(e.Key, e.Value)
	}
	// A pickle that would run something is refused.
	d.In.Reset(strings.NewReader("cos\nsystem\nX\x02\x00\x00\x00ls\x85R."))
	_, err = d.Decode()
	fmt.Println(err)
	// Output:
	// epoch 3
	// loss &{[0.5]}
	// pickle, byte 0, GLOBAL: the pickle names "os.system", which is not allowed
}
