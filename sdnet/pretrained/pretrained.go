// Package pretrained holds the weights of three networks trained on CIFAR-10, so that dictionaries, codes and predictions
// of real networks can be seen without any data set.
//
//	sdnet_air_whitened           the one that recognises most: a chain of convolutions behind whitening and a CSC stem of 32 atoms
//	sdnet8_slim                  a CSC stem of 64 atoms of 3 x 3 x 3, three stages of ordinary residual blocks
//	sdnet8_all_slim_noshortcut   CSC layers throughout, no shortcuts: the form that (B.2) and (B.3) invert
//
// Each is a checkpoint of ref train without the optimiser's state, the first with filters in float16; its metadata says how it was trained. The package knows
// nothing of what the tensors are for.
package pretrained

import (
	"embed"
	"fmt"
	"strings"

	"sdref/tensor/safetensors"
)

// Prefix stands before a network's name where the name of a file could stand.
const Prefix = "pretrained:"

//go:embed weights/*.safetensors
var weights embed.FS

const extension = ".safetensors"

// Names lists the networks that there are weights for.
func Names() []string {
	entries, err := weights.ReadDir("weights")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), extension))
	}
	return names
}

// Open returns the checkpoint of the named network, whose path is Prefix and the name.
func Open(name string) (*safetensors.File, error) {
	text, err := weights.ReadFile("weights/" + name + extension)
	if err != nil {
		return nil, fmt.Errorf("no pretrained network %q; there are %s", name, strings.Join(Names(), ", "))
	}
	f, err := safetensors.Decode(text)
	if err != nil {
		return nil, fmt.Errorf("%s%s: %w", Prefix, name, err)
	}
	f.Path = Prefix + name
	return f, nil
}
