package data

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// numberedSet returns n images whose bytes tell image and place apart, with labels below classes.
func numberedSet(n, classes, coarse int) *Set {
	s := &Set{Name: "drawn", Classes: make([]string, classes)}
	for i := range n {
		s.Labels = append(s.Labels, uint8(i*7%classes))
		if coarse > 0 {
			s.Coarse = append(s.Coarse, uint8(i*3%coarse))
		}
		for p := range ImageBytes {
			s.Images = append(s.Images, byte(31*i+p+p/256))
		}
	}
	return s
}

func encodeRecords(t testing.TB, s *Set) []byte {
	t.Helper()
	var b bytes.Buffer
	n, err := s.WriteTo(&b)
	if err != nil || n != int64(b.Len()) {
		t.Fatalf("WriteTo = %d, %v; %d bytes arrived", n, err, b.Len())
	}
	return b.Bytes()
}

// cifarFolder writes a data set of n images a file and returns where.
func cifarFolder(t *testing.T, l *layout, sub string, n int) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, sub), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, file := range l.files() {
		put(t, filepath.Join(dir, sub, file), encodeRecords(t, numberedSet(n, len(l.classes), l.coarse)))
	}
	return dir
}

// TestCIFARLayouts: what was written comes back, from the folder itself and from the archive's sub-folder.
func TestCIFARLayouts(t *testing.T) {
	for _, l := range layouts {
		for _, sub := range []string{"", l.folder} {
			t.Run(l.name+" in "+sub, func(t *testing.T) {
				d, err := OpenCIFAR(cifarFolder(t, l, sub, 11))
				if err != nil {
					t.Fatal(err)
				}
				if d.Name != l.name || d.Mean != l.mean || d.Std != l.std {
					t.Errorf("got %s with %v, %v", d.Name, d.Mean, d.Std)
				}
				if d.Train.Len() != 11*len(l.train) || d.Test.Len() != 11 {
					t.Errorf("%d and %d images", d.Train.Len(), d.Test.Len())
				}
				want := numberedSet(11, len(l.classes), l.coarse)
				for _, part := range []*Set{d.Test, d.Train.Slice(0, 11),
					d.Train.Slice(d.Train.Len()-11, d.Train.Len())} {
					if !bytes.Equal(part.Images, want.Images) || !bytes.Equal(part.Labels, want.Labels) ||
						!bytes.Equal(part.Coarse, want.Coarse) {
						t.Errorf("%s differs from what was written", part.Name)
					}
				}
				if len(d.Verified) != 0 || !slices.Equal(d.Unknown, l.files()) {
					t.Errorf("verified %v, unknown %v", d.Verified, d.Unknown)
				}
			})
		}
	}
}

// TestCIFARRecord: one record by hand, so that reader and writer cannot be wrong together.
func TestCIFARRecord(t *testing.T) {
	record := make([]byte, 2+3072)
	record[0], record[1] = 19, 99
	record[2] = 1             // red, row 0, column 0
	record[2+1024+32] = 2     // green, row 1, column 0
	record[2+2048+32*31] = 3  // blue, row 31, column 0
	record[len(record)-1] = 4 // blue, row 31, column 31
	set := &Set{}
	if err := readRecords(bytes.NewReader(record), layouts[1], set); err != nil {
		t.Fatal(err)
	}
	at := func(channel, row, column int) byte { return set.Image(0)[(channel*Side+row)*Side+column] }
	got := []byte{set.Coarse[0], set.Labels[0], at(0, 0, 0), at(1, 1, 0), at(2, 31, 0), at(2, 31, 31)}
	if want := []byte{19, 99, 1, 2, 3, 4}; !bytes.Equal(got, want) {
		t.Errorf("the record was read as %d, want %d", got, want)
	}
}

