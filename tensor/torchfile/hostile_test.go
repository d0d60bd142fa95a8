package torchfile

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// What is more than data is refused by the name of what the file wants to run.
func TestNothingIsRun(t *testing.T) {
	for name, text := range map[string]string{
		"attack.pth": `"posix.system", which is not allowed`, "attack_legacy.pth": `"posix.system", which is not allowed`,
		"script.pt": "TorchScript",
	} {
		_, err := Read(fixture(name))
		says(t, err, fixture(name), text)
	}
	if _, err := os.Stat(fixture("attacked")); err == nil {
		t.Error("the attack was run")
	}
}

// altered is a file of PyTorch's with one record replaced.
func altered(t *testing.T, name, record string, change func(string) string) []byte {
	t.Helper()
	entries := unzip(t, name)
	at := slices.IndexFunc(entries, func(e entry) bool { return strings.HasSuffix(e.name, record) })
	entries[at].content = change(entries[at].content)
	return zipped(t, entries)
}

// replacing replaces the only occurrence of a text.
func replacing(t *testing.T, old, new string) func(string) string {
	return func(s string) string {
		if strings.Count(s, old) != 1 {
			t.Fatalf("%q occurs %d times", old, strings.Count(s, old))
		}
		return strings.Replace(s, old, new, 1)
	}
}

func TestHostileArchives(t *testing.T) {
	tensor := unzip(t, "tensor.pth")
	deflated := slices.Clone(tensor)
	deflated[1].method, deflated[1].content = zip.Deflate, strings.Repeat("\x00", 1<<20)
	good := string(zipped(t, tensor))
	program := func(old, new string) []byte { return altered(t, "tensor.pth", "data.pkl", replacing(t, old, new)) }
	for name, c := range map[string]struct {
		file []byte
		says string
	}{
		"empty":              {nil, "not a file of torch.save"},
		"cut":                {[]byte(good[:len(good)/2]), "zip"},
		"bomb":               {zipped(t, deflated), "compressed"},
		"no pickle":          {zipped(t, tensor[1:]), "0 records data.pkl"},
		"two pickles":        {zipped(t, append(tensor, entry{"other/data.pkl", "", zip.Store})), "2 records data.pkl"},
		"twice a record":     {zipped(t, append(tensor, tensor[1])), "two records tensor/data/0"},
		"no storage":         {zipped(t, tensor[:1]), "no record data/0"},
		"short storage":      {altered(t, "tensor.pth", "data/0", func(s string) string { return s[:7] }), "2 elements of float32, where 7 bytes"},
		"damaged":            {[]byte(strings.Replace(good, "\x00\x00\x80?\x00\x00\x80?", "\x00\x00\x80?\x00\x00\x80@", 1)), "checksum"},
		"cut pickle":         {altered(t, "tensor.pth", "data.pkl", func(s string) string { return s[:len(s)-1] }), "ends too early"},
		"empty pickle":       {altered(t, "tensor.pth", "data.pkl", func(string) string { return "" }), "ends too early"},
		"a path outside":     {program("X\x01\x00\x00\x000", "X\x07\x00\x00\x00../../0"), "no record data/../../0"},
		"another type":       {program("FloatStorage", "DoubleStorage"), "2 elements of float64, where 8 bytes"},
		"too many elements":  {program("K\x02tq\x05", "K\x03tq\x05"), "3 elements of float32"},
		"negative elements":  {program("K\x02tq\x05", "J\xff\xff\xff\xfftq\x05"), "a storage of"},
		"beyond the storage": {program("K\x02\x85q\x06", "K\x03\x85q\x06"), "reaches beyond its storage"},
		"an offset":          {program("QK\x00K", "QK\x01K"), "reaches beyond its storage"},
		"a negative offset":  {program("QK\x00K", "QJ\xff\xff\xff\xffK"), "at -1"},
		"a negative side":    {program("K\x02\x85q\x06", "J\xff\xff\xff\xff\x85q\x06"), "shape [-1]"},
		"a negative stride":  {program("K\x01\x85q\x07", "J\xff\xff\xff\xff\x85q\x07"), "strides [-1]"},
		"an enormous stride": {program("K\x01\x85q\x07", "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f\x85q\x07"), "reaches beyond"},
		"one that overflows": {[]byte(altered(t, "tensor.pth", "data.pkl", func(s string) string {
			s = replacing(t, "QK\x00K", "QK\x01K")(s)
			return replacing(t, "K\x01\x85q\x07", "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f\x85q\x07")(s)
		})), "strides [9223372036854775807]"},
		"an enormous side":    {program("K\x02\x85q\x06", "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f\x85q\x06"), "shape [9223372036854775807]"},
		"sides and strides":   {program("K\x01\x85q\x07", "K\x01K\x01\x86q\x07"), "1 sides and 2 strides"},
		"metadata":            {program(")Rq\x09tq\nR", ")Rq\x09}X\x03\x00\x00\x00neg\x88stq\nR"), "metadata"},
		"another reference":   {program("storage", "storbge"), "not to a storage"},
		"sizes that are none": {program("K\x02\x85q\x06", "Nq\x06"), "sizes that are a <nil>"},
	} {
		_, err := Decode(c.file)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v, want one that says %q", name, err, c.says)
		}
	}
}

