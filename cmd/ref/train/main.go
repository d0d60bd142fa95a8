// Command train is ref train alone, for the first minutes with the program: it shares all code with it, but compiles nothing that only
// other verbs use. So it draws no learning curves beside the run, which ref figures does later.
package main

import (
	"os"

	"sdref/cmd/ref/internal/cli"
	"sdref/cmd/ref/internal/train"
)

var verbs = []cli.Verb{{Name: "train", Summary: "train a network on drawn images, CIFAR or folders of images, resumable", Run: train.Run(nil)}}

func main() { cli.Main(verbs, append([]string{"train"}, os.Args[1:]...)) }
