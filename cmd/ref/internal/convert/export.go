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
atoms before each batch; with -evaluable that is done here, for code that does neither.`

// Export writes a checkpoint's weights for other programs.
func Export(c *cli.Call) error {
	checkpoint := c.Flags.String("checkpoint", "", cli.CheckpointUsage())
	out := c.Flags.String("out", "", "the `file` to write: .pth, .pt, .bin or .tar for PyTorch, or .safetensors")
	evaluable := c.Flags.Bool("evaluable", false, "with step sizes computed and atoms normalised")
	if err := c.Parse(exportHelp); err != nil {
		return err
	}
	switch {
	case *checkpoint == "":
		return errors.New("-checkpoint is missing (see ref export -help)")
	case *out == "":
		return errors.New("-out is missing (see ref export -help)")
	}
	write, err := writerFor(*out)
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
	return cli.ByType(config.Type, exportAs[float32], exportAs[float64])(c, f, steps, *evaluable, *out, write)
}

// writer writes tensors to a file.
type writer func(path string, tensors []safetensors.Tensor) error

// writerFor is the writer that a file's name asks for.
func writerFor(path string) (writer, error) {
	for _, ending := range []string{".pth", ".pt", ".bin", ".tar"} {
		if strings.HasSuffix(path, ending) {
			return torchfile.Write, nil
		}
	}
	if strings.HasSuffix(path, ".safetensors") {
		return func(path string, tensors []safetensors.Tensor) error {
			return safetensors.Write(path, &safetensors.File{Tensors: tensors, Metadata: map[string]string{"format": "pt"}}) // as PyTorch's users write it
		}, nil
	}
	return nil, fmt.Errorf("-out: %s ends neither in .pth, .pt, .bin or .tar nor in .safetensors", path)
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
