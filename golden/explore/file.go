package explore

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"sdref/golden/cases"
	"sdref/internal/atomicfile"
)

// stored is the file of a case: its point, and what was found there.
type stored struct {
	cases.Point
	Rule string `json:"rule,omitempty"` // for readers
}

// Save writes the smallest case of a finding to a file, from which Load makes it again.
func (f *Finding) Save(path string) error {
	text, err := json.MarshalIndent(stored{f.Point, f.Rule.String()}, "", " ")
	if err != nil {
		return err
	}
	return atomicfile.WriteBytes(path, append(text, '\n'))
}

// maxFile is the largest size of a file of a case.
const maxFile = 1 << 16

// Load reads the file of a case. An error names the file, and the field or the coordinate.
func Load(path string) (cases.Point, error) {
	file, err := os.Open(path)
	if err != nil {
		return cases.Point{}, err
	}
	defer file.Close()
	return read(path, file)
}

// LoadFS is Load for a file of a file system.
func LoadFS(fsys fs.FS, name string) (cases.Point, error) {
	file, err := fsys.Open(name)
	if err != nil {
		return cases.Point{}, err
	}
	defer file.Close()
	return read(name, file)
}

func read(path string, file io.Reader) (cases.Point, error) {
	text, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("more than %d bytes, no case", maxFile)
	}
	var s stored
	if err == nil {
		r := json.NewDecoder(bytes.NewReader(text))
		r.DisallowUnknownFields()
		if err = r.Decode(&s); err == nil && r.More() {
			err = errors.New("more than one JSON value")
		}
	}
	if err == nil {
		err = s.Check()
	}
	if err != nil {
		return cases.Point{}, fmt.Errorf("%s: %w", path, err)
	}
	return s.Point, nil
}
