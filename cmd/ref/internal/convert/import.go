// Package convert is the conversation about files of other programs: weights that come in, and weights that go out.
//
// It is for users who have weights of PyTorch, or want them. It does not know the bytes of these files.
package convert

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"sdref/cmd/ref/internal/cli"
	"sdref/csc"
	"sdref/internal/filekind"
	"sdref/sdnet"
	"sdref/sdnet/data"
	"sdref/sdnet/statedict"
	"sdref/sdnet/training"
	"sdref/tensor"
	"sdref/tensor/safetensors"
)

const importHelp = `ref import makes a checkpoint from weights of another program: a file of PyTorch's torch.save (.pth,
.pth.tar, .pt, also from before 1.6) or of pickle.dump, such as the authors' checkpoints, or a
safetensors file. Nothing in the file is run: what is more than tensors, arrays, numbers and strings
is left aside, and -list shows it with the rest of what the file holds.

Each tensor of the network is looked up by its published name, or torchvision's of a ResNet, and
must have its shape. -ignore leaves tensors aside, -rename gives them other names. Step sizes and
power-iteration vectors that the file lacks are computed. The optimiser's state is not taken over, so
that the checkpoint can be evaluated but not resumed.`

// importFlags are the flags of ref import.
type importFlags struct {
	from, out, typ string
	list, force    bool
	query          statedict.Query
	config         training.Config
	names          string            // a file
	images         *data.Description // what is known of the images
}

// define defines the flags.
func (f *importFlags) define(c *cli.Call) {
	c.Flags.StringVar(&f.from, "from", "", "the `file` to read")
	c.Flags.StringVar(&f.out, "out", "", "the checkpoint to write, a safetensors `file`")
	c.Flags.BoolVar(&f.list, "list", false, "list what the file holds, and write nothing")
	c.Flags.StringVar(&f.query.Network, "net", "", "the `network` (default: the one whose names and shapes the file has): "+cli.NetworkNames())
	c.Flags.StringVar(&f.query.Data, "data", "", "the data `set` that it is made for (default: likewise): "+cli.DataNames())
	c.Flags.IntVar(&f.query.Classes, "classes", 0, "`number` of classes, if it is not the data set's")
	c.Flags.IntVar(&f.query.Size, "size", 0, "`height` and width of the images, if they are not the data set's")
	c.Flags.StringVar(&f.names, "names", "", "the names of the classes, a `file` of a line for each label, which other programs' files do not have")
	c.Flags.StringVar(&f.query.Prefix, "prefix", "", "what stands before the `names`, such as state_dict. (default: found)")
	c.Flags.Func("ignore", "leave the tensor of this `name` aside; * stands for any text; may be given several times", func(name string) error {
		f.query.Ignore = append(f.query.Ignore, name)
		return nil
	})
	c.Flags.Func("rename", "`OLD=NEW`: take the tensor OLD for NEW; * in both stands for any text; may be given several times", func(text string) error {
		r, err := statedict.ParseRename(text)
		f.query.Rename = append(f.query.Rename, r)
		return err
	})
	c.Flags.StringVar(&f.typ, "type", "", "float32 or float64 (default: float64 if the file has weights of it)")
	c.Flags.Float64Var(&f.config.Lambda, "lambda", f.config.Lambda, "weight of |z|_1 in the CSC layers, which other programs' files do not say")
	c.Flags.Float64Var(&f.config.Mu, "mu", f.config.Mu, "weight of |z|^2/2 in the CSC layers, likewise")
	c.Flags.IntVar(&f.config.Iterations, "iterations", f.config.Iterations, "FISTA iterations of each CSC layer, likewise")
	c.Flags.StringVar(&f.config.Variant, "variant", f.config.Variant, "FISTA's gradient from the third iteration on, likewise: published or paper")
	c.Flags.BoolVar(&f.force, "force", false, cli.ForceUsage)
}

// maxClasses bounds the number of classes: more are a typing error.
const maxClasses = 1 << 20

// Import makes a checkpoint from weights of another program.
func Import(c *cli.Call) error {
	f := importFlags{config: training.Published()}
	f.define(c)
	if err := c.Parse(importHelp); err != nil {
		return err
	}
	if err := f.check(c); err != nil {
		return err
	}
	d, err := statedict.OpenContext(c.Context, f.from)
	if c.Context.Err() != nil {
		return cli.ErrInterrupted
	}
	if err != nil {
		return cli.Advised(err, f.from)
	}
	if f.list {
		return listTensors(c.Stdout, d)
	}
	if own, err := safetensors.Read(f.from); err == nil {
		if _, _, err := training.ReadConfig(own); err == nil {
			return fmt.Errorf("-from: %s is a checkpoint of this program already: ref eval -checkpoint %s evaluates it", f.from, cli.Quote(f.from))
		}
	}
	return importWeights(c, f, d)
}

