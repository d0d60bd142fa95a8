package convert

import (
	"errors"
	"fmt"
	"strings"

	"sdref/cmd/ref/internal/cli"
	"sdref/sdnet"
	"sdref/sdnet/data"
	"sdref/sdnet/statedict"
	"sdref/sdnet/training"
	"sdref/tensor"
	"sdref/tensor/safetensors"
	"sdref/tensor/torchfile"
)

const exportHelp = `ref export writes a checkpoint's weights for other programs: a state_dict that torch.load reads, or
a safetensors file of the same tensors. Names and shapes are the published networks', which load it
with strict=True. Power-iteration vectors, which these do not save, are left out. The size of the
images, the names of their classes, their normalisation and digest, and the settings of the CSC
layers, which tensors do not say, are written where other programs do not look, so that ref import
finds them.

The weights are as the optimiser left them. The published code computes step sizes and normalises
atoms before each batch; with -evaluable that is done here, for code that does neither.

With -format checkpoint it writes a checkpoint of this program without what only -resume needs, a
third of the size. -half rounds the filters to float16, in it and in safetensors files, which halves
them again; all verbs that take checkpoints read them.

With -format onnx, or a file that ends in .onnx, it writes the network itself, from images to logits,
as ONNX Runtime, TensorRT and others read it: in float32, for any number of images, with step sizes
computed and atoms normalised, as ref eval has it. -layer writes one CSC layer, from signal to code.
docs/onnx.md says more.`

// exportFlags are the flags of ref export.
type exportFlags struct {
	checkpoint, out string
	format, layer   string
	evaluable, half bool
	classes, size   int
}

// Export writes a checkpoint's weights, or the network itself, for other programs.
func Export(c *cli.Call) error {
	var f exportFlags
	c.Flags.StringVar(&f.checkpoint, "checkpoint", "", cli.CheckpointUsage())
	c.Flags.StringVar(&f.out, "out", "", "the `file` to write: .pth, .pt, .bin or .tar for PyTorch, .safetensors, or .onnx")
	c.Flags.StringVar(&f.format, "format", "", "pth, safetensors, checkpoint or onnx (default: as the file's name ends)")
	c.Flags.StringVar(&f.layer, "layer", "", "with -format onnx: only this CSC `layer`, such as layer0.0.dn")
	c.Flags.BoolVar(&f.evaluable, "evaluable", false, "with step sizes computed and atoms normalised; with -format onnx always")
	c.Flags.BoolVar(&f.half, "half", false, "with -format safetensors or checkpoint: filters and the last layer's weights in float16")
	c.Flags.IntVar(&f.size, "size", 0, "say that the network is for images of this `height` and width (default: what it was trained on)")
	c.Flags.IntVar(&f.classes, "classes", 0, "make sure that the network has this `number` of classes")
	if err := c.Parse(exportHelp); err != nil {
		return err
	}
	switch {
	case f.checkpoint == "":
		return errors.New("-checkpoint is missing (see ref export -help)")
	case f.out == "":
		return errors.New("-out is missing (see ref export -help)")
	}
	format, err := formatOf(f.out, f.format)
	if err != nil {
		return err
	}
	order := onnxOrder{f.out, f.layer}
	switch {
	case (format == "onnx" || format == "checkpoint") && (c.Given("size") || c.Given("classes")):
		err = errors.New("-size and -classes are for other programs' weights; a model in ONNX and a checkpoint are for the images that the network was made for")
	case format == "checkpoint" && f.evaluable:
		err = errors.New("-evaluable is for programs that do not normalise atoms: a checkpoint's are what ref train left")
	case f.half && format != "safetensors" && format != "checkpoint":
		err = fmt.Errorf("-half is for -format safetensors and checkpoint, not %s", format)
	case format != "onnx" && f.layer != "":
		err = fmt.Errorf("-layer is for -format onnx, not %s", format)
	}
	if err != nil {
		return err
	}
	file, config, err := cli.OpenTrained(c, f.checkpoint)
	if err != nil {
		return err
	}
	if format == "checkpoint" {
		return exportCheckpoint(c, f, file, config)
	}
	if format == "onnx" {
		return cli.ByType(config.Type, exportONNX[float32], exportONNX[float64])(c, file, order)
	}
	return cli.ByType(config.Type, exportAs[float32], exportAs[float64])(c, f, file, writers[format])
}

