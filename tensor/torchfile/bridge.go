package torchfile

import (
	"fmt"
	"io"
	"io/fs"
)

// ReadFrom reads a file from r up to its end.
func ReadFrom(r io.Reader) (*File, error) {
	file, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	return Decode(file)
}

// ReadFS reads the named file of a file system, such as one that is embedded in the program. Every error names it.
func ReadFS(fsys fs.FS, name string) (*File, error) {
	file, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, err // it names the file
	}
	f, err := Decode(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	f.Path = name
	return f, nil
}
