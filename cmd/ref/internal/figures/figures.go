// Package figures is ref figures: it draws the figures of the paper's supplement that a network allows,
// writes their files, and a page that shows them. The captions are in captions.go, the page is report.html.
//
// It is for readers of the paper's supplement. It does not know how a chart becomes a picture, which is
// package plot's.
package figures

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sdref/cmd/ref/internal/cli"
	"sdref/sdnet/pretrained"
	"sdref/sdnet/training"
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

// Run draws figures.
func Run(c *cli.Call) error {
	var f figuresFlags
	list := func(into *[]string) func(string) error {
		return func(s string) error { *into = append(*into, strings.Split(s, ",")...); return nil }
	}
	c.Flags.Func("checkpoint", cli.CheckpointUsage()+"; may be given several times", func(s string) error {
		f.checkpoints = append(f.checkpoints, s)
		return nil
	})
	c.Flags.StringVar(&f.images, "data", cli.ShapesName, cli.DataUsage)
	c.Flags.StringVar(&f.out, "out", "figures", "the `folder` to write to")
	c.Flags.Func("only", "draw only these `figures`, separated by commas: "+strings.Join(figureNames(), ", "),
		list(&f.only))
	c.Flags.IntVar(&f.count, "images", 0, "count the codes of the first `N` test images only (0: all)")
	c.Flags.IntVar(&f.show, "show", 8, "reconstruct that many test images")
	c.Flags.Func("blocks", "reconstruct from these `blocks`, separated by commas, such as "+
		"block0.0,block2.1 (default: the stem and the last block of each stage)", list(&f.blocks))
	if err := c.Parse(figuresHelp); err != nil {
		return err
	}
	if f.count < 0 || f.show < 1 || f.show > 64 {
		return fmt.Errorf("-images %d, -show %d: at least 0, and 1 to 64", f.count, f.show)
	}
	for _, name := range f.only {
		if !slices.Contains(figureNames(), name) {
			return fmt.Errorf("-only: there is no figure %q; there are %s", name,
				strings.Join(figureNames(), ", "))
		}
	}
	if f.checkpoints == nil {
		for _, name := range pretrained.Names() {
			f.checkpoints = append(f.checkpoints, pretrained.Prefix+name)
		}
	}
	return drawFigures(c, f)
}

// drawFigures draws the figures of each network and writes the report.
func drawFigures(c *cli.Call, f figuresFlags) error {
	if err := os.MkdirAll(f.out, 0o755); err != nil {
		return err
	}
	p := cli.NewProgress(c.Stdout, 0)
	defer p.End()
	p.Say("%s", cli.Machine())
	networks, err := openNetworks(c, f.checkpoints)
	if err != nil {
		return err
	}
	var r report
	for i, n := range networks {
		folder := f.out
		if len(networks) > 1 {
			folder = filepath.Join(f.out, n.config.Network)
		}
		draw := cli.ByType(n.config.Type, drawSection[float32], drawSection[float64])
		s, err := draw(c, p, f, n.file, folder, float64(i)/float64(len(networks)), float64(i+1)/float64(len(networks)))
		stopped := errors.Is(err, cli.ErrInterrupted)
		if err != nil && !stopped {
			return err
		}
		if !stopped || len(s.Figures) > 0 {
			r.Networks = append(r.Networks, s)
		}
		if stopped {
			return errors.Join(f.finish(p, r), f.sayStopped(p, s, i))
		}
	}
	return f.finish(p, r)
}

// network is a checkpoint that was opened.
type network struct {
	file   *safetensors.File
	config training.Config
}

// openNetworks opens all checkpoints, so that one that cannot be drawn is refused before the others have been.
func openNetworks(c *cli.Call, checkpoints []string) (list []network, err error) {
	for _, where := range checkpoints {
		file, config, err := cli.OpenTrained(c, where)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(list, func(n network) bool { return n.config.Network == config.Network }) {
			return nil, fmt.Errorf("-checkpoint: two of %s; draw them into two folders", config.Network)
		}
		list = append(list, network{file, config})
	}
	return list, nil
}

// finish writes the page, unless there is nothing to show.
func (f figuresFlags) finish(p *cli.Progress, r report) error {
	if len(r.Networks) == 0 {
		return nil
	}
	page := filepath.Join(f.out, "report.html")
	if err := r.write(page); err != nil {
		return err
	}
	p.Say("report: %s", page)
	return nil
}

// sayStopped says which figures of network i, whose section is s, and of the networks after it are missing.
func (f figuresFlags) sayStopped(p *cli.Progress, s section, i int) error {
	rest := f.only
	if rest == nil {
		rest = figureNames()
	}
	rest = slices.DeleteFunc(slices.Clone(rest), func(name string) bool { return slices.Contains(s.Done, name) })
	command := fmt.Sprintf("-checkpoint %s -only %s", cli.Quote(f.checkpoints[i]), strings.Join(rest, ","))
	if left := len(f.checkpoints) - i - 1; left > 0 {
		command += fmt.Sprintf(", and for the %d networks after it", left)
	}
	p.Say("stopped; the figures above are written; the same command with %s and another -out draws the rest", command)
	return cli.ErrInterrupted
}

// drawSection draws the figures of one network into a folder. Meanwhile the progress of the whole call goes
// from from to to.
func drawSection[T tensor.Float](c *cli.Call, p *cli.Progress, f figuresFlags, file *safetensors.File,
	folder string, from, to float64) (section, error) {
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
		p.Show(d.share(0), fmt.Sprintf("%s: %s", d.config.Network, k.name))
		figures, err := k.draw()
		if c.Context.Err() != nil {
			return s, cli.ErrInterrupted
		}
		var none missing
		if errors.As(err, &none) {
			s.Done = append(s.Done, k.name)
			s.Missing = append(s.Missing, absent{k.name, none.Error()})
			p.Say("%s: no %s: %s", d.config.Network, k.name, none)
			continue
		}
		if err != nil {
			return s, fmt.Errorf("figure %s of %s: %w", k.name, d.config.Network, err)
		}
		for _, g := range figures {
			if err := g.Write(folder); err != nil {
				return s, err
			}
			p.Say("%s", filepath.Join(folder, g.Name)+".png: "+g.Short)
		}
		s.Figures, s.Done = append(s.Figures, figures...), append(s.Done, k.name)
	}
	return s, nil
}
