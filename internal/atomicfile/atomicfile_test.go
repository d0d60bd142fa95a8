package atomicfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

// onlyFile fails unless folder has exactly one entry, name, with content want.
func onlyFile(t *testing.T, folder, name, want string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 1 || entries[0].Name() != name {
		t.Fatalf("folder holds %v, want only %s", entries, name)
	}
	got, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s holds %d bytes that begin %.20q, want %d that begin %.20q", name, len(got), got,
			len(want), want)
	}
}

func TestCreateThenReplace(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "f")
	for _, content := range []string{"first and longer", "second", "", strings.Repeat("large ", 1<<16)} {
		if err := Write(path, text(content)); err != nil {
			t.Fatal(err)
		}
		onlyFile(t, folder, "f", content)
	}
}

func TestRelativePathWithoutFolder(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := Write("f", text("here")); err != nil {
		t.Fatal(err)
	}
	onlyFile(t, ".", "f", "here")
}

func TestPermissionsAreKept(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no permission bits")
	}
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, []byte("old"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, text("new")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o640 {
		t.Errorf("mode %o, want 640", got)
	}
}

func TestSymbolicLinkIsFollowed(t *testing.T) {
	far, near := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(far, "real"), []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(near, "link")
	if err := os.Symlink(filepath.Join(far, "real"), link); err != nil {
		t.Skip(err)
	}
	if err := Write(link, text("new")); err != nil {
		t.Fatal(err)
	}
	onlyFile(t, far, "real", "new")
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link was replaced: %v, %v", info, err)
	}
}

// failing is a disk that fails at one chosen step. It does not embed the
// *os.File, whose WriteString would go past Write.
type failing struct {
	f           *os.File
	room        int // bytes until Write fails; negative: never
	sync, close error
}

func (d *failing) Write(p []byte) (int, error) {
	if d.room < 0 || len(p) <= d.room {
		n, err := d.f.Write(p)
		if d.room > 0 {
			d.room -= n
		}
		return n, err
	}
	n, _ := d.f.Write(p[:d.room])
	d.room = 0
	return n, syscall.ENOSPC
}

func (d *failing) Name() string { return d.f.Name() }
func (d *failing) Sync() error  { return errors.Join(d.f.Sync(), d.sync) }
func (d *failing) Close() error { return errors.Join(d.f.Close(), d.close) }

// full writes to /dev/full, a device that is always out of space.
type full struct {
	failing
	device *os.File
}

func (d *full) Write(p []byte) (int, error) { return d.device.Write(p) }

func TestFailingDiskLeavesTheOldFile(t *testing.T) {
	long := strings.Repeat("x", 300_000)
	wrap := func(change func(*failing)) func(file) file {
		return func(f file) file {
			g := &failing{f: f.(*os.File), room: -1}
			change(g)
			return g
		}
	}
	for _, c := range []struct {
		name  string
		write func(io.Writer) error
		wrap  func(file) file
		cause error
	}{
		{"full at the first byte, seen when flushing", text("short"), wrap(func(f *failing) {
			f.room = 0
		}), syscall.ENOSPC},
		{"full half-way", text(long), wrap(func(f *failing) { f.room = 100_000 }), syscall.ENOSPC},
		{"full half-way, writer hides it", func(w io.Writer) error { text(long)(w); return nil },
			wrap(func(f *failing) { f.room = 100_000 }), syscall.ENOSPC},
		{"sync", text("new"), wrap(func(f *failing) { f.sync = syscall.EIO }), syscall.EIO},
		{"close", text("new"), wrap(func(f *failing) { f.close = syscall.EDQUOT }), syscall.EDQUOT},
		{"writer gives up part-way", func(w io.Writer) error { text(long)(w); return io.ErrUnexpectedEOF },
			wrap(func(*failing) {}), io.ErrUnexpectedEOF},
	} {
		t.Run(c.name, func(t *testing.T) {
			diskFails(t, c.write, c.wrap, c.cause)
		})
	}
	t.Run("/dev/full", func(t *testing.T) {
		device, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Skip(err)
		}
		defer device.Close()
		diskFails(t, text("new"), func(f file) file {
			return &full{failing{f: f.(*os.File)}, device}
		}, syscall.ENOSPC)
	})
}

