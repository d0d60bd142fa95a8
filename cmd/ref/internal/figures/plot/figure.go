package plot

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"path/filepath"

	"sdref/internal/atomicfile"
)

// Figure is a picture and its numbers.
type Figure struct {
	Name    string // of its files
	Title   string
	Short   string // the result, in one line
	Caption string // what the picture shows
	Picture Picture
	Header  []string
	Rows    [][]string
}

// Write writes the picture as PNG and SVG and the numbers as CSV to a folder.
func (g Figure) Write(folder string) error {
	var table bytes.Buffer
	if err := csv.NewWriter(&table).WriteAll(append([][]string{g.Header}, g.Rows...)); err != nil {
		return err
	}
	for extension, content := range map[string][]byte{".png": g.Picture.PNG, ".svg": g.Picture.SVG, ".csv": table.Bytes()} {
		if err := atomicfile.WriteBytes(filepath.Join(folder, g.Name+extension), content); err != nil {
			return err
		}
	}
	return nil
}

// Row writes numbers as a row of a table.
func Row(values ...any) []string {
	var cells []string
	for _, v := range values {
		cells = append(cells, fmt.Sprint(v))
	}
	return cells
}
