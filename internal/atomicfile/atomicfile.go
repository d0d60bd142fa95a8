// Package atomicfile replaces a file atomically: neither a reader nor a crash
// nor a full disk ever leaves half of it under its name. The new bytes go to a
// temporary file in the same folder, reach the disk, and only then take the name.
//
// It is for files that are expensive to compute again, such as checkpoints. It
// does not know what is in the file.
package atomicfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
)

// file is the methods that Write needs of an *os.File; tests implement it as a disk that fails.
type file interface {
	io.Writer
	Name() string
	Sync() error
	Close() error
}

// Write replaces the file at path by what write writes. After a nil error the
// new file, and its name, are on the disk. After an error the old file, if
// there was one, is untouched and no temporary file is left, except that a
// folder which cannot be synced is reported after the new file is in place.
// The same clean-up happens if write panics.
//
// The folder must exist. An existing file keeps its permission bits, a new one
// gets 0666 less the umask. A symbolic link is followed. Anything at path that
// is not a regular file is refused. Writes are buffered. Every error names path
// and wraps its cause.
func Write(path string, write func(io.Writer) error) error {
	return replace(path, write, create)
}

// WriteBytes is Write of bytes that are there already.
func WriteBytes(path string, content []byte) error {
	return Write(path, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

// Try tells whether Write could replace the file at path, as far as that can be known beforehand: its folder is there and takes new
// files, and path is not something else than a file. Nothing is changed.
func Try(path string) error {
	err := Write(path, func(io.Writer) error { return errTried })
	if errors.Is(err, errTried) {
		return nil
	}
	return err
}

var errTried = errors.New("only tried")

func replace(path string, write func(io.Writer) error,
	create func(folder string, mode fs.FileMode) (file, error)) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("write %s: %w", path, err)
		}
	}()
	target := path
	if followed, err := filepath.EvalSymlinks(path); err == nil {
		target = followed
	}
	var mode fs.FileMode
	switch old, err := os.Stat(target); {
	case err == nil && !old.Mode().IsRegular():
		return errors.New("not a regular file")
	case err == nil:
		mode = old.Mode().Perm()
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	folder := filepath.Dir(target)
	f, err := create(folder, mode)
	if err != nil {
		return err
	}
	renamed := false
	defer func() {
		if !renamed {
			os.Remove(f.Name())
		}
	}()
	if err := fill(f, write); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), target); err != nil {
		return err
	}
	renamed = true
	return syncFolder(folder)
}

// create opens a new file in folder under a name that is not in use, with the
// given permission bits, or the umask's where mode is 0.
func create(folder string, mode fs.FileMode) (file, error) {
	name := filepath.Join(folder, fmt.Sprintf(".tmp-%016x", rand.Uint64()))
	// O_EXCL: a file that has this name after all is an error, and is not overwritten.
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return nil, err
	}
	if mode != 0 {
		if err := f.Chmod(mode); err != nil {
			f.Close()
			os.Remove(name)
			return nil, err
		}
	}
	return f, nil
}

// fill runs write on f, brings every byte to the disk, and closes f whatever
// happens. A full disk may show up in any of these steps.
func fill(f file, write func(io.Writer) error) (err error) {
	defer func() {
		if closing := f.Close(); err == nil {
			err = closing
		}
	}()
	buffered := bufio.NewWriterSize(f, 1<<16)
	if err := write(buffered); err != nil {
		return err
	}
	if err := buffered.Flush(); err != nil {
		return err
	}
	return f.Sync()
}

// syncFolder makes the new name survive a loss of power. Windows has no such call.
func syncFolder(folder string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