func diskFails(t *testing.T, write func(io.Writer) error, wrap func(file) file, cause error) {
	t.Helper()
	folder := t.TempDir()
	path := filepath.Join(folder, "f")
	if err := os.WriteFile(path, []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	err := replace(path, write, func(folder string, mode fs.FileMode) (file, error) {
		f, err := create(folder, mode)
		if err != nil {
			return nil, err
		}
		return wrap(f), nil
	})
	if !errors.Is(err, cause) || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v, want one that names %s and wraps %v", err, path, cause)
	}
	onlyFile(t, folder, "f", "old")
}

func TestRenameFails(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "f")
	err := Write(path, func(w io.Writer) error {
		// Somebody makes a folder of that name in the meantime.
		if err := os.Mkdir(path, 0o777); err != nil {
			t.Fatal(err)
		}
		return text("new")(w)
	})
	if err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v, want one that names %s", err, path)
	}
	if entries, _ := os.ReadDir(folder); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
}

func TestPanicLeavesNothingBehind(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "f")
	if err := os.WriteFile(path, []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if recover() == nil {
			t.Error("the panic was swallowed")
		}
		onlyFile(t, folder, "f", "old")
	}()
	_ = Write(path, func(io.Writer) error { panic("bug") })
}

func TestRefusedPlaces(t *testing.T) {
	folder := t.TempDir()
	plain := filepath.Join(folder, "plain")
	if err := os.WriteFile(plain, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"missing folder":       filepath.Join(folder, "missing", "f"),
		"a file as the folder": filepath.Join(plain, "f"),
		"a folder":             folder,
		"the empty path":       "",
		"a device":             os.DevNull,
	} {
		called := false
		err := Write(path, func(io.Writer) error { called = true; return nil })
		if err == nil || !strings.Contains(err.Error(), path) || called {
			t.Errorf("%s: error %v, writer called: %t", name, err, called)
		}
	}
	onlyFile(t, folder, "plain", "")
}

func TestReadOnlyFolder(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "f")
	if err := os.WriteFile(path, []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(folder, 0o555); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(folder, 0o777)
	if probe, err := os.Create(filepath.Join(folder, "probe")); err == nil {
		probe.Close()
		os.Remove(probe.Name())
		t.Skip("this user may write anywhere")
	}
	err := Write(path, text("new"))
	if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v, want permission denied for %s", err, path)
	}
	onlyFile(t, folder, "f", "old")
}

// Readers that race with a writer see a whole old or a whole new file.
func TestReadersSeeWholeFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	version := func(i int) []byte { return bytes.Repeat([]byte{byte(i)}, 100_000) }
	write := func(i int) error {
		return Write(path, func(w io.Writer) error { _, err := w.Write(version(i)); return err })
	}
	if err := write(0); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() {
		for i := 1; i < 20; i++ {
			if err := write(i); err != nil {
				done <- err
				return
			}
		}
		close(done)
	}()
	for {
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) == 0 || !bytes.Equal(got, version(int(got[0]))) {
			t.Fatalf("half a file of %d bytes", len(got))
		}
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			return
		default:
		}
	}
}

func ExampleWrite() {
	folder, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "answer")

	err = Write(path, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, 42)
		return err
	})
	if err != nil {
		panic(err)
	}
	content, _ := os.ReadFile(path)
	fmt.Printf("%s", content)

	// A writer that fails leaves the file as it was.
	failed := Write(path, func(w io.Writer) error {
		fmt.Fprintln(w, 43)
		return io.ErrShortWrite
	})
	content, _ = os.ReadFile(path)
	fmt.Println(errors.Is(failed, io.ErrShortWrite))
	fmt.Printf("%s", content)
	// Output:
	// 42
	// true
	// 42
}