// writer writes tensors, and the settings that they do not say, to a file.
type writer func(path string, tensors []safetensors.Tensor, s statedict.Settings) error

// writers are those of the formats that hold weights alone.
var writers = map[string]writer{
	"pth": func(path string, tensors []safetensors.Tensor, s statedict.Settings) error {
		return torchfile.WriteNoted(path, tensors, s.String())
	},
	"safetensors": func(path string, tensors []safetensors.Tensor, s statedict.Settings) error {
		// "pt" is what PyTorch's users write.
		metadata := map[string]string{"format": "pt", statedict.SettingsKey: s.String()}
		return safetensors.Write(path, &safetensors.File{Tensors: tensors, Metadata: metadata})
	},
}

// endings are those of files, and the formats that they ask for.
var endings = [][2]string{
	{".pth", "pth"}, {".pt", "pth"}, {".bin", "pth"}, {".tar", "pth"}, {".safetensors", "safetensors"}, {".onnx", "onnx"},
}

// formatOf is the format that the flag, or a file's name, asks for.
func formatOf(path, flag string) (string, error) {
	switch flag {
	case "pth", "safetensors", "checkpoint", "onnx":
		return flag, nil
	case "":
	default:
		return "", fmt.Errorf("-format: %q is none of pth, safetensors, checkpoint and onnx", flag)
	}
	for _, e := range endings {
		if strings.HasSuffix(path, e[0]) {
			return e[1], nil
		}
	}
	return "", fmt.Errorf("-out: %s ends neither in .pth, .pt, .bin or .tar nor in .safetensors or .onnx", path)
}

func exportAs[T tensor.Float](c *cli.Call, f exportFlags, file *safetensors.File, write writer) error {
	net, config, err := training.LoadNetwork[T](file)
	if err != nil {
		return err
	}
	_, steps, err := training.ReadConfig(file)
	if err != nil {
		return err
	}
	images, err := training.DescribeImages(file, config)
	if err != nil {
		return err
	}
	settings, err := f.settings(c, net.Spec, images)
	if err != nil {
		return err
	}
	if f.evaluable {
		net = net.Evaluable()
	}
	tensors := statedict.Export(net, steps)
	if f.half {
		if err := halve(tensors); err != nil {
			return err
		}
	}
	if err := write(f.out, tensors, settings); err != nil {
		return err
	}
	fmt.Fprintf(c.Stdout, "%s from %s: %d tensors of %s in %s\n", config.Network, file.Path, len(tensors), config.Type, f.out)
	return nil
}

// exportCheckpoint writes what LoadNetwork needs of a checkpoint.
func exportCheckpoint(c *cli.Call, f exportFlags, file *safetensors.File, config training.Config) error {
	s := training.Stripped(file)
	if f.half {
		if err := halve(s.Tensors); err != nil {
			return err
		}
	}
	if err := safetensors.Write(f.out, s); err != nil {
		return err
	}
	fmt.Fprintf(c.Stdout, "%s from %s: %d tensors in %s, without the optimiser's\n", config.Network, file.Path, len(s.Tensors), f.out)
	return nil
}

// halve makes those tensors float16 that hold most of a network: filters and the last layer's weights. What BatchNorm and power iteration
// keep has few elements, and stays.
func halve(tensors []safetensors.Tensor) (err error) {
	for i, t := range tensors {
		if len(t.Shape) < 2 || !strings.HasSuffix(t.Name, ".weight") {
			continue
		}
		if tensors[i], err = safetensors.Half(t); err != nil {
			return err
		}
	}
	return nil
}

// settings are what is written beside the tensors.
func (f exportFlags) settings(c *cli.Call, s sdnet.Spec, images data.Description) (statedict.Settings, error) {
	if c.Given("size") {
		s.Data.Image, s.Data.Width = f.size, 0
		if err := s.Check(); err != nil {
			return statedict.Settings{}, fmt.Errorf("-size: %w", err)
		}
	}
	if c.Given("classes") && f.classes != s.Data.Classes {
		return statedict.Settings{}, fmt.Errorf("-classes: the network has %d, not %d", s.Data.Classes, f.classes)
	}
	images = images.Of(s.Data.Shape())
	return statedict.SettingsOf(s, &images), nil
}
