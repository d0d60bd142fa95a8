// Golden files of one's own: the first run records a result, later ones compare with it.
package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log"
	"os"
	"path/filepath"

	"sdref/golden"
	"sdref/tensor"
)

func main() {
	x := golden.Fill{Shape: []int{8, 100}, Seed: 1, Scale: 1}
	c := &golden.Case{Path: filepath.Join(os.TempDir(), "product.json"), Name: "product", Kind: "matmul", Inputs: map[string]golden.Fill{"x": x}}
	a, y := tensor.Convert[float32](tensor.From(x.Values(), 8, 100)), tensor.New[float32](8, 8)
	tensor.MatMul(y, a, a, false, true)
	golden.Put(c, "y", y.Shape, y.Data, nil)
	_, err := os.Stat(c.Path)
	rows, err := c.Check(1e-5, errors.Is(err, fs.ErrNotExist))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("recorded:", rows == nil, "passed:", golden.Passed(rows))
}