// A record can be compressed and say that it is not smaller for it.
func TestCompressedPickle(t *testing.T) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.CreateRaw(&zip.FileHeader{Name: "a/data.pkl", Method: zip.Deflate, CompressedSize64: 5, UncompressedSize64: 5})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("\x01\x00\x00\xff\xff")); err != nil { // a stored block of nothing
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = Decode(b.Bytes())
	says(t, err, "a/data.pkl is compressed")
}

// Records that lie over each other would make a small file large.
func TestOverlappingRecords(t *testing.T) {
	file := altered(t, "tensor.pth", "data/0", func(string) string { return strings.Repeat("\x00", 1000) })
	end := bytes.LastIndex(file, []byte("PK\x05\x06"))
	start := int(binary.LittleEndian.Uint32(file[end+16:]))
	directory := file[start:end]
	at := bytes.Index(directory, []byte("tensor/data/0")) - 46
	row := slices.Clone(directory[at : at+46+len("tensor/data/0")])
	var more []byte
	for i := range 50 {
		row[46+len("tensor/data/")] = byte('A' + i)
		more = append(more, row...)
	}
	tail := slices.Clone(file[end:])
	binary.LittleEndian.PutUint16(tail[8:], binary.LittleEndian.Uint16(tail[8:])+50)
	binary.LittleEndian.PutUint16(tail[10:], binary.LittleEndian.Uint16(tail[10:])+50)
	binary.LittleEndian.PutUint32(tail[12:], uint32(len(directory)+len(more)))
	_, err := Decode(slices.Concat(file[:end], more, tail))
	says(t, err, "claim more than the file's")
}

func TestHostileLegacy(t *testing.T) {
	whole, err := os.ReadFile(fixture("legacy.pth"))
	if err != nil {
		t.Fatal(err)
	}
	good := string(whole)
	key := good[strings.Index(good, "X\x09\x00\x00\x00")+5:][:9]
	keys := strings.LastIndex(good, "\x80\x02]")
	one := "X\x09\x00\x00\x00" + good[keys:][strings.Index(good[keys:], "X\x09\x00\x00\x00")+5:][:9]
	first := good[strings.LastIndex(good, "e.")+2:]
	const number, last = "l\xfc\x9cF", 4 * 24 // bytes of the last storage
	for name, c := range map[string]struct{ file, says string }{
		"cut in a storage":   {good[:len(good)-1], "storage"},
		"cut in a pickle":    {good[:700], "pickle"},
		"only the number":    {good[:15], "protocol"},
		"a byte too many":    {good + "x", "after the last storage"},
		"another number":     {strings.Replace(good, number, "l\xfc\x9cG", 1), "not a file of torch.save"},
		"another protocol":   {strings.Replace(good, "M\xe9\x03.", "M\xe8\x03.", 1), "protocol"},
		"another key":        {good[:strings.LastIndex(good, key)] + "987654321" + good[strings.LastIndex(good, key)+9:], `"987654321" is not one`},
		"no keys":            {good[:keys] + "\x80\x02].", "0 of"},
		"a key twice":        {good[:keys] + "\x80\x02](" + one + one + "e." + first + first, "comes twice"},
		"a lie about a size": {good[:len(good)-last-8] + "\xff\xff\xff\xff\xff\xff\xff\x7f" + good[len(good)-last:], "9223372036854775807 elements, want 24"},
	} {
		if _, err := Decode([]byte(c.file)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v, want one that says %q", name, err, c.says)
		}
	}
}

