package main

import (
	"strings"

	"sdref/sdnet/pretrained"
	"sdref/sdnet/training"
	"sdref/tensor/safetensors"
)

// checkpointUsage describes a flag whose value openCheckpoint reads.
func checkpointUsage() string {
	return "a `file` that ref train wrote, or one of " + pretrained.Prefix + strings.Join(pretrained.Names(), ", "+pretrained.Prefix)
}

// openCheckpoint reads the checkpoint in a file, or the embedded one of a name such as pretrained:sdnet8_slim.
func openCheckpoint(where string) (*safetensors.File, error) {
	if name, ok := strings.CutPrefix(where, pretrained.Prefix); ok {
		return pretrained.Open(name)
	}
	return safetensors.Read(where)
}

// openTrained reads a checkpoint like openCheckpoint, and the configuration of the run that wrote it.
func openTrained(where string) (*safetensors.File, training.Config, error) {
	f, err := openCheckpoint(where)
	if err != nil {
		return nil, training.Config{}, err
	}
	config, _, err := training.ReadConfig(f)
	return f, config, err
}
