package safetensors

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// raw puts a file together without looking at what is in it.
func raw(header, data string) []byte {
	return append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header+data...)
}

func TestHostileFiles(t *testing.T) {
	const eight = "\x00\x01\x02\x03\x04\x05\x06\x07"
	const f64 = `{"dtype":"F64","shape":[1],"data_offsets":`
	ok := string(raw(`{"w":`+f64+`[0,8]}}`, eight))
	for name, c := range map[string]struct{ file, says string }{
		"empty file":               {"", "0 bytes"},
		"cut in the length":        {ok[:5], "5 bytes"},
		"cut in the header":        {ok[:20], "header"},
		"cut in the data":          {ok[:len(ok)-1], `"w"`},
		"one byte too many":        {ok + "x", "1 bytes after"},
		"length 2^63":              {"\x00\x00\x00\x00\x00\x00\x00\x80{}", "limit"},
		"length 2^64-1":            {"\xff\xff\xff\xff\xff\xff\xff\xff{}", "limit"},
		"length beyond the file":   {"\x03\x00\x00\x00\x00\x00\x00\x00{}", "limit"},
		"no header":                {string(raw("", "")), "begin with {"},
		"header is a list":         {string(raw("[]", "")), "begin with {"},
		"header starts with space": {string(raw(" {}", "")), "begin with {"},
		"not JSON":                 {string(raw("{w}", "")), "header"},
		"unfinished JSON":          {string(raw(`{"w":`+f64+`[0,8]}`, eight)), "header"},
		"not UTF-8":                {string(raw("{\"\xff\":1}", "")), "UTF-8"},
		"text after the JSON":      {string(raw("{} {}", "")), "after the JSON"},
		"newline as padding":       {string(raw("{}\n", "")), "after the JSON"},
		"tensor twice":             {string(raw(`{"w":`+f64+`[0,8]},"w":`+f64+`[0,8]}}`, eight)), `"w" appears twice`},
		"same name, escaped":       {string(raw(`{"w":`+f64+`[0,8]},"\u0077":`+f64+`[0,8]}}`, eight)), `"w" appears twice`},
		"metadata twice":           {string(raw(`{"__metadata__":{},"__metadata__":{}}`, "")), "appears twice"},
		"metadata key twice":       {string(raw(`{"__metadata__":{"k":"1","k":"2"}}`, "")), `"k" appears twice`},
		"metadata number":          {string(raw(`{"__metadata__":{"k":1}}`, "")), `"k"`},
		"metadata null":            {string(raw(`{"__metadata__":{"k":null}}`, "")), `"k"`},
		"metadata list":            {string(raw(`{"__metadata__":[]}`, "")), "__metadata__"},
		"tensor is a number":       {string(raw(`{"w":1}`, "")), `"w"`},
		"tensor is null":           {string(raw(`{"w":null}`, "")), `"w"`},
		"no dtype":                 {string(raw(`{"w":{"shape":[],"data_offsets":[0,8]}}`, eight)), `dtype ""`},
		"unknown dtype":            {string(raw(`{"w":{"dtype":"C64","shape":[1],"data_offsets":[0,8]}}`, eight)), "C64"},
		"dtype is a number":        {string(raw(`{"w":{"dtype":64,"shape":[1],"data_offsets":[0,8]}}`, eight)), "dtype"},
		"no shape":                 {string(raw(`{"w":{"dtype":"F64","data_offsets":[0,8]}}`, eight)), "no shape"},
		"shape is null":            {string(raw(`{"w":{"dtype":"F64","shape":null,"data_offsets":[0,8]}}`, eight)), "no shape"},
		"side is null":             {string(raw(`{"w":{"dtype":"F64","shape":[null],"data_offsets":[0,8]}}`, eight)), "side 0"},
		"side is negative":         {string(raw(`{"w":{"dtype":"F64","shape":[-1,-1],"data_offsets":[0,8]}}`, eight)), "side 0"},
		"side is a fraction":       {string(raw(`{"w":{"dtype":"F64","shape":[1.5],"data_offsets":[0,8]}}`, eight)), "shape"},
		"side beyond int64":        {string(raw(`{"w":{"dtype":"F64","shape":[9223372036854775808],"data_offsets":[0,8]}}`, eight)), "shape"},
		"product overflows":        {string(raw(`{"w":{"dtype":"F64","shape":[4294967296,4294967296],"data_offsets":[0,8]}}`, eight)), "shape"},
		"product wraps to one":     {string(raw(`{"w":{"dtype":"F64","shape":[274177,67280421310721],"data_offsets":[0,8]}}`, eight)), "shape"},
		"bytes wrap to eight":      {string(raw(`{"w":{"dtype":"F64","shape":[2305843009213693953],"data_offsets":[0,8]}}`, eight)), "shape"},
		"product hidden by zero":   {string(raw(`{"w":{"dtype":"F64","shape":[0,4294967296,4294967296],"data_offsets":[0,0]}}`, "")), "shape"},
		"shape too large":          {string(raw(`{"w":{"dtype":"F64","shape":[2],"data_offsets":[0,8]}}`, eight)), "needs 16 bytes and has 8"},
		"shape too small":          {string(raw(`{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}}`, eight)), "needs 4 bytes and has 8"},
		"no offsets":               {string(raw(`{"w":{"dtype":"F64","shape":[1]}}`, eight)), "data_offsets"},
		"one offset":               {string(raw(`{"w":`+f64+`[0]}}`, eight)), "data_offsets"},
		"three offsets":            {string(raw(`{"w":`+f64+`[0,8,16]}}`, eight)), "data_offsets"},
		"null offset":              {string(raw(`{"w":`+f64+`[null,8]}}`, eight)), "data_offsets"},
		"offsets backwards":        {string(raw(`{"w":`+f64+`[8,0]}}`, eight)), "outside"},
		"negative offset":          {string(raw(`{"w":`+f64+`[-8,0]}}`, eight)), "outside"},
		"offset beyond the end":    {string(raw(`{"w":`+f64+`[8,16]}}`, eight)), "outside"},
		"offset 2^63-1":            {string(raw(`{"w":`+f64+`[9223372036854775799,9223372036854775807]}}`, eight)), "outside"},
		"gap before":               {string(raw(`{"w":`+f64+`[8,16]}}`, eight+eight)), "gap or an overlap"},
		"gap after":                {string(raw(`{"w":`+f64+`[0,8]}}`, eight+eight)), "8 bytes after"},
		"gap between":              {string(raw(`{"w":`+f64+`[0,8]},"v":`+f64+`[16,24]}}`, eight+eight+eight)), `"v": starts`},
		"same bytes twice":         {string(raw(`{"w":`+f64+`[0,8]},"v":`+f64+`[0,8]}}`, eight)), `"v": starts`},
		"overlap":                  {string(raw(`{"w":`+f64+`[0,8]},"v":`+f64+`[4,12]}}`, eight+"1234")), `"v": starts`},
		"empty one inside another": {string(raw(`{"w":`+f64+`[0,8]},"v":{"dtype":"F64","shape":[0],"data_offsets":[4,4]}}`, eight)), `"v": starts`},
		"data without tensors":     {string(raw("{}", eight)), "8 bytes after"},
		"unknown field":            {string(raw(`{"w":{"dtype":"F64","shape":[1],"data_offsets":[0,8],"stride":[2]}}`, eight)), "stride"},
		"shape twice":              {string(raw(`{"w":{"dtype":"F64","shape":[1],"shape":[1],"data_offsets":[0,8]}}`, eight)), `"shape" appears twice`},
		"field in capitals":        {string(raw(`{"w":{"DTYPE":"F64","shape":[1],"data_offsets":[0,8]}}`, eight)), "DTYPE"},
		"deep nesting":             {string(raw(`{"w":{"dtype":`+strings.Repeat("[", 100_000), "")), `"w"`},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Decode([]byte(c.file)); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v, want one that says %s", err, c.says)
			}
			path := filepath.Join(t.TempDir(), "hostile.safetensors")
			if err := os.WriteFile(path, []byte(c.file), 0o666); err != nil {
				t.Fatal(err)
			}
			_, err := Read(path)
			if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v, want one that names the file and says %s", err, c.says)
			}
		})
	}
	if _, err := Decode([]byte(ok)); err != nil {
		t.Errorf("the honest one: %v", err)
	}
}

