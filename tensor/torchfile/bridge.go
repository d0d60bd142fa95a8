package torchfile

import (
	"io"
	"io/fs"

	"sdref/internal/filekind"
)

// ReadFrom reads a file from r up to its end.
func ReadFrom(r io.Reader) (*File, error) { return filekind.DecodeFrom(r, Decode) }

// ReadFS reads the named file of a file system, such as one that is embedded in the program. Every error names it.
func ReadFS(fsys fs.FS, name string) (*File, error) {
	f, err := filekind.Decode(fsys, name, Decode)
	if err == nil {
		f.Path = name
	}
	return f, err
}
