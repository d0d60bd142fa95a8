// Package filekind tells what a file is before it is read: a regular file and no device, and by its first
// bytes which format.
//
// It is for readers of one format that are handed a file of another: a download that became a web page, a
// pointer that stands for a file, an archive. It knows beginnings only; what follows them is the reader's.
package filekind

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"unicode/utf8"
)

// Beginning is how many bytes of a file Describe needs to see.
const Beginning = 512

// Disk is the machine's files as a file system, by the paths that the operating system takes. Unlike os.DirFS it has names of any
// letters, absolute paths and "..".
type Disk struct{}

// Open is os.Open.
func (Disk) Open(path string) (fs.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Stat is os.Stat.
func (Disk) Stat(path string) (fs.FileInfo, error) { return os.Stat(path) }

// ReadDir is os.ReadDir.
func (Disk) ReadDir(path string) ([]fs.DirEntry, error) { return os.ReadDir(path) }

// Open opens a regular file of the disk and returns its size, as OpenFS does.
func Open(path string) (*os.File, int64, error) {
	f, size, err := OpenFS(Disk{}, path)
	if err != nil {
		return nil, 0, err
	}
	return f.(*os.File), size, nil
}

// OpenFS opens a regular file of a file system and returns its size. Anything else, such as a folder or a named pipe, whose
// opening would wait for somebody to write into it, is refused by its kind without being opened. Every error
// names the path.
func OpenFS(fsys fs.FS, path string) (fs.File, int64, error) {
	info, err := fs.Stat(fsys, path)
	if err != nil {
		return nil, 0, err // it names the path
	}
	if !info.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("%s: %s, not a regular file", path, special(info.Mode()))
	}
	f, err := fsys.Open(path)
	if err != nil {
		return nil, 0, err
	}
	if info, err = f.Stat(); err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}

func special(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "a folder"
	case m&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case m&fs.ModeSocket != 0:
		return "a socket"
	case m&fs.ModeDevice != 0:
		return "a device"
	}
	return "something special"
}

// Peek returns the first bytes of a regular file of the disk, as many as Describe needs if there are so many.
func Peek(path string) ([]byte, error) { return PeekFS(Disk{}, path) }

// PeekFS is Peek for a file of a file system.
func PeekFS(fsys fs.FS, path string) ([]byte, error) {
	f, _, err := OpenFS(fsys, path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	beginning, err := io.ReadAll(io.LimitReader(f, Beginning))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return beginning, nil
}

// Decode reads a file of a file system as a whole and decodes it. Every error names the file.
func Decode[F any](fsys fs.FS, name string, decode func([]byte) (F, error)) (f F, err error) {
	content, err := fs.ReadFile(fsys, name)
	if err != nil {
		return f, err // it names the file
	}
	if f, err = decode(content); err != nil {
		return f, fmt.Errorf("%s: %w", name, err)
	}
	return f, nil
}

// DecodeFrom reads r up to its end and decodes that.
func DecodeFrom[F any](r io.Reader, decode func([]byte) (F, error)) (f F, err error) {
	content, err := io.ReadAll(r)
	if err != nil {
		return f, err
	}
	return decode(content)
}

// Until reads from r until the context is cancelled; then each read fails by the context's error.
func Until(ctx context.Context, r io.ReaderAt) io.ReaderAt { return until{ctx, r} }

type until struct {
	ctx context.Context
	r   io.ReaderAt
}

func (u until) ReadAt(p []byte, at int64) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.ReadAt(p, at)
}

// The names that readers compare with what Describe returns.
const (
	Safetensors = "a safetensors file"
	Zip         = "a zip archive"
	NumPy       = "a NumPy array"
	Pickle      = "a Python pickle"
	WebPage     = "a web page"
	Pointer     = "a Git LFS pointer, which stands for a file that was not fetched"
	Shards      = "an index of shards, which hold the weights"
	Gzip        = "a gzip file"
	Empty       = "an empty file"
)

// beginnings are the formats that a fixed text begins.
var beginnings = []struct{ text, name string }{
	{"\x1f\x8b", Gzip}, {"BZh", "a bzip2 file"}, {"\xfd7zXZ\x00", "an xz file"}, {"\x28\xb5\x2f\xfd", "a zstd file"},
	{"7z\xbc\xaf\x27\x1c", "a 7z archive"}, {"Rar!\x1a\x07", "a RAR archive"}, {"PK\x03\x04", Zip}, {"PK\x05\x06", "an empty zip archive"},
	{"\x89HDF\r\n\x1a\n", "an HDF5 file, as Keras writes them"}, {"GGUF", "a GGUF file"}, {"\x93NUMPY", NumPy},
	{"\x89PNG\r\n\x1a\n", "a PNG picture"}, {"\xff\xd8\xff", "a JPEG picture"}, {"GIF8", "a GIF picture"}, {"%PDF-", "a PDF file"},
	{"\x7fELF", "a program"}, {"version https://git-lfs", Pointer}, {"\x80\x02", Pickle}, {"\x80\x03", Pickle}, {"\x80\x04", Pickle},
	{"\x80\x05", Pickle},
}

// Describe tells what a file is that begins like this, "" if that is not known.
func Describe(beginning []byte) string {
	if len(beginning) == 0 {
		return Empty
	}
	// First, as its two lowest bytes can be those of anything: the length of the header, little-endian, is below 2^32 bytes, and
	// the header is JSON.
	if len(beginning) > 8 && bytes.Equal(beginning[4:8], make([]byte, 4)) && beginning[8] == '{' {
		return Safetensors
	}
	for _, b := range beginnings {
		if bytes.HasPrefix(beginning, []byte(b.text)) {
			return b.name
		}
	}
	if len(beginning) > 262 && string(beginning[257:262]) == "ustar" {
		return "a tar archive"
	}
	return describeText(beginning)
}

func describeText(beginning []byte) string {
	text := bytes.TrimSpace(bytes.TrimPrefix(beginning, []byte("\xef\xbb\xbf")))
	lower := bytes.ToLower(text)
	for _, tag := range []string{"<!doctype html", "<html", "<head", "<body", "<script"} {
		if bytes.HasPrefix(lower, []byte(tag)) {
			return WebPage
		}
	}
	switch {
	case !plain(text):
		return ""
	case bytes.HasPrefix(text, []byte("<")):
		return "an XML text"
	case bytes.HasPrefix(text, []byte("{")) && bytes.Contains(text, []byte(`"weight_map"`)):
		return Shards
	case bytes.HasPrefix(text, []byte("{")) || bytes.HasPrefix(text, []byte("[")):
		return "a JSON text"
	}
	return "a text"
}

// IsText tells whether a file that begins like this is a text.
func IsText(beginning []byte) bool { return plain(beginning) }

// plain tells whether this is the beginning of a text, whose last character may be cut.
func plain(text []byte) bool {
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		if r < ' ' && r != '\n' && r != '\r' && r != '\t' || r == utf8.RuneError && size == 1 && utf8.FullRune(text[i:]) {
			return false
		}
		i += size
	}
	return len(text) > 0
}
