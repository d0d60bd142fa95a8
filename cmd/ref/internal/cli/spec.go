package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"sdref/internal/filekind"
	"sdref/sdnet"
)

// SpecUsage describes a flag whose value ReadSpec reads.
const SpecUsage = "a network of your own: a `file` of JSON with its specification, as ref describe -json prints that of another network"

// maxSpec bounds the file of a specification, in bytes.
const maxSpec = 1 << 20

// ReadSpec reads the specification of a network. An error names the file. Whether the network can be is for Spec.Check to say, since a
// specification may leave open what the images tell: the name of the data and the number of classes.
func ReadSpec(path string) (s sdnet.Spec, err error) {
	file, size, err := filekind.Open(path)
	if err != nil {
		return s, err // it names the path
	}
	defer file.Close()
	if size > maxSpec {
		return s, fmt.Errorf("%s: %d bytes, no specification of a network", path, size)
	}
	d := json.NewDecoder(io.LimitReader(file, maxSpec))
	d.DisallowUnknownFields()
	if err = d.Decode(&s); err == nil && d.More() {
		err = errors.New("more than one JSON value")
	}
	if err == nil && s.Name == "" {
		err = errors.New("the network has no Name")
	}
	if err != nil {
		return s, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}
