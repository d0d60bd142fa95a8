package data

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"sdref/internal/misuse"
)

// maxRecords is the greatest number of records of a file, twenty times that of an official batch: a larger
// file is something else, and is an error before it fills the memory.
const maxRecords = 200_000

// OpenCIFAR reads CIFAR-10 or CIFAR-100, whichever is at path: a folder that has its files, or the official
// archive's sub-folder or an official archive with them, or such an archive itself, a file. There are two
// forms, binary and of Python's pickles:
//
//	CIFAR-10   data_batch_1.bin ... data_batch_5.bin, test_batch.bin   label, 3072 bytes of pixels
//	           data_batch_1 ... data_batch_5, test_batch               dictionaries: data, labels
//	CIFAR-100  train.bin, test.bin                                     coarse and fine label, 3072 bytes
//	           train, test                                             data, fine_labels, coarse_labels
//	folders    cifar-10-batches-bin, cifar-10-batches-py, cifar-100-binary, cifar-100-python
//	archives   cifar-10-binary.tar.gz, cifar-10-python.tar.gz, and so for 100; also as .tar
//
// The pixels of a record are 1024 red, 1024 green and 1024 blue bytes, row by row (A. Krizhevsky, "Learning
// multiple layers of features from tiny images", 2009). Nothing in a pickle is run. An archive is unpacked in
// memory, up to 1 GiB.
//
// A file may have any number of records from one on, so a part of a data set can be read too; files that are
// not the official ones are named in Sets.Unknown. The class names come from the data set's own list where
// there is one. An error names the file and, where they apply, the record and the value; errors.Is finds
// fs.ErrNotExist in it if path contains no data set or a file is missing.
func OpenCIFAR(path string) (*Sets, error) {
	s, err := Find(path)
	if err != nil {
		return nil, fmt.Errorf("cifar: %w", err)
	}
	if s.IsFolder() {
		return nil, fmt.Errorf("cifar: %s holds folders of classes and no CIFAR: %w", path, fs.ErrNotExist)
	}
	return s.OpenCIFAR()
}

// ReadCIFAR reads CIFAR-10 or CIFAR-100 from an archive, such as the official ones, or the body of an answer to a request for one.
func ReadCIFAR(r io.Reader) (*Sets, error) {
	a := &archive{file: "archive", limit: maxUnpacked}
	c, err := a.unpackFrom(r)
	if err != nil {
		return nil, fmt.Errorf("cifar: %w", err)
	}
	d, err := c.read()
	if err != nil {
		return nil, fmt.Errorf("cifar: %w", err)
	}
	return d, nil
}

// OpenCIFAR reads the data set that was found. It panics if that is a folder of classes.
func (s *Source) OpenCIFAR() (*Sets, error) {
	if s.cifar == nil {
		panic(misuse.Errorf("data: OpenCIFAR of %s, a folder of classes", s.Path))
	}
	d, err := s.cifar.read()
	if err != nil {
		return nil, fmt.Errorf("cifar: %w", err)
	}
	return d, nil
}

// cifar is one of the data sets in one of its forms, at a place.
type cifar struct {
	*layout
	form members
	at   place
}

// read reads the data set. An archive is unpacked first, unless that was done.
func (c cifar) read() (*Sets, error) {
	if a, ok := c.at.(*archive); ok && c.layout == nil {
		var err error
		if c, err = a.unpack(); err != nil {
			return nil, err
		}
	}
	classes, err := c.classNames()
	if err != nil {
		return nil, err
	}
	d := &Sets{Name: c.name, Mean: c.mean, Std: c.std, Train: &Set{Name: c.name + " train", Classes: classes},
		Test: &Set{Name: c.name + " test", Classes: classes}}
	var train, test origin
	var group errgroup.Group // most of the time is spent on the SHA-256 sums
	group.Go(func() (err error) { train, err = c.readSet(c.form.train, d.Train); return err })
	group.Go(func() (err error) { test, err = c.readSet(c.form.test, d.Test); return err })
	if err := group.Wait(); err != nil {
		return nil, err
	}
	d.Verified, d.Unknown = append(train.verified, test.verified...), append(train.unknown, test.unknown...)
	return d, nil
}

// origin lists the files whose records are those of the official files, and the others.
type origin struct{ verified, unknown []string }

