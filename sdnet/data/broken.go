package data

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
)

// Broken is what becomes of an image whose file cannot be read.
type Broken int

const (
	// Refuse makes it an error.
	Refuse Broken = iota
	// Skip passes it over: evaluation leaves it out, and training takes the next image of its class that can be
	// read in its place, so that batches and labels stay as they are.
	Skip
)

// ErrBroken says of an error that an image's file could not be read; ErrSkipped that it is to be left out.
var (
	ErrBroken  = errors.New("image cannot be read")
	ErrSkipped = errors.New("image is left out")
)

// String returns refuse or skip.
func (b Broken) String() string { return []string{"refuse", "skip"}[b] }

// MarshalText writes the name.
func (b Broken) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// UnmarshalText reads the name.
func (b *Broken) UnmarshalText(text []byte) error {
	for _, known := range []Broken{Refuse, Skip} {
		if known.String() == string(text) {
			*b = known
			return nil
		}
	}
	return fmt.Errorf("%q is neither refuse nor skip", text)
}

// failures collects the files that could not be read, by their numbers. Any number of goroutines may add.
type failures struct {
	sync.Mutex
	of map[int]error
}

// Tolerate says what becomes of images that cannot be read. It must be called before any is.
func (s *Files) Tolerate(b Broken) { s.broken = b }

// Failures returns the errors of the files that could not be read so far, in the order of the set.
func (s *Files) Failures() (list []error) {
	s.failures.Lock()
	defer s.failures.Unlock()
	for _, i := range slices.Sorted(maps.Keys(s.failures.of)) {
		list = append(list, s.failures.of[i])
	}
	return list
}

// read reads image i by a function, or what takes its place.
func (s *Files) read(i int, image func(j int) error) error {
	err := image(i)
	if err == nil {
		return nil
	}
	err = fmt.Errorf("%w: %w", ErrBroken, err)
	if s.broken == Refuse {
		return err
	}
	s.failures.Lock()
	if s.failures.of == nil {
		s.failures.of = map[int]error{}
	}
	s.failures.of[i] = err
	s.failures.Unlock()
	if s.evaluated {
		return fmt.Errorf("%w: %w", ErrSkipped, err)
	}
	label := s.labels[i]
	for k := 1; k < s.Len(); k++ { // the images of a class stand next to each other
		if j := (i + k) % s.Len(); s.labels[j] == label && image(j) == nil {
			return nil
		}
	}
	return fmt.Errorf("no image of class %s can be read: %w", Shown(s.Classes[label]), err)
}

func (s *Files) forEvaluation() Images {
	t := *s
	t.evaluated = true
	return &t
}

// ForEvaluation returns a set whose images, if they cannot be read, are left out rather than replaced by
// others: their errors wrap ErrSkipped.
func ForEvaluation(s Images) Images {
	if e, ok := s.(interface{ forEvaluation() Images }); ok {
		return e.forEvaluation()
	}
	return s
}

// NameOf returns the name of image i of a set: the path of its file, or its number.
func NameOf(s Images, i int) string {
	if n, ok := s.(interface{ ImageName(i int) string }); ok {
		return n.ImageName(i)
	}
	return fmt.Sprint(i)
}
