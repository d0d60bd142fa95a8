//go:build unix

package train

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// lock takes a folder for this process: a file with its process id, locked as long as the process lives, however it ends. A file that
// a dead process has left is taken over. release gives the folder back and removes the file.
func lock(folder string) (release func(), err error) {
	path := lockIn(folder)
	for {
		file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
		if err != nil {
			return nil, err
		}
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case errors.Is(err, syscall.EWOULDBLOCK):
			owner, _ := io.ReadAll(io.LimitReader(file, 32)) // nothing read is nobody named
			file.Close()
			return nil, lockedBy(folder, strings.TrimSpace(string(owner)))
		case err != nil: // a file system without locks: better no lock than no run
			file.Close()
			return func() {}, nil
		}
		if !isStill(path, file) { // its owner has just removed it
			file.Close()
			continue
		}
		if err := errors.Join(file.Truncate(0), write(file)); err != nil {
			file.Close()
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		return func() { os.Remove(path); file.Close() }, nil
	}
}

// lockedBy says who has the folder.
func lockedBy(folder, process string) error {
	if process == "" {
		process = "unknown"
	}
	return fmt.Errorf("%s: another ref train, process %s, is training this run: wait for it, stop it, or choose another folder", folder, process)
}

// isStill tells whether an open file is the one of that name.
func isStill(path string, file *os.File) bool {
	named, err := os.Stat(path)
	open, err2 := file.Stat()
	return err == nil && err2 == nil && os.SameFile(named, open)
}

func write(file *os.File) error {
	_, err := file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}
