package trial

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sdref/golden/judge"
	"sdref/golden/precision"
)

// Declaration is backend.json: what the backend says of itself.
type Declaration struct {
	Name          string            `json:"name"`
	Profile       precision.Profile `json:"profile"`
	Device        string            `json:"device"`
	Deterministic bool              `json:"deterministic"` // the same inputs give the same bits
	// of cases that it does; others are not covered
	Kinds     []string `json:"kinds"`
	Gradients *bool    `json:"gradients,omitempty"` // false: it computes no gradient
	// Kept, which is meant if it is empty, or Flushed
	Subnormals string `json:"subnormals,omitempty"`
	// Kept, which is meant if it is empty, or Unspecified
	NaN string `json:"nan,omitempty"`
	// Stdin: it reads folders from standard input, a line each, after the one that it was started with
	Folders string `json:"folders,omitempty"`
}

// What a declaration says of numbers below 2^-126 and of NaN.
const (
	Kept        = "kept"
	Flushed     = "flushed"     // subnormal numbers may be taken for 0, and become 0
	Unspecified = "unspecified" // where NaN is right, any value is
)

// Stdin is what a declaration says of folders.
const Stdin = "stdin"

// Platform is what the declaration says of special values.
func (d *Declaration) Platform() judge.Platform {
	return judge.Platform{FlushesSubnormals: d.Subnormals == Flushed, NaNUnspecified: d.NaN == Unspecified}
}

// forwardOnly tells whether the backend computes no gradients.
func (d *Declaration) forwardOnly() bool { return d.Gradients != nil && !*d.Gradients }

// declarationFile is the name of the file that holds a declaration, and maxDeclaration its largest size.
const (
	declarationFile = "backend.json"
	maxDeclaration  = 1 << 20
)

// ReadDeclaration reads backend.json in a folder. Texts that the judge prints are made printable.
func ReadDeclaration(dir string) (d Declaration, err error) {
	text, err := readRegular(filepath.Join(dir, declarationFile), maxDeclaration)
	if errors.Is(err, fs.ErrNotExist) {
		return d, fmt.Errorf("%s: the backend did not write it", declarationFile)
	}
	if err == nil {
		err = d.parse(text)
	}
	if err == nil {
		err = d.check()
	}
	if err != nil {
		return Declaration{}, fmt.Errorf("%s: %w", declarationFile, err)
	}
	d.Name, d.Device = Printable(d.Name), Printable(d.Device)
	return d, nil
}

// parse reads the object, each key of which must be known and there once.
func (d *Declaration) parse(text []byte) error {
	if len(bytes.TrimSpace(text)) == 0 {
		return errors.New("an empty file")
	}
	fields := map[string]struct {
		value any
		is    string
	}{
		"name": {&d.Name, "a text"}, "profile": {&d.Profile, "a text"}, "device": {&d.Device, "a text"},
		"deterministic": {&d.Deterministic, "true or false"}, "kinds": {&d.Kinds, "a list of texts"},
		"gradients": {&d.Gradients, "true or false"}, "subnormals": {&d.Subnormals, "a text"},
		"nan": {&d.NaN, "a text"}, "folders": {&d.Folders, "a text"},
	}
	r := json.NewDecoder(bytes.NewReader(text))
	if start, err := r.Token(); err != nil || start != json.Delim('{') {
		return errors.New("not a JSON object")
	}
	seen := map[string]bool{}
	for r.More() {
		key, _ := r.Token()
		name, ok := key.(string)
		if !ok {
			return fmt.Errorf("not JSON, after %d bytes", r.InputOffset())
		}
		field, known := fields[name]
		switch {
		case !known:
			return fmt.Errorf("unknown key %s", Quoted(name))
		case seen[name]:
			return fmt.Errorf("key %s is there twice", name)
		}
		seen[name] = true
		var value json.RawMessage
		if err := r.Decode(&value); err != nil {
			return fmt.Errorf("key %s: not JSON, after %d bytes", name, r.InputOffset())
		}
		if err := json.Unmarshal(value, field.value); err != nil || string(value) == "null" {
			return fmt.Errorf("key %s: want %s", name, field.is)
		}
	}
	if _, err := r.Token(); err != nil {
		return errors.New("not JSON: the object does not end")
	}
	if _, err := r.Token(); err != io.EOF {
		return errors.New("more than one JSON value")
	}
	return nil
}

// check looks at the values.
func (d *Declaration) check() error {
	if d.Name == "" {
		return errors.New("key name is missing")
	}
	if len(d.Kinds) == 0 {
		return errors.New("key kinds is missing, or lists none")
	}
	for i, kind := range d.Kinds {
		if slices.Contains(d.Kinds[:i], kind) {
			return fmt.Errorf("key kinds: %s is there twice", Quoted(kind))
		}
	}
	if !slices.Contains(precision.Profiles, d.Profile) {
		return fmt.Errorf("key profile: %s: want one of %s", Quoted(string(d.Profile)),
			join(precision.Profiles))
	}
	if !slices.Contains([]string{"", Kept, Flushed}, d.Subnormals) {
		return fmt.Errorf("key subnormals: %s: want %s or %s", Quoted(d.Subnormals), Kept, Flushed)
	}
	if !slices.Contains([]string{"", Kept, Unspecified}, d.NaN) {
		return fmt.Errorf("key nan: %s: want %s or %s", Quoted(d.NaN), Kept, Unspecified)
	}
	if d.Folders != "" && d.Folders != Stdin {
		return fmt.Errorf("key folders: %s: want %s", Quoted(d.Folders), Stdin)
	}
	return nil
}

// checkKinds says which of the declared kinds does not exist.
func (d *Declaration) checkKinds(known []string) error {
	for _, kind := range d.Kinds {
		if !slices.Contains(known, kind) {
			return fmt.Errorf("%s: key kinds: there is no kind %s; there are %s", declarationFile,
				Quoted(kind), join(known))
		}
	}
	return nil
}

func join[S ~string](list []S) string {
	words := make([]string, len(list))
	for i, w := range list {
		words[i] = string(w)
	}
	return strings.Join(words, ", ")
}

// readRegular reads a whole file that must be a regular one of limited size. A FIFO or a device, whose end
// may never come, is not opened.
func readRegular(path string, limit int64) ([]byte, error) {
	info, err := regular(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > limit {
		return nil, fmt.Errorf("%d bytes, want %d at the most", info.Size(), limit)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, errors.New("cannot be read")
	}
	return text, nil
}

// regular looks at a file, following links, and refuses whatever is no regular file.
func regular(path string) (fs.FileInfo, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fs.ErrNotExist
	case err != nil:
		return nil, errors.New("cannot be read")
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s, want a regular file", fileType(info.Mode()))
	}
	return info, nil
}

// fileType is a word for what is no regular file.
func fileType(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "a folder"
	case m&fs.ModeNamedPipe != 0:
		return "a FIFO"
	case m&fs.ModeDevice != 0:
		return "a device"
	case m&fs.ModeSocket != 0:
		return "a socket"
	}
	return "a special file"
}
