package trial

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"sdref/golden/graph"
	"sdref/golden/judge"
	"sdref/tensor/npy"
)

// ReadAnswers reads what the backend answered to a request. A file that cannot be read is an answer with an
// error; a file that belongs to no node is an answer, with an error, by the file's name. So is the outputs
// folder itself if it is gone.
func ReadAnswers(dir string, r Request) judge.Answers {
	answers := judge.Answers{}
	nodes := map[string]*graph.Node{}
	for i := range r.Case.Nodes {
		n := &r.Case.Nodes[i]
		nodes[FileName(n.Name)] = n
	}
	folder := filepath.Join(dir, r.ID, "outputs")
	var files []os.DirEntry
	info, err := os.Lstat(folder) // a FIFO in its place must not be opened
	if err == nil && info.IsDir() {
		files, err = os.ReadDir(folder)
	}
	if err != nil || !info.IsDir() {
		answers["outputs"] = &judge.Answer{Err: errors.New("the folder is gone, or no folder any more")}
		return answers
	}
	for _, f := range files {
		n := nodes[f.Name()]
		if n == nil {
			answers[f.Name()] = &judge.Answer{Err: errors.New("no node of the case has this file")}
			continue
		}
		a, err := readAnswer(filepath.Join(folder, f.Name()), n.Shape)
		if err != nil {
			err = fmt.Errorf("%s: %w", f.Name(), err)
		}
		answers[n.Name] = &judge.Answer{Shape: a.Shape, DType: a.DType, Data: a.Data, Err: err}
	}
	return answers
}

// readAnswer reads a file whose header states the wanted shape and whose size is what the header says.
// Otherwise it reads no value.
func readAnswer(path string, shape []int) (a npy.Array, err error) {
	info, err := regular(path)
	if errors.Is(err, fs.ErrNotExist) { // it was there: a link
		return a, errors.New("a link to a file that does not exist")
	}
	if err != nil {
		return a, err
	}
	file, err := os.Open(path)
	if err != nil {
		return a, errors.New("cannot be read")
	}
	defer file.Close()
	h, err := npy.ReadHeader(file)
	switch {
	case err != nil:
		return a, err
	case !slices.Equal(h.Shape, shape):
		return a, fmt.Errorf("shape %s, want %s", sidesText(h.Shape), sidesText(shape))
	case h.Bytes != info.Size():
		return a, fmt.Errorf("%d bytes, want %d for shape %s in %s", info.Size(), h.Bytes, sidesText(h.Shape),
			h.DType)
	}
	a, err = npy.Read(path)
	if err != nil {
		return npy.Array{}, errors.New("changed while it was read")
	}
	return a, nil
}

// maxSides is how many sides of a shape, and maxQuoted how many bytes of a backend's text, messages repeat.
const (
	maxSides  = 8
	maxQuoted = 80
)

// sidesText is a shape for messages.
func sidesText(shape []int) string {
	if len(shape) > maxSides {
		return fmt.Sprintf("of %d axes", len(shape))
	}
	return fmt.Sprint(shape)
}

// Quoted is a backend's text for messages: in quotes, control characters escaped, of limited length.
func Quoted(text string) string {
	if len(text) > maxQuoted {
		return strconv.QuoteToGraphic(text[:maxQuoted]) + "..."
	}
	return strconv.QuoteToGraphic(text)
}

// Printable is a backend's text as it is if it is short and harmless, and otherwise Quoted.
func Printable(text string) string {
	if quoted := Quoted(text); quoted != `"`+text+`"` {
		return quoted
	}
	return text
}