// A tree of dictionaries that share their branches has 8^8 leaves in as many lines; one that holds itself has
// no end. Neither takes time and memory out of proportion, nor do copies of a long list.
func TestEndlessValues(t *testing.T) {
	branches := "}("
	for _, key := range "abcdefgh" {
		branches += "X\x01\x00\x00\x00" + string(key) + "h\x01"
	}
	pairs := "]q\x00(" + strings.Repeat("](K\x01K\x02e", 5000) + "e"
	copies := "ccollections\nOrderedDict\nq\x02" + strings.Repeat("h\x02h\x00\x85R0", 5000)
	inner := strings.Repeat("ctorch._tensor\n_rebuild_from_type_v2\n(h\x02N(h\x00tNtR0", 2000)
	for name, c := range map[string]struct{ program, says string }{
		"branches":               {"\x80\x02K\x01q\x010" + strings.Repeat(branches+"uq\x010", 8) + "h\x01.", "more than 13"},
		"a list of itself":       {"\x80\x02]q\x01(" + strings.Repeat("h\x01", 40) + "e.", ""},
		"a dictionary of itself": {"\x80\x02}q\x01X\x01\x00\x00\x00ah\x01s.", ""},
		"deep lists":             {strings.Repeat("]", 100000) + "N" + strings.Repeat("a", 100000) + ".", ""},
		"copies":                 {"\x80\x02" + pairs + "0" + copies + "N.", "more work than"},
		"copies, indirectly":     {"\x80\x02" + pairs + "0ccollections\nOrderedDict\nq\x020" + inner + "N.", ""},
		"one name, often":        {"\x80\x02}X\xf0\x00\x00\x00" + strings.Repeat("k", 240) + "](" + strings.Repeat("]", 50000) + "es.", ""},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Decode(altered(t, "tensor.pth", "data.pkl", func(string) string { return c.program }))
		runtime.ReadMemStats(&after)
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 100e6 {
			t.Errorf("%s took %d bytes", name, grown)
		}
		if c.says == "" && err != nil {
			t.Errorf("%s: %v", name, err)
		} else if c.says != "" {
			says(t, err, c.says)
		}
	}
}

// No file brings the reader down, and a tensor's values are where its view says.
func FuzzDecode(f *testing.F) {
	names, err1 := filepath.Glob(fixture("*.p*"))
	more, err2 := filepath.Glob(fixture("extras/*.p*"))
	names = append(names, more...)
	if err := errors.Join(err1, err2); err != nil || len(names) < 40 {
		f.Fatal(names, err)
	}
	for _, name := range names {
		file, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(file)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		decoded, err := Decode(file)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("an error of two lines: %q", err)
			}
			return
		}
		for _, tensor := range decoded.Tensors {
			elements := 1
			for _, side := range tensor.Shape {
				if elements *= side; elements > 1<<16 {
					break
				}
			}
			if elements <= 1<<16 {
				tensor.Values()
			}
		}
	})
}

// FuzzProgram has the pickle of a file altered, which a change of the file's bytes mostly fails to be: its
// checksum is wrong.
func FuzzProgram(f *testing.F) {
	for _, name := range []string{"checkpoint.pth", "nested.pth", "protocol4.pth", "types.pth", "views.pth", "attack.pth", "tensor.pth"} {
		for _, e := range unzip(f, name) {
			if strings.HasSuffix(e.name, "data.pkl") {
				f.Add(e.content)
			}
		}
	}
	for name := range extras(f) {
		if strings.HasSuffix(name, ".pth") && !strings.HasPrefix(name, "legacy") {
			for _, e := range unzip(f, "extras/"+name) {
				if strings.HasSuffix(e.name, "data.pkl") {
					f.Add(e.content)
				}
			}
		}
	}
	storage := strings.Repeat("\x00", 64)
	f.Fuzz(func(t *testing.T, program string) {
		decoded, err := Decode(zipped(t, []entry{{"a/data.pkl", program, zip.Store}, {"a/data/0", storage, zip.Store}, {"a/data/1", storage, zip.Store}}))
		if err != nil {
			return
		}
		for _, tensor := range decoded.Tensors {
			if len(tensor.Shape) < 3 && (len(tensor.Shape) == 0 || tensor.Shape[0] < 100) && (len(tensor.Shape) < 2 || tensor.Shape[1] < 100) {
				tensor.Values()
			}
		}
	})
}
