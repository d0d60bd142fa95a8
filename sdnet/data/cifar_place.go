package data

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"

	"sdref/internal/filekind"
)

// place is where files lie: a folder or an archive.
type place interface {
	open(name string) (content io.ReadCloser, size int64, err error)
	size(name string) int64 // 0 if that is not known
	path(name string) string
}

// folder is a place in a tree.
type folder struct {
	tree
	name string
}

func (f folder) path(name string) string { return f.join(f.name, name) }

func (f folder) size(name string) int64 {
	info, err := fs.Stat(f.fsys, f.path(name))
	if err != nil {
		return 0 // it is reported when the file is opened
	}
	return info.Size()
}

func (f folder) open(name string) (io.ReadCloser, int64, error) {
	file, size, err := filekind.OpenFS(f.fsys, f.path(name))
	if err != nil {
		return nil, 0, err
	}
	return bufferedFile{bufio.NewReaderSize(file, 1<<16), file}, size, nil
}

type bufferedFile struct {
	io.Reader
	io.Closer
}

// archive is a tar file, compressed by gzip or not, and the files in it that were unpacked.
type archive struct {
	tree
	file    string
	limit   int64 // of the bytes that it may unpack to
	content map[string][]byte
}

func (a *archive) path(name string) string { return a.file + ", " + name }
func (a *archive) size(name string) int64  { return int64(len(a.content[name])) }

func (a *archive) open(name string) (io.ReadCloser, int64, error) {
	content, ok := a.content[name]
	if !ok {
		return nil, 0, fmt.Errorf("%s: %w", a.path(name), fs.ErrNotExist)
	}
	return buffered(content), int64(len(content)), nil
}

// maxUnpacked bounds the bytes of an archive; the official ones have less than 200 MB.
const maxUnpacked = 1 << 30

// unpack reads the files of the first form that the archive has a file of.
func (a *archive) unpack() (c cifar, err error) {
	file, _, err := filekind.OpenFS(a.fsys, a.file)
	if err != nil {
		return c, err
	}
	defer file.Close()
	if c, err = a.unpackFrom(file); err != nil {
		err = fmt.Errorf("%s: %w", a.file, err)
	}
	return c, err
}

func (a *archive) unpackFrom(file io.Reader) (c cifar, err error) {
	r, err := uncompressed(bufio.NewReaderSize(file, 1<<16))
	if err != nil {
		return c, err
	}
	limited := &io.LimitedReader{R: r, N: a.limit}
	a.content = map[string][]byte{}
	var found []string
	defer func() {
		if err != nil && limited.N == 0 {
			err = fmt.Errorf("it unpacks to more than the limit of %d bytes", a.limit)
		}
	}()
	for t := tar.NewReader(limited); ; {
		h, err := t.Next()
		switch {
		case err == io.EOF && c.layout == nil:
			return c, fmt.Errorf("an archive of %s, of no files of CIFAR: tar -xf unpacks it: %w", some(found), fs.ErrNotExist)
		case err == io.EOF:
			c.at = a
			return c, nil
		case err != nil:
			return c, fmt.Errorf("%w; the file is not complete", err)
		case h.Typeflag != tar.TypeReg:
			continue
		}
		if found = append(found, h.Name); len(found) > 2*maxNamed {
			found = found[:len(found)-1]
		}
		if c.layout == nil {
			c.layout, c.form = formOf(h.Name)
		}
		name := path.Base(h.Name)
		if c.layout == nil || name != c.form.names && !slices.Contains(c.form.files(), name) {
			continue
		}
		if a.content[name], err = io.ReadAll(t); err != nil {
			return c, fmt.Errorf("%s: %w; the file is not complete", name, err)
		}
	}
}

// formOf is the form that has a file of an archive; nil if none has.
func formOf(name string) (*layout, members) {
	for _, l := range layouts {
		for _, m := range []members{l.members, l.python} {
			if path.Base(path.Dir(name)) == m.folder && slices.Contains(m.files(), path.Base(name)) {
				return l, m
			}
		}
	}
	return nil, members{}
}

// uncompressed is a reader of what r holds, compressed by gzip or not.
func uncompressed(r *bufio.Reader) (io.Reader, error) {
	beginning, err := r.Peek(filekind.Beginning)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if filekind.Describe(beginning) == filekind.Gzip {
		return gzip.NewReader(r)
	}
	return r, nil
}
