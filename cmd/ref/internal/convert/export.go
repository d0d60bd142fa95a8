package convert

import (
	"errors"
	"fmt"
	"strings"

	"sdref/cmd/ref/internal/cli"
	"sdref/sdnet/statedict"
	"sdref/sdnet/training"
	"sdref/tensor"
	"sdref/tensor/safetensors"
	"sdref/tensor/torchfile"
)

const exportHelp = `ref export writes a checkpoint's weights for other programs: a state_dict that torch.load reads, or
a safetensors file of the same tensors. Names and shapes are the published networks', which load it
with strict=True. Power-iteration vectors, which these do not save, are left out.

The weights are as the optimiser left them. The published code computes step sizes and normalises
atoms before each batch; with -evaluable that is done here, for code that does neither.

With -format onnx, or a file that ends in .onnx, it writes the network itself, from images to logits,
as ONNX Runtime, TensorRT and others read it: in float32, for any number of images, with step sizes
computed and atoms normalised, as ref eval has it. -layer writes one CSC layer, from signal to code.
docs/onnx.md says more.`

// Export writes a checkpoint's weights, or the network itself, for other programs.
func Export(c *cli.Call) error {
	checkpoint := c.Flags.String("checkpoint", "", cli.CheckpointUsage())
	out := c.Flags.String("out", "", "the `file` to write: .pth, .pt, .bin or .tar for PyTorch, .safetensors, or .onnx")
	format := c.Flags.String("format", "", "pth, safetensors or onnx (default: as the file's name ends)")
	layer := c.Flags.String("layer", "", "with -format onnx: only this CSC `layer`, such as layer0.0.dn")
	overwrite := c.Flags.Bool("overwrite", false, "with -format onnx: replace the file if it exists; other formats replace it in any case")
	evaluable := c.Flags.Bool("evaluable", false, "with step sizes computed and atoms normalised; with -format onnx always")
	if err := c.Parse(exportHelp); err != nil {
		return err
	}
	switch {
	case *checkpoint == "":
		return errors.New("-checkpoint is missing (see ref export -help)")
	case *out == "":
		return errors.New("-out is missing (see ref export -help)")
	}
	name, err := formatOf(*out, *format)
	if err != nil {
		return err
	}
	order := onnxOrder{*out, *layer, *overwrite}
	switch {
	case name == "onnx":
		err = order.check()
	case *layer != "" || *overwrite:
		err = fmt.Errorf("-layer and -overwrite are for -format onnx, not %s", name)
	}
	if err != nil {
		return err
	}
	f, err := cli.OpenCheckpoint(*checkpoint)
	if err != nil {
		return err
	}
	config, steps, err := training.ReadConfig(f)
	if err != nil {
		return err
	}
	if name == "onnx" {
		return cli.ByType(config.Type, exportONNX[float32], exportONNX[float64])(c, f, order)
	}
	return cli.ByType(config.Type, exportAs[float32], exportAs[float64])(c, f, steps, *evaluable, *out, writers[name])
}

// writer writes tensors to a file.
type writer func(path string, tensors []safetensors.Tensor) error

// writers are those of the formats that hold weights alone.
var writers = map[string]writer{
	"pth": torchfile.Write,
	"safetensors": func(path string, tensors []safetensors.Tensor) error {
		return safetensors.Write(path, &safetensors.File{Tensors: tensors, Metadata: map[string]string{"format": "pt"}}) // as PyTorch's users write it
	},
}

// endings are those of files, and the formats that they ask for.
var endings = [][2]string{{".pth", "pth"}, {".pt", "pth"}, {".bin", "pth"}, {".tar", "pth"}, {".safetensors", "safetensors"}, {".onnx", "onnx"}}

// formatOf is the format that the flag, or a file's name, asks for.
func formatOf(path, flag string) (string, error) {
	switch flag {
	case "pth", "safetensors", "onnx":
		return flag, nil
	case "":
	default:
		return "", fmt.Errorf("-format: %q is none of pth, safetensors and onnx", flag)
	}
	for _, e := range endings {
		if strings.HasSuffix(path, e[0]) {
			return e[1], nil
		}
	}
	return "", fmt.Errorf("-out: %s ends neither in .pth, .pt, .bin or .tar nor in .safetensors or .onnx", path)
}

func exportAs[T tensor.Float](c *cli.Call, f *safetensors.File, steps int, evaluable bool, out string, write writer) error {
	net, config, err := training.LoadNetwork[T](f)
	if err != nil {
		return err
	}
	if evaluable {
		net = net.Evaluable()
	}
	tensors := statedict.Export(net, steps)
	if err := write(out, tensors); err != nil {
		return err
	}
	fmt.Fprintf(c.Stdout, "%s from %s: %d tensors of %s in %s\n", config.Network, f.Path, len(tensors), config.Type, out)
	return nil
}