// maxNames is the greatest size of a file of class names.
const maxNames = 1 << 16

// classNames returns the names in the data set's list, or the builtin ones where there is none.
func (c cifar) classNames() ([]string, error) {
	r, size, err := c.at.open(c.form.names)
	if errors.Is(err, fs.ErrNotExist) {
		return slices.Clone(c.classes), nil
	}
	if err != nil {
		return nil, err
	}
	defer r.Close()
	path := c.at.path(c.form.names)
	if size > maxNames {
		return nil, fmt.Errorf("%s: %d bytes, more than the %d of a list of names", path, size, maxNames)
	}
	text, err := io.ReadAll(io.LimitReader(r, maxNames))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	names := strings.Fields(string(text))
	if c.form.pickled {
		if names, err = pickledNames(text); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	if len(names) != len(c.classes) {
		return nil, fmt.Errorf("%s: %d class names, want %d", path, len(names), len(c.classes))
	}
	return names, nil
}

// readSet appends the records of the files to set and tells which of the files are the official ones.
func (c cifar) readSet(files []string, set *Set) (o origin, err error) {
	records := int64(0)
	for _, file := range files {
		records += min(c.at.size(file)/int64(c.labelBytes()+ImageBytes), maxRecords)
	}
	set.Images, set.Labels = make([]byte, 0, records*ImageBytes), make([]uint8, 0, records)
	for _, file := range files {
		first := set.Len()
		if err := c.readFile(file, set); err != nil {
			return o, err
		}
		h := sha256.New()
		if _, err := set.Slice(first, set.Len()).WriteTo(h); err != nil {
			return o, err
		}
		if hex.EncodeToString(h.Sum(nil)) == c.official(c.form, file) {
			o.verified = append(o.verified, file)
		} else {
			o.unknown = append(o.unknown, file)
		}
	}
	return o, nil
}

// pickleBytes is what a record of a pickle takes beside pixels: two labels, and the name of its image's file.
const pickleBytes = 512

// readFile appends the records of one file to set.
func (c cifar) readFile(file string, set *Set) error {
	r, size, err := c.at.open(file)
	if err != nil {
		return err
	}
	defer r.Close()
	each := c.labelBytes() + ImageBytes
	if c.form.pickled {
		each += pickleBytes
	}
	if limit := int64(maxRecords * each); size > limit {
		return fmt.Errorf("%s: %d bytes, more than the %d of %d records", c.at.path(file), size, limit, maxRecords)
	}
	if c.form.pickled {
		err = readPickled(r, size, c.layout, set)
	} else {
		err = readRecords(r, c.layout, set)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", c.at.path(file), err)
	}
	return nil
}

// readRecords appends the records of r to set.
func readRecords(r io.Reader, l *layout, set *Set) error {
	record := make([]byte, l.labelBytes()+ImageBytes)
	for i := 0; ; i++ {
		n, err := io.ReadFull(r, record)
		switch {
		case err == io.EOF && i == 0:
			return errors.New("the file is empty")
		case err == io.EOF:
			return nil
		case err == io.ErrUnexpectedEOF:
			return fmt.Errorf("record %d ends after %d of %d bytes", i, n, len(record))
		case err != nil:
			return fmt.Errorf("record %d: %w", i, err)
		}
		if err := l.add(set, i, record[:l.labelBytes()], record[l.labelBytes():]); err != nil {
			return err
		}
	}
}

// add appends record i of a file, whose labels are checked, to set.
func (l *layout) add(set *Set, i int, labels, pixels []byte) error {
	label := labels[len(labels)-1]
	if int(label) >= len(l.classes) {
		return fmt.Errorf("record %d: label %d is outside 0 to %d", i, label, len(l.classes)-1)
	}
	if l.coarse > 0 {
		if int(labels[0]) >= l.coarse {
			return fmt.Errorf("record %d: coarse label %d is outside 0 to %d", i, labels[0], l.coarse-1)
		}
		set.Coarse = append(set.Coarse, labels[0])
	}
	set.Labels = append(set.Labels, label)
	set.Images = append(set.Images, pixels...)
	return nil
}

// buffered is a reader of bytes in memory.
func buffered(content []byte) io.ReadCloser { return io.NopCloser(bytes.NewReader(content)) }