// check tells what is wrong with the flags.
func (f importFlags) check(c *cli.Call) error {
	switch {
	case f.from == "":
		return errors.New("-from is missing (see ref import -help)")
	case f.out == "" && !f.list:
		return errors.New("-out is missing, or -list (see ref import -help)")
	case c.Given("size") && f.query.Size < 1:
		return fmt.Errorf("-size: images of side %d", f.query.Size)
	}
	if f.typ != "" {
		if err := cli.CheckType(f.typ); err != nil {
			return err
		}
	}
	k := training.Demo() // for the bounds of what -size and -classes may be
	k.Extent, k.Classes = f.query.Size, min(f.query.Classes, maxClasses)
	if err := k.Check(); err != nil {
		return fmt.Errorf("-size, -classes: %w", err)
	}
	if f.query.Classes > maxClasses {
		return fmt.Errorf("-classes: %d, more than %d", f.query.Classes, maxClasses)
	}
	return nil
}

// recall takes from what ref export wrote beside the tensors what no flag says.
func (f *importFlags) recall(c *cli.Call, s *statedict.Settings) error {
	if s == nil {
		return nil
	}
	if s.Spec != nil && !c.Given("net") && !c.Given("data") {
		return f.recallOwn(c, s)
	}
	set, err := sdnet.Lookup(s.Network, s.Data)
	if err != nil {
		return fmt.Errorf("%s: what ref export wrote beside the tensors: %w", f.from, err)
	}
	if !c.Given("net") {
		f.query.Network = s.Network
	}
	if !c.Given("data") {
		f.query.Data = s.Data
	}
	if f.query.Data == s.Data {
		f.images = s.Images
		if !c.Given("classes") && s.Classes != set.Data.Classes {
			f.query.Classes = s.Classes
		}
		if !c.Given("size") && s.Size != set.Data.Image {
			f.query.Size = s.Size
		}
	}
	f.recallProblem(c, s)
	return nil
}

// recallProblem takes the problem of the CSC layers, but for what flags say.
func (f *importFlags) recallProblem(c *cli.Call, s *statedict.Settings) {
	given := func(name string, take func()) {
		if !c.Given(name) {
			take()
		}
	}
	given("lambda", func() { f.config.Lambda = s.Lambda })
	given("mu", func() { f.config.Mu = s.Mu })
	given("iterations", func() { f.config.Iterations = s.Iterations })
	given("variant", func() { f.config.Variant = s.Variant })
}

// recallOwn takes a network that no list has.
func (f *importFlags) recallOwn(c *cli.Call, s *statedict.Settings) (err error) {
	if c.Given("classes") || c.Given("size") {
		return fmt.Errorf("-classes, -size: %s says of its network, %s, what images it takes", f.from, s.Network)
	}
	f.recallProblem(c, s)
	own := *s.Spec
	own.CSC.Lambda, own.CSC.Mu, own.CSC.Iterations = f.config.Lambda, f.config.Mu, f.config.Iterations
	if own.CSC.Variant, err = csc.ParseVariant(f.config.Variant); err != nil {
		return err
	}
	f.query.Spec, f.images = &own, s.Images
	return nil
}

