package npy

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"sdref/internal/filekind"
)

// zipMagic begins an archive.
const zipMagic = "PK\x03\x04"

// IsArchive tells whether a file that begins like this may be an .npz archive.
func IsArchive(beginning []byte) bool { return bytes.HasPrefix(beginning, []byte(zipMagic)) }

// ReadNamed reads the array of a .npy file, or an array from an .npz archive: the one of the given name or,
// if there is none of that name, the only one there is. Errors name the file.
func ReadNamed(path, name string) (Array, error) { return readFile(path, named(name)) }

// ReadNamedFS is ReadNamed for a file of a file system.
func ReadNamedFS(fsys fs.FS, path, name string) (Array, error) {
	return filekind.Decode(fsys, path, named(name))
}

// ReadNamedFrom is ReadNamed for a file that r reads up to its end.
func ReadNamedFrom(r io.Reader, name string) (Array, error) {
	return filekind.DecodeFrom(r, named(name))
}

// named decodes a file and takes the array of that name.
func named(name string) func(file []byte) (Array, error) {
	return func(file []byte) (Array, error) {
		if !IsArchive(file) {
			return Decode(file)
		}
		z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			return Array{}, err
		}
		f, err := member(z, name)
		if err != nil {
			return Array{}, err
		}
		content, err := unpack(f)
		if err != nil {
			return Array{}, fmt.Errorf("%.60q: %w", f.Name, err)
		}
		a, err := Decode(content)
		if err != nil {
			return Array{}, fmt.Errorf("%.60q: %w", f.Name, err)
		}
		return a, nil
	}
}

// member is the array of a name, or the only one.
func member(z *zip.Reader, name string) (*zip.File, error) {
	var names []string
	var found, last *zip.File
	for _, f := range z.File {
		array, ok := strings.CutSuffix(f.Name, ".npy")
		if !ok {
			continue
		}
		if array == name && found != nil {
			return nil, fmt.Errorf("two arrays %.60q", name)
		}
		if last = f; array == name {
			found = f
		}
		names = append(names, fmt.Sprintf("%.60q", array))
	}
	switch {
	case found != nil:
		return found, nil
	case len(names) == 1:
		return last, nil
	case len(names) == 0:
		return nil, fmt.Errorf("a zip archive of %d files without an array of NumPy's", len(z.File))
	}
	slices.Sort(names)
	return nil, fmt.Errorf("no array %.60q among %.200s", name, strings.Join(names, ", "))
}

// unpack reads a member to its end, where its checksum is compared.
func unpack(f *zip.File) ([]byte, error) {
	if f.UncompressedSize64 > maxFile {
		return nil, fmt.Errorf("%d bytes, more than 2 GB", f.UncompressedSize64)
	}
	opened, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	return io.ReadAll(io.LimitReader(opened, int64(f.UncompressedSize64)+1))
}