func TestCIFARErrors(t *testing.T) {
	ten, hundred := layouts[0], layouts[1]
	good := encodeRecords(t, numberedSet(3, 10, 0))
	const record = 1 + ImageBytes
	label := slices.Clone(good)
	label[2*record] = 10
	for _, c := range []struct {
		name    string
		layout  *layout
		file    string
		content []byte // nil: the file is removed
		want    []string
	}{
		{"missing", ten, "data_batch_3.bin", nil, nil},
		{"missing test", hundred, "test.bin", nil, nil},
		{"empty", ten, "test_batch.bin", []byte{}, []string{"empty"}},
		{"truncated", ten, "data_batch_5.bin", good[:len(good)-1],
			[]string{"record 2 ends after 3072 of 3073 bytes"}},
		{"too long", ten, "data_batch_1.bin", append(slices.Clone(good), 0),
			[]string{"record 3 ends after 1 of 3073 bytes"}},
		{"label", ten, "data_batch_2.bin", label, []string{"record 2", "label 10", "0 to 9"}},
		{"fine label", hundred, "train.bin", append([]byte{0, 100}, good[1:record]...),
			[]string{"record 0", "label 100", "0 to 99"}},
		{"coarse label", hundred, "test.bin", append([]byte{20, 0}, good[1:record]...),
			[]string{"record 0", "coarse label 20", "0 to 19"}},
		{"class names", ten, "batches.meta.txt", []byte("one\ntwo\n"), []string{"2 class names, want 10"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(cifarFolder(t, c.layout, "", 1), c.file)
			if c.content == nil {
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
			} else {
				put(t, path, c.content)
			}
			_, err := OpenCIFAR(filepath.Dir(path))
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range append(c.want, path, "cifar:") {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			if missing := c.content == nil; missing != errors.Is(err, fs.ErrNotExist) {
				t.Errorf("errors.Is(%v, fs.ErrNotExist) is %v", err, !missing)
			}
		})
	}
}

func TestCIFARNothingThere(t *testing.T) {
	dir := t.TempDir()
	for _, dir := range []string{dir, filepath.Join(dir, "absent")} {
		if _, err := OpenCIFAR(dir); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), dir) {
			t.Errorf("Open(%s): %v", dir, err)
		}
	}
}

