package data

import (
	"bytes"
	"io"
	"io/fs"
	"path"
	"path/filepath"

	"sdref/internal/filekind"
)

// tree is where files lie: the machine's disk, or any file system of package io/fs, and how names are put together there.
type tree struct {
	fsys  fs.FS
	join  func(elements ...string) string
	split func(name string) (folder, file string)
}

// disk is the machine's files by the paths that the operating system takes.
var disk = tree{filekind.Disk{}, filepath.Join, filepath.Split}

// treeOf is a file system, whose names fs.ValidPath describes.
func treeOf(fsys fs.FS) tree { return tree{fsys, path.Join, path.Split} }

func (t tree) isDir(name string) bool {
	info, err := fs.Stat(t.fsys, name)
	return err == nil && info.IsDir()
}

// imageFile is a file that is read here and there.
type imageFile interface {
	io.ReadSeekCloser
	io.ReaderAt
}

// openImage opens a regular file that is read here and there: one of a file system that reads from beginning to end only, such as a zip
// archive, is read into memory.
func (t tree) openImage(name string) (imageFile, int64, error) {
	file, size, err := filekind.OpenFS(t.fsys, name)
	if err != nil {
		return nil, 0, err
	}
	if f, ok := file.(imageFile); ok {
		return f, size, nil
	}
	defer file.Close()
	if size > maxFile {
		return inMemory{bytes.NewReader(nil)}, size, nil // which is refused for its size
	}
	content, err := io.ReadAll(io.LimitReader(file, size))
	if err != nil {
		return nil, 0, &fs.PathError{Op: "read", Path: name, Err: err}
	}
	return inMemory{bytes.NewReader(content)}, int64(len(content)), nil
}

// inMemory is a file's bytes.
type inMemory struct{ *bytes.Reader }

func (inMemory) Close() error { return nil }