// importWeights finds the network in the file, fills it and writes the checkpoint.
func importWeights(c *cli.Call, f importFlags, d *statedict.Dict) error {
	if err := f.recall(c, d.Settings); err != nil {
		return err
	}
	m, err := d.Find(f.query)
	if err != nil {
		if f.query.Classes == 0 && strings.HasSuffix(err.Error(), "classes?") {
			return fmt.Errorf("%w -classes says so", err)
		}
		return err
	}
	where := "without a prefix"
	if m.Prefix != "" {
		where = fmt.Sprintf("behind %q", printable(m.Prefix))
	}
	fmt.Fprintf(c.Stdout, "%s: %s, %d tensors\n%s for %s, by its names %s\n", d.Path, d.Format, len(d.Entries), m.Spec.Name, m.Spec.Data.Name, where)
	if !m.Fits() {
		if err := listDifferences(c.Stdout, m); err != nil {
			return err
		}
		return fmt.Errorf("%s does not fit %s for %s: %s%s", d.Path, m.Spec.Name, m.Spec.Data.Name, m.Summary(), hint(m))
	}
	fmt.Fprintf(c.Stdout, "every tensor is there: %s; left aside: %d of no use to it, %d elsewhere in the file, %d that -ignore names, %d objects that are not read\n",
		countTypes(m.Types()), len(m.Unused), m.Elsewhere, m.Ignored, len(d.Objects))
	sayImages(c.Stdout, m.Spec, f.query.Size, d.Settings != nil)
	f.config.Network, f.config.Data, f.config.Type = m.Spec.Name, m.Spec.Data.Name, m.Type()
	f.config.Classes, f.config.Extent = f.query.Classes, f.query.Size
	if f.query.Spec != nil {
		f.config = f.config.For(*f.query.Spec)
	}
	if f.typ != "" {
		f.config.Type = f.typ
	}
	f.config.Images = 1 // how many there were is not known
	if err := f.config.Check(); err != nil {
		return err
	}
	if m.Spec, err = f.config.Spec(); err != nil {
		return err
	}
	if err := f.describe(m.Spec); err != nil {
		return err
	}
	m.Force = f.force
	return cli.ByType(f.config.Type, importAs[float32], importAs[float64])(c, f, m)
}

func importAs[T tensor.Float](c *cli.Call, f importFlags, m statedict.Match) error {
	net, err := statedict.Fill[T](m)
	if err != nil {
		return fmt.Errorf("%s: %w; -force takes it nevertheless", f.from, err)
	}
	p := cli.NewProgress(c.Stderr, 0)
	computed := statedict.Complete(net, m, func(done float64) bool {
		p.Show(done, fmt.Sprintf("power iteration, %.0f %% of the layers", 100*done))
		return c.Context.Err() == nil
	})
	p.End()
	if c.Context.Err() != nil {
		return cli.ErrInterrupted // nothing was written
	}
	sayComputed(c.Stdout, computed)
	sum, err := fileSum(f.from)
	if err != nil {
		return err
	}
	source := fmt.Sprintf("imported from %s, SHA-256 %s", filepath.Base(f.from), sum)
	checkpoint, err := training.Weights(net, f.config, m.Batches(), source, f.images)
	if err != nil {
		return err
	}
	if err := safetensors.Write(f.out, checkpoint); err != nil {
		return err
	}
	fmt.Fprintf(c.Stdout, "checkpoint: %s, %s, lambda %g, %d iterations, state %s\n", f.out, f.config.Type, f.config.Lambda, f.config.Iterations, net.Digest())
	return nil
}

// describe completes what is known of the images: their size, and the names of the classes.
func (f *importFlags) describe(s sdnet.Spec) error {
	if f.images != nil && len(f.images.Classes) != 0 && len(f.images.Classes) != s.Data.Classes {
		f.images = nil // what was written is of other classes
	}
	if f.names == "" {
		if f.images != nil {
			*f.images = f.images.Of(s.Data.Shape())
		}
		return nil
	}
	names, err := readNames(f.names)
	if err != nil {
		return fmt.Errorf("-names: %w", err)
	}
	if len(names) != s.Data.Classes {
		return fmt.Errorf("-names: %s has %d names, the network %d classes", f.names, len(names), s.Data.Classes)
	}
	d := data.Description{Classes: names}.Of(s.Data.Shape())
	if f.images != nil {
		d.Mean, d.Std = f.images.Mean, f.images.Std
	} else if d.Mean, d.Std, err = data.Normalisation(s.Data.Name); err != nil {
		return err
	}
	if err := d.Check(); err != nil {
		return fmt.Errorf("-names: %s: %w", f.names, err)
	}
	f.images = &d
	return nil
}

// maxNames bounds the size of a file of names.
const maxNames = 1 << 24

// readNames reads the lines of a file, but those that are empty.
func readNames(path string) (names []string, err error) {
	file, size, err := filekind.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if size > maxNames {
		return nil, fmt.Errorf("%s: %d bytes, more than the %d of a list of names", path, size, maxNames)
	}
	text, err := io.ReadAll(io.LimitReader(file, maxNames))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if !utf8.Valid(text) {
		return nil, fmt.Errorf("%s: not UTF-8", path)
	}
	for line := range strings.Lines(string(text)) {
		if name := strings.TrimSpace(line); name != "" {
			names = append(names, name)
		}
	}
	return names, nil
}

// fileSum is the SHA-256 of a file.
func fileSum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return fmt.Sprintf("%x", h.Sum(nil)), nil
}
