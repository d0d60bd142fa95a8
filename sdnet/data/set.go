package data

import (
	"fmt"
	"io"

	"sdref/internal/misuse"
)

// The extent of a Set's images: Channels x Side x Side bytes.
const (
	Side       = 32
	Channels   = 3
	ImageBytes = Channels * Side * Side
)

// Set is N labelled 32x32 images in memory.
type Set struct {
	Name    string   // such as "CIFAR-10 test"
	Classes []string // the name of each label
	Images  []byte   // N x 3 x 32 x 32
	Labels  []uint8  // N, each below len(Classes)
	Coarse  []uint8  // N, the superclasses of CIFAR-100; nil in other data
}

// Sets is the training and the test images of a data set in memory.
type Sets struct {
	Name        string
	Train, Test *Set
	Mean, Std   [Channels]float64 // of the training pixels divided by 255, per channel
	Verified    []string          // the files read whose SHA-256 sum is that of the official file
	Unknown     []string          // the other files read, whose sums differ or are not known
}

// Len returns N.
func (s *Set) Len() int { return len(s.Labels) }

// Image returns image i, 3 x 32 x 32, as a part of s.Images.
func (s *Set) Image(i int) []byte {
	return s.Images[i*ImageBytes : (i+1)*ImageBytes : (i+1)*ImageBytes]
}

// Shape returns that of an image: 3 x 32 x 32.
func (s *Set) Shape() [3]int { return [3]int{Channels, Side, Side} }

// Label returns the label of image i.
func (s *Set) Label(i int) int { return int(s.Labels[i]) }

// Plain copies image i to dst, 3 x 32 x 32 bytes. The error is nil: all images are in memory.
func (s *Set) Plain(dst []byte, i int) error {
	copy(dst, s.Image(i))
	return nil
}

// String returns the set's name.
func (s *Set) String() string { return s.Name }

// Slice returns images from to to-1 as a set that shares their memory. It panics unless 0 <= from <= to <= N.
func (s *Set) Slice(from, to int) *Set {
	if from < 0 || to < from || to > s.Len() {
		panic(misuse.Errorf("data: Slice(%d, %d) of %d images", from, to, s.Len()))
	}
	part := *s
	part.Images = s.Images[from*ImageBytes : to*ImageBytes]
	part.Labels = s.Labels[from:to]
	if s.Coarse != nil {
		part.Coarse = s.Coarse[from:to]
	}
	return &part
}

// WriteTo writes the set as records that OpenCIFAR reads: in the layout of CIFAR-100 if it has coarse labels,
// else in that of CIFAR-10. It returns the number of bytes written.
func (s *Set) WriteTo(w io.Writer) (int64, error) {
	written := int64(0)
	record := make([]byte, 0, 2+ImageBytes)
	for i, label := range s.Labels {
		record = record[:0]
		if s.Coarse != nil {
			record = append(record, s.Coarse[i])
		}
		record = append(append(record, label), s.Image(i)...)
		n, err := w.Write(record)
		written += int64(n)
		if err != nil {
			return written, fmt.Errorf("cifar: write record %d of %s: %w", i, s.Name, err)
		}
	}
	return written, nil
}
