package lab

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"

	"sdref"
)

//go:embed page
var page embed.FS

// pageFiles returns the page's files by their names, with those that are made here: source.json.
func pageFiles() (map[string][]byte, error) {
	files := map[string][]byte{}
	entries, err := page.ReadDir("page")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if files[e.Name()], err = page.ReadFile(path.Join("page", e.Name())); err != nil {
			return nil, err
		}
	}
	files["source.json"], err = sourceFile(sdref.Source)
	return files, err
}

// places are what the page shows the source of, beside the equations that docs/paper.md lists.
var places = map[string]string{
	"certificate": "csc/solve/certificate.go:Certify",
	"variants":    "csc/fista.go:FISTA",
	"implicit":    "csc/implicit.go:Solution",
	"backward":    "autodiff/gradient.go:Backward",
	"bound":       "csc/spectrum/bound.go:Operator.UpperBound",
	"ritz":        "csc/spectrum/lanczos.go:Operator.Lanczos",
	"predict":     "sdnet/predict.go:Predictor.Logits",
	"line":        "sdnet/robust/fit.go:Line.At",
	"attack":      "sdnet/attack/pgd.go:Model.Attack",
}

// shownPlace is a declaration in one of the files.
type shownPlace struct {
	File string `json:"file"`
	Name string `json:"name"`
	From int    `json:"from"` // lines, from 1
	To   int    `json:"to"`
}

// sourceFile is what the page knows of the module's source: the places of equations and of its own, and the files that they are in.
func sourceFile(module fs.FS) ([]byte, error) {
	paper, err := fs.ReadFile(module, "docs/paper.md")
	if err != nil {
		return nil, err
	}
	shown := struct {
		Places map[string]shownPlace `json:"places"`
		Files  map[string]string     `json:"files"`
	}{map[string]shownPlace{}, map[string]string{}}
	show := func(id, place string) error {
		file, name, ok := sdref.SplitPlace(place)
		if !ok {
			return fmt.Errorf("%q is no FILE:NAME", place)
		}
		d, err := sdref.Declared(module, file, name)
		if err != nil {
			return err
		}
		text, err := fs.ReadFile(module, file)
		shown.Places[id], shown.Files[file] = shownPlace{file, name, d.From, d.To}, string(text)
		return err
	}
	for _, row := range sdref.PaperRows(string(paper)) {
		if _, again := shown.Places[row.Equations]; again {
			continue // the first place is the one that the networks use
		}
		if err := show(row.Equations, row.Place); err != nil {
			return nil, err
		}
	}
	for id, place := range places {
		if err := show(id, place); err != nil {
			return nil, err
		}
	}
	return json.Marshal(shown)
}
