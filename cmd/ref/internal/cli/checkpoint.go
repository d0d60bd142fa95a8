package cli

import (
	"errors"
	"fmt"
	"strings"

	"sdref/internal/filekind"
	"sdref/sdnet/pretrained"
	"sdref/sdnet/training"
	"sdref/tensor/safetensors"
	"sdref/tensor/torchfile"
)

// CheckpointUsage describes a flag whose value OpenCheckpoint reads. Parse gives a verb that has one the flag
// -force too.
func CheckpointUsage() string {
	return "a `file` that ref train wrote, or one of " + pretrained.Prefix + strings.Join(pretrained.Names(), ", "+pretrained.Prefix)
}

// ForceUsage describes the flag -force.
const ForceUsage = "take weights too that are not finite, variances below 0 and atoms of zeros, which are refused otherwise"

// OpenCheckpoint reads the checkpoint in a file, or the embedded one of a name such as
// pretrained:sdnet8_slim. A file that is none is told what it is. Weights that give numbers without meaning
// are refused, unless -force is given, and so is a result of the verb that would be written over the file.
func OpenCheckpoint(c *Call, where string) (*safetensors.File, error) {
	f, _, err := OpenTrained(c, where)
	return f, err
}

// OpenTrained reads a checkpoint like OpenCheckpoint, and the configuration of the run that wrote it.
func OpenTrained(c *Call, where string) (*safetensors.File, training.Config, error) {
	f, err := readCheckpoint(c, where)
	if err != nil {
		return nil, training.Config{}, err
	}
	config, _, err := training.ReadConfig(f)
	if errors.Is(err, training.ErrForeign) {
		return nil, config, Advised(err, where)
	}
	if err != nil {
		return nil, config, err
	}
	if err := training.CheckShapes(f, config); err != nil {
		return nil, config, err
	}
	if err := training.CheckValues(f); err != nil && !c.force {
		return nil, config, fmt.Errorf("%w; -force takes it nevertheless", err)
	}
	return f, config, nil
}

func readCheckpoint(c *Call, where string) (*safetensors.File, error) {
	if name, ok := strings.CutPrefix(where, pretrained.Prefix); ok {
		return pretrained.Open(name)
	}
	if err := c.spare(where); err != nil {
		return nil, err
	}
	beginning, err := filekind.Peek(where)
	if err != nil {
		return nil, err
	}
	if torchfile.Is(beginning) {
		return nil, fmt.Errorf("%s: weights of PyTorch, no checkpoint of this program: %s", where, importCommand(where))
	}
	if kind := filekind.Describe(beginning); kind != "" && kind != filekind.Safetensors {
		return nil, Advised(fmt.Errorf("%s: %s, no checkpoint of this program", where, kind), where)
	}
	return safetensors.Read(where)
}

// Advised adds to an error about a file the command that helps, if there is one.
func Advised(err error, where string) error {
	beginning, peek := filekind.Peek(where)
	if peek != nil {
		return err
	}
	if advice := adviceOn(filekind.Describe(beginning), where); advice != "" {
		return fmt.Errorf("%w: %s", err, advice)
	}
	return err
}
