package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sdref/internal/atomicfile"
	"sdref/sdnet/pretrained"
	"sdref/tensor"
	"sdref/tensor/safetensors"
)

const figuresHelp = `ref figures draws the figures of the paper's supplement for trained networks, each as PNG, SVG and
CSV, and writes one page, report.html, that holds what this call drew and needs no other file.

  C1         the atoms of the stem as colour images (Figure C.1)
  B1         the input again from the outputs of blocks, by (B.2) and (B.3) (Figure B.1): with
             BatchNorm inverted as published and exactly; then with each channel stretched; then
             without what all images have in common
  D1         how the codes are distributed over the test images (Figure D.1), zeros apart
  training   loss and accuracy per epoch
  fista      objective and length of the step per iteration, on the first test image
  power      how power iteration converges
  spectrum   the eigenvalues of A A* of the stem by frequency, its singular values

Without -checkpoint it takes the networks that come with the program. What a network or the images
do not allow is left out, and the page says why. Of several networks each gets a folder in -out.`

// figuresFlags are the flags of ref figures.
type figuresFlags struct {
	checkpoints, only, blocks []string
	images, out               string
	count, show               int
}

// runFigures draws figures.
func runFigures(c *call) error {
	var f figuresFlags
	list := func(into *[]string) func(string) error {
		return func(s string) error { *into = append(*into, strings.Split(s, ",")...); return nil }
	}
	c.flags.Func("checkpoint", checkpointUsage()+"; may be given several times", func(s string) error { f.checkpoints = append(f.checkpoints, s); return nil })
	c.flags.StringVar(&f.images, "data", shapesName, dataUsage)
	c.flags.StringVar(&f.out, "out", "figures", "the `folder` to write to")
	c.flags.Func("only", "draw only these `figures`, separated by commas: "+strings.Join(figureNames(), ", "), list(&f.only))
	c.flags.IntVar(&f.count, "images", 0, "count the codes of the first `N` test images only (0: all)")
	c.flags.IntVar(&f.show, "show", 8, "reconstruct that many test images")
	c.flags.Func("blocks", "reconstruct from these `blocks`, separated by commas, such as block0.0,block2.1 (default: the stem and the last block of each stage)", list(&f.blocks))
	if err := c.parse(figuresHelp); err != nil {
		return err
	}
	if f.count < 0 || f.show < 1 || f.show > 64 {
		return fmt.Errorf("-images %d, -show %d: at least 0, and 1 to 64", f.count, f.show)
	}
	for _, name := range f.only {
		if !slices.Contains(figureNames(), name) {
			return fmt.Errorf("-only: there is no figure %q; there are %s", name, strings.Join(figureNames(), ", "))
		}
	}
	if f.checkpoints == nil {
		for _, name := range pretrained.Names() {
			f.checkpoints = append(f.checkpoints, pretrained.Prefix+name)
		}
	}
	return c.figures(f)
}

// figures draws the figures of each network and writes the report.
func (c *call) figures(f figuresFlags) error {
	if err := os.MkdirAll(f.out, 0o755); err != nil {
		return err
	}
	p := newProgress(c.stdout, 0)
	defer p.end()
	p.say("%s", machine())
	var r report
	for i, where := range f.checkpoints {
		file, config, err := openTrained(where)
		if err != nil {
			return err
		}
		folder := f.out
		if len(f.checkpoints) > 1 {
			folder = filepath.Join(f.out, config.Network)
			if slices.ContainsFunc(r.Networks, func(s section) bool { return s.Name == config.Network }) {
				return fmt.Errorf("-checkpoint: two of %s; draw them into two folders", config.Network)
			}
		}
		draw := drawSection[float32]
		if config.Type == "float64" {
			draw = drawSection[float64]
		}
		s, err := draw(c, p, f, file, folder, float64(i)/float64(len(f.checkpoints)), float64(i+1)/float64(len(f.checkpoints)))
		if err != nil {
			return err
		}
		r.Networks = append(r.Networks, s)
	}
	page := filepath.Join(f.out, "report.html")
	if err := r.write(page); err != nil {
		return err
	}
	p.say("report: %s", page)
	return nil
}

// drawSection draws the figures of one network into a folder; the job's share goes from one number to the other meanwhile.
func drawSection[T tensor.Float](c *call, p *progress, f figuresFlags, file *safetensors.File, folder string, from, to float64) (section, error) {
	d, err := newDrawing[T](c, p, f, file)
	if err != nil {
		return section{}, err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return section{}, err
	}
	s := d.section()
	kinds := d.kinds()
	for i, k := range kinds {
		if f.only != nil && !slices.Contains(f.only, k.name) {
			continue
		}
		d.share = func(part float64) float64 { return from + (to-from)*(float64(i)+part)/float64(len(kinds)) }
		p.show(d.share(0), fmt.Sprintf("%s: %s", d.config.Network, k.name))
		figures, err := k.draw()
		if c.ctx.Err() != nil {
			return s, errInterrupted
		}
		var none missing
		if errors.As(err, &none) {
			s.Missing = append(s.Missing, absent{k.name, none.Error()})
			p.say("%s: no %s: %s", d.config.Network, k.name, none)
			continue
		}
		if err != nil {
			return s, fmt.Errorf("figure %s of %s: %w", k.name, d.config.Network, err)
		}
		for _, g := range figures {
			if err := g.write(folder); err != nil {
				return s, err
			}
			p.say("%s", filepath.Join(folder, g.Name)+".png: "+g.Short)
		}
		s.Figures = append(s.Figures, figures...)
	}
	return s, nil
}

// write writes a figure's three files.
func (g figure) write(folder string) error {
	var table strings.Builder
	if err := csv.NewWriter(&table).WriteAll(append([][]string{g.Header}, g.Rows...)); err != nil {
		return err
	}
	for extension, content := range map[string]string{".png": string(g.Picture.PNG), ".svg": string(g.Picture.SVG), ".csv": table.String()} {
		err := atomicfile.Write(filepath.Join(folder, g.Name+extension), func(w io.Writer) error {
			_, err := io.WriteString(w, content)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