// TestCIFARTooLarge: a file beyond the limit is an error before it is read (this one is sparse), and so is a
// folder instead of a file.
func TestCIFARTooLarge(t *testing.T) {
	dir := cifarFolder(t, layouts[0], "", 1)
	path := filepath.Join(dir, "data_batch_4.bin")
	if err := os.Truncate(path, (maxRecords+1)*(1+ImageBytes)); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenCIFAR(dir); err == nil || !strings.Contains(err.Error(), path) ||
		!strings.Contains(err.Error(), "200000 records") {
		t.Errorf("a file too large: %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenCIFAR(dir); err == nil || !strings.Contains(err.Error(), path+": a folder, not a regular file") {
		t.Errorf("a folder: %v", err)
	}
}

// brokenStream fails after n bytes.
type brokenStream struct{ n int }

func (b *brokenStream) Read(p []byte) (int, error) {
	if b.n == 0 {
		return 0, errBroken
	}
	k := min(b.n, len(p))
	b.n -= k
	clear(p[:k])
	return k, nil
}

func (b *brokenStream) Write(p []byte) (int, error) {
	k := min(b.n, len(p))
	b.n -= k
	if k < len(p) {
		return k, errBroken
	}
	return k, nil
}

var errBroken = errors.New("the disk broke")

func TestCIFARBrokenStreams(t *testing.T) {
	err := readRecords(&brokenStream{2*(1+ImageBytes) + 5}, layouts[0], &Set{})
	if !errors.Is(err, errBroken) || !strings.Contains(err.Error(), "record 2") {
		t.Errorf("reading: %v", err)
	}
	n, err := numberedSet(4, 10, 0).WriteTo(&brokenStream{3*(1+ImageBytes) + 5})
	if n != 3*(1+ImageBytes)+5 || !errors.Is(err, errBroken) || !strings.Contains(err.Error(), "record 3") {
		t.Errorf("writing: %d, %v", n, err)
	}
}

func TestCIFARClassNames(t *testing.T) {
	for i, l := range layouts {
		names := slices.Compact(slices.Sorted(slices.Values(l.classes)))
		if want := []int{10, 100}[i]; len(l.classes) != want || len(names) != want {
			t.Errorf("%s: %d names, %d of them different", l.name, len(l.classes), len(names))
		}
		if !slices.IsSorted(l.classes) {
			t.Errorf("%s: names out of order", l.name)
		}
	}
	dir := cifarFolder(t, layouts[0], "", 1)
	put(t, filepath.Join(dir, "batches.meta.txt"), []byte("a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n"))
	d, err := OpenCIFAR(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(d.Train.Classes, ""); got != "abcdefghij" {
		t.Errorf("names %q", got)
	}
}

func TestSetSlicePanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	numberedSet(2, 10, 0).Slice(1, 3)
}

// TestCIFAROfficialFiles reads CIFAR-10 itself where a copy lies beside the project, and skips elsewhere.
func TestCIFAROfficialFiles(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "shared", "cifar10")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("no copy of CIFAR-10 in ", dir)
	}
	d, err := OpenCIFAR(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(d.Verified, layouts[0].files()) || len(d.Unknown) != 0 {
		t.Errorf("verified %v, unknown %v", d.Verified, d.Unknown)
	}
	for _, c := range []struct {
		set  *Set
		each int
	}{{d.Train, 5000}, {d.Test, 1000}} {
		counts := make([]int, 10)
		for _, label := range c.set.Labels {
			counts[label]++
		}
		for label, n := range counts {
			if n != c.each {
				t.Errorf("%s: %d images of %s, want %d", c.set.Name, n, c.set.Classes[label], c.each)
			}
		}
		if c.set.Len() != 10*c.each || len(c.set.Images) != 10*c.each*ImageBytes {
			t.Errorf("%s: %d labels, %d bytes", c.set.Name, c.set.Len(), len(c.set.Images))
		}
	}
	// The recipe's mean is the data's own: a channel in the wrong place would show.
	for c, want := range d.Mean {
		sum := int64(0)
		for i := range d.Train.Len() {
			for _, p := range d.Train.Image(i)[c*Side*Side : (c+1)*Side*Side] {
				sum += int64(p)
			}
		}
		if mean := float64(sum) / 255 / float64(d.Train.Len()*Side*Side); mean < want-1e-4 ||
			mean > want+1e-4 {
			t.Errorf("channel %d: mean %v, the recipe says %v", c, mean, want)
		}
	}
}

// FuzzReadRecords: the reader panics on no input, and what it accepts is written back byte for byte.
func FuzzReadRecords(f *testing.F) {
	for _, l := range layouts {
		good := encodeRecords(f, numberedSet(2, len(l.classes), l.coarse))
		f.Add(good, l.coarse > 0)
		f.Add(good[:len(good)-1], l.coarse > 0)
		f.Add([]byte{255}, l.coarse > 0)
	}
	f.Fuzz(func(t *testing.T, content []byte, hundred bool) {
		l := layouts[0]
		if hundred {
			l = layouts[1]
		}
		set := &Set{}
		if err := readRecords(bytes.NewReader(content), l, set); err != nil {
			return
		}
		var back bytes.Buffer
		if _, err := set.WriteTo(&back); err != nil || !bytes.Equal(back.Bytes(), content) {
			t.Errorf("%d bytes came back as %d, %v", len(content), back.Len(), err)
		}
	})
}

// A folder contains either data set, or a part of it.
func ExampleOpenCIFAR() {
	dir, err := os.MkdirTemp("", "cifar")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	for _, file := range []string{"train.bin", "test.bin"} {
		record := append([]byte{14, 98}, make([]byte, ImageBytes)...) // coarse label, fine label, pixels
		if err := os.WriteFile(filepath.Join(dir, file), record, 0o666); err != nil {
			panic(err)
		}
	}

	d, err := OpenCIFAR(dir)
	if err != nil {
		panic(err)
	}
	fmt.Println(d.Name, d.Train.Len(), d.Test.Classes[d.Test.Labels[0]])
	fmt.Println("not the official files:", d.Unknown)

	n, err := d.Test.Slice(0, 1).WriteTo(io.Discard)
	fmt.Println(n, err)
	// Output:
	// CIFAR-100 1 woman
	// not the official files: [train.bin test.bin]
	// 3074 <nil>
}
