package data

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/sync/errgroup"
)

// Description is what the images of a network are, as a checkpoint keeps it: enough to map the labels of other
// images by the names of their classes, to normalise them alike, and to say what differs from the images that
// the network was trained on.
type Description struct {
	Classes []string `json:"classes,omitempty"` // by label; nil if the classes have no names
	Size    int      `json:"size"`              // height, and width where that is not given
	Width   int      `json:"width,omitempty"`   // where it is not the height
	// Channels is 1 for grey images, else left out: 3.
	Channels int `json:"channels,omitempty"`

	Mean  [Channels]float64 `json:"mean"`
	Std   [Channels]float64 `json:"std"`
	Train *Digest           `json:"train,omitempty"` // nil if it is not known
	Test  *Digest           `json:"test,omitempty"`
}

// Digest sums up N labelled images. Its sums are SHA-256 in hexadecimal digits, of pixels for images in memory
// and of files for those in files. A sum has a file's size and all its bytes, or, if these are more than 64
// KiB, the first and the last 8 KiB.
type Digest struct {
	Images   int           `json:"images"`
	Ordered  string        `json:"ordered"`  // the sum of labels, names and contents, in the order of the set
	Contents string        `json:"contents"` // the sum of the contents alone, in whatever order they come
	Classes  []ClassDigest `json:"classes"`  // by label
}

// ClassDigest is the number of images of a class, and the first half of the sum of their contents in whatever
// order they come.
type ClassDigest struct {
	Images   int    `json:"images"`
	Contents string `json:"contents"`
}

// Shape is that of an image: channels, height, width.
func (d Description) Shape() [3]int {
	return [3]int{cmp.Or(d.Channels, Channels), d.Size, cmp.Or(d.Width, d.Size)}
}

// Of is the description of images of another shape, the rest of which is the same.
func (d Description) Of(shape [3]int) Description {
	d.Channels, d.Size, d.Width = shape[0], shape[1], shape[2]
	if d.Channels == Channels {
		d.Channels = 0
	}
	if d.Width == d.Size {
		d.Width = 0
	}
	return d
}

// Check tells what is wrong with a description that comes from a file.
func (d Description) Check() error {
	if d.Width != 0 || d.Channels != 0 { // an older file may lack its size
		if err := CheckShape(d.Shape()); err != nil {
			return err
		}
	}
	seen := map[string]bool{}
	for _, name := range d.Classes {
		if seen[name] {
			return fmt.Errorf("class %s comes twice", Shown(name))
		}
		seen[name] = true
	}
	for c := range Channels {
		if math.IsNaN(d.Mean[c]) || math.IsInf(d.Mean[c], 0) || !(d.Std[c] > 0) || math.IsInf(d.Std[c], 0) {
			return fmt.Errorf("normalised by mean %v and deviation %v", d.Mean, d.Std)
		}
	}
	for _, s := range []*Digest{d.Train, d.Test} {
		if s != nil && d.Classes != nil && len(s.Classes) != len(d.Classes) {
			return fmt.Errorf("sums of %d classes, of which %d have names", len(s.Classes), len(d.Classes))
		}
	}
	return nil
}

// Describe returns what the data set is. It reads all images, of files as much as their sums need; one that
// cannot be read has a sum of zeros.
func (d Dataset) Describe() (Description, error) {
	k := Description{Classes: d.Names, Mean: d.Mean, Std: d.Std}.Of(d.Train.Shape())
	var err error
	if k.Train, err = digestOf(d.Train, d.Classes); err != nil {
		return k, err
	}
	k.Test, err = digestOf(d.Test, d.Classes)
	return k, err
}

// sum is that of an image's contents.
type sum = [sha256.Size]byte

// digestOf sums a set up.
func digestOf(s Images, classes int) (*Digest, error) {
	sums := sumsOf(s)
	d := &Digest{Images: s.Len(), Classes: make([]ClassDigest, classes)}
	ordered, byClass := sha256.New(), make([][]sum, classes)
	for i, sum := range sums {
		label := s.Label(i)
		if label < 0 || label >= classes {
			return nil, fmt.Errorf("%s: image %d has label %d of %d classes", s, i, label, classes)
		}
		name := ""
		if f, ok := s.(*Files); ok {
			name = f.files[i]
		}
		fmt.Fprintf(ordered, "%d %q ", label, name)
		ordered.Write(sum[:])
		byClass[label] = append(byClass[label], sum)
	}
	for c, list := range byClass {
		d.Classes[c] = ClassDigest{len(list), unordered(list)[:sha256.Size]}
	}
	d.Ordered, d.Contents = hex.EncodeToString(ordered.Sum(nil)), unordered(sums)
	return d, nil
}

// unordered is the sum of sums, whatever their order.
func unordered(list []sum) string {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b sum) int { return bytes.Compare(a[:], b[:]) })
	h := sha256.New()
	for _, s := range list {
		h.Write(s[:])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// sumsOf are the sums of a set's images: of their files, or of their pixels.
func sumsOf(s Images) []sum {
	if f, ok := s.(*Files); ok {
		return f.fileSums()
	}
	const portion = 256
	sums, each := make([]sum, s.Len()), elements(s.Shape())
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for first := 0; first < len(sums); first += portion {
		group.Go(func() error {
			pixels := make([]byte, each)
			for i := first; i < min(first+portion, len(sums)); i++ {
				if s.Plain(pixels, i) == nil {
					sums[i] = sha256.Sum256(pixels)
				}
			}
			return nil
		})
	}
	_ = group.Wait() // there are no errors
	return sums
}

// How much of a file its sum has.
const (
	maxSummed = 1 << 16 // the greatest size of a file all of whose bytes count
	edge      = 1 << 13 // of larger ones so many at the beginning and at the end
)

// sumFile is the sum of a file's contents.
func sumFile(r io.ReaderAt, size int64) (s sum, err error) {
	h := sha256.New()
	h.Write(binary.LittleEndian.AppendUint64(nil, uint64(size)))
	parts := []*io.SectionReader{io.NewSectionReader(r, 0, size)}
	if size > maxSummed {
		parts = []*io.SectionReader{io.NewSectionReader(r, 0, edge), io.NewSectionReader(r, size-edge, edge)}
	}
	for _, part := range parts {
		if _, err := io.Copy(h, part); err != nil {
			return s, err
		}
	}
	return sum(h.Sum(nil)), nil
}

// Shown is a name as a terminal can show it: quoted if it has anything but letters, signs and spaces.
func Shown(name string) string {
	if name == "" || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }) {
		return strconv.QuoteToASCII(name)
	}
	return name
}
