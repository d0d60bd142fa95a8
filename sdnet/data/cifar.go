package data

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

// maxRecords is the greatest number of records of a file, twenty times that of an official batch: a larger
// file is something else, and is an error before it fills the memory.
const maxRecords = 200_000

// OpenCIFAR reads CIFAR-10 or CIFAR-100, whichever is in dir, directly or in the official archive's
// sub-folder (cifar-10-batches-bin, cifar-100-binary), in its binary layout:
//
//	CIFAR-10   data_batch_1.bin ... data_batch_5.bin, test_batch.bin   label, 3072 bytes of pixels
//	CIFAR-100  train.bin, test.bin                                     coarse and fine label, 3072 bytes
//
// The pixels of a record are 1024 red, 1024 green and 1024 blue bytes, row by row (A. Krizhevsky, "Learning
// multiple layers of features from tiny images", 2009).
//
// A file may have any number of records from one on, so a part of a data set can be read too; files that are
// not the official ones are named in Sets.Unknown. The class names come from the data set's own list where
// there is one. An error names the file and, where they apply, the record and the value; errors.Is finds
// fs.ErrNotExist in it if dir contains no data set or a file is missing.
func OpenCIFAR(dir string) (*Sets, error) {
	l, dir, err := findCIFAR(dir)
	if err != nil {
		return nil, err
	}
	classes, err := readNames(filepath.Join(dir, l.names), l.classes)
	if err != nil {
		return nil, err
	}
	d := &Sets{Name: l.name, Mean: l.mean, Std: l.std, Train: &Set{Name: l.name + " train", Classes: classes},
		Test: &Set{Name: l.name + " test", Classes: classes}}
	var train, test origin
	var group errgroup.Group // most of the time is spent on the SHA-256 sums
	group.Go(func() (err error) { train, err = readSet(dir, l, l.train, d.Train); return err })
	group.Go(func() (err error) { test, err = readSet(dir, l, l.test, d.Test); return err })
	if err := group.Wait(); err != nil {
		return nil, err
	}
	d.Verified, d.Unknown = append(train.verified, test.verified...), append(train.unknown, test.unknown...)
	return d, nil
}

// origin lists the files whose sums are those of the official files, and the others.
type origin struct{ verified, unknown []string }

// findCIFAR returns the layout of the first data file that it finds, and the file's folder.
func findCIFAR(dir string) (*layout, string, error) {
	for _, l := range layouts {
		for _, folder := range []string{dir, filepath.Join(dir, l.folder)} {
			for _, file := range l.files() {
				if _, err := os.Stat(filepath.Join(folder, file)); err == nil {
					return l, folder, nil
				}
			}
		}
	}
	return nil, "", fmt.Errorf("cifar: %s holds neither CIFAR-10 (data_batch_1.bin ... test_batch.bin) "+
		"nor CIFAR-100 (train.bin, test.bin): %w", dir, fs.ErrNotExist)
}

// readNames returns the lines of a file of class names, or builtin where there is no such file.
func readNames(path string, builtin []string) ([]string, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return slices.Clone(builtin), nil
	}
	if err != nil {
		return nil, fmt.Errorf("cifar: %w", err)
	}
	names := strings.Fields(string(text))
	if len(names) != len(builtin) {
		return nil, fmt.Errorf("cifar: %s: %d class names, want %d", path, len(names), len(builtin))
	}
	return names, nil
}

// readSet appends the records of the files to set and tells which of the files are the official ones.
func readSet(dir string, l *layout, files []string, set *Set) (o origin, err error) {
	records := 0
	for _, file := range files {
		// A file that cannot be examined is reported when it is opened, below.
		if info, err := os.Stat(filepath.Join(dir, file)); err == nil {
			records += int(min(info.Size()/int64(l.labelBytes()+ImageBytes), maxRecords))
		}
	}
	set.Images = make([]byte, 0, records*ImageBytes)
	set.Labels = make([]uint8, 0, records)
	for _, file := range files {
		sum, err := readFile(filepath.Join(dir, file), l, set)
		if err != nil {
			return o, err
		}
		if sum == l.sums[file] {
			o.verified = append(o.verified, file)
		} else {
			o.unknown = append(o.unknown, file)
		}
	}
	return o, nil
}

// readFile appends the records of one file to set and returns the file's SHA-256 sum.
func readFile(path string, l *layout, set *Set) (sum string, err error) {
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("cifar: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return "", fmt.Errorf("cifar: %w", err)
	}
	switch limit := int64(maxRecords * (l.labelBytes() + ImageBytes)); {
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("cifar: %s is not a regular file", path)
	case info.Size() > limit:
		return "", fmt.Errorf("cifar: %s: %d bytes, more than the %d of %d records", path, info.Size(), limit,
			maxRecords)
	}
	h := sha256.New()
	if err := readRecords(bufio.NewReaderSize(io.TeeReader(file, h), 1<<16), l, set); err != nil {
		return "", fmt.Errorf("cifar: %s: %w", path, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// readRecords appends the records of r to set.
func readRecords(r io.Reader, l *layout, set *Set) error {
	labelBytes := l.labelBytes()
	record := make([]byte, labelBytes+ImageBytes)
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
		label := record[labelBytes-1]
		if int(label) >= len(l.classes) {
			return fmt.Errorf("record %d: label %d is outside 0 to %d", i, label, len(l.classes)-1)
		}
		if l.coarse > 0 {
			if int(record[0]) >= l.coarse {
				return fmt.Errorf("record %d: coarse label %d is outside 0 to %d", i, record[0], l.coarse-1)
			}
			set.Coarse = append(set.Coarse, record[0])
		}
		set.Labels = append(set.Labels, label)
		set.Images = append(set.Images, record[labelBytes:]...)
	}
}
