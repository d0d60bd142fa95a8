package cli

import (
	"strings"

	"sdref/sdnet/pretrained"
	"sdref/sdnet/training"
	"sdref/tensor/safetensors"
)

// CheckpointUsage describes a flag whose value OpenCheckpoint reads.
func CheckpointUsage() string {
	return "a `file` that ref train wrote, or one of " + pretrained.Prefix + strings.Join(pretrained.Names(), ", "+pretrained.Prefix)
}

// OpenCheckpoint reads the checkpoint in a file, or the embedded one of a name such as pretrained:sdnet8_slim.
func OpenCheckpoint(where string) (*safetensors.File, error) {
	if name, ok := strings.CutPrefix(where, pretrained.Prefix); ok {
		return pretrained.Open(name)
	}
	return safetensors.Read(where)
}

// OpenTrained reads a checkpoint like OpenCheckpoint, and the configuration of the run that wrote it.
func OpenTrained(where string) (*safetensors.File, training.Config, error) {
	f, err := OpenCheckpoint(where)
	if err != nil {
		return nil, training.Config{}, err
	}
	config, _, err := training.ReadConfig(f)
	return f, config, err
}
