package main

import (
	"encoding/json"
	"io"

	"sdref/internal/atomicfile"
)

// writeJSON writes a value to a file as indented JSON.
func writeJSON(path string, value any) error {
	return atomicfile.Write(path, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(value)
	})
}