// Files that other writers make and this one does not.
func TestForeignButValid(t *testing.T) {
	const sixteen = "\x00\x00\x00\x00\x00\x00\xf0\x3f\x00\x00\x00\x00\x00\x00\x00\x40" // 1, 2
	for name, file := range map[string][]byte{
		"spaces within": raw(`{ "b" : {"shape": [1], "data_offsets": [8, 16], "dtype": "F64"}, "a": {"dtype": "F64", "shape": [1], "data_offsets": [0, 8]} }   `, sixteen),
		"empty tensors at every seam": raw(`{"e2":{"dtype":"F32","shape":[0],"data_offsets":[16,16]},"b":{"dtype":"F64","shape":[],"data_offsets":[8,16]},`+
			`"e1":{"dtype":"F32","shape":[0],"data_offsets":[8,8]},"a":{"dtype":"F64","shape":[1,1],"data_offsets":[0,8]},"e0":{"dtype":"I64","shape":[0],"data_offsets":[0,0]}}`, sixteen),
	} {
		f, err := Decode(file)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for tensor, want := range map[string]float64{"a": 1, "b": 2} {
			got, err := f.Get(tensor)
			if err != nil {
				t.Fatal(err)
			}
			if v, err := Values[float64](got); err != nil || len(v) != 1 || v[0] != want {
				t.Errorf("%s: %s is %v (%v), want %v", name, tensor, v, err, want)
			}
		}
	}
}

// Whatever is accepted can be written and read again without a change.
func FuzzDecode(f *testing.F) {
	f.Add(encode(f, sample()))
	f.Add(encode(f, &File{}))
	f.Add(raw(`{"w":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}`, "12345678"))
	f.Add(raw(`{"w":{"dtype":"F16","shape":[2],"data_offsets":[4,8]},"v":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}`, "12345678"))
	f.Add(raw(`{"w":{"dtype":"U64","shape":[],"data_offsets":[0,8]},"v":{"dtype":"BOOL","shape":[3],"data_offsets":[8,11]}}`, "12345678\x00\x01\x02"))
	f.Add(raw(`{"w":{"dtype":"F64","shape":[0,4611686018427387904],"data_offsets":[0,0]}}`, ""))
	f.Fuzz(func(t *testing.T, file []byte) {
		got, err := Decode(file)
		if err != nil {
			return
		}
		first := encode(t, got)
		again, err := Decode(first)
		if err != nil {
			t.Fatalf("cannot read what was written: %v", err)
		}
		same(t, again, got)
		for _, tensor := range got.Tensors {
			_, _ = tensor.Float64s() // an integer may be too large
		}
		if second := encode(t, again); !bytes.Equal(first, second) {
			t.Fatal("written twice, different bytes")
		}
	})
}
