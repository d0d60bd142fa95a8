package cli

import (
	"encoding/json"
	"io"

	"sdref/internal/atomicfile"
)

// WriteJSON writes a value to a file as indented JSON.
func WriteJSON(path string, value any) error {
	return atomicfile.Write(path, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(value)
	})
}
