//go:build unix

package data

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What is no regular file, or claims too much, is refused at once.
func TestUnusualFiles(t *testing.T) {
	for name, c := range map[string]struct {
		make func(path string) error
		says string
	}{
		"pipe":   {func(path string) error { return syscall.Mkfifo(path, 0o666) }, "a named pipe, not a regular file"},
		"device": {func(path string) error { return os.Symlink("/dev/zero", path) }, "a device, not a regular file"},
		"sparse": {func(path string) error {
			put(t, path, []byte("\x89PNG\r\n\x1a\n"))
			return os.Truncate(path, maxFile+1)
		}, "1073741825 bytes, more than the 1073741824"},
		"zeros": {func(path string) error { put(t, path, nil); return os.Truncate(path, maxFile) }, "no image of JPEG"},
		"loop":  {func(path string) error { return os.Symlink("1.jpg", path) }, "1.jpg"},
	} {
		dir := classFolder(t)
		path := filepath.Join(dir, "train/cat/1.jpg")
		removeAll(t, path)
		if err := c.make(path); err != nil {
			t.Skip(err)
		}
		done := make(chan error, 1)
		go func() { done <- check(openFolder(t, dir).Train) }()
		select {
		case err := <-done:
			if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), path) {
				t.Errorf("%s: %v", name, err)
			}
		case <-time.After(time.Minute):
			t.Fatalf("%s: waits", name)
		}
	}
	dir := classFolder(t)
	if err := os.Symlink("..", filepath.Join(dir, "train/cat/up")); err != nil {
		t.Skip(err)
	}
	if _, err := OpenFolder(dir, rgb(32)); err == nil || !strings.Contains(err.Error(), "a link may lead back") {
		t.Errorf("folders without end: %v", err)
	}
}
