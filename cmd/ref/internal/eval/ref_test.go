package eval

import (
	"sdref/cmd/ref/internal/cli/clitest"
	"sdref/cmd/ref/internal/train"
)

// ref is the part of the program that these tests call.
var ref = clitest.Program{
	{Name: "eval", Run: Run},
	{Name: "predict", Run: Predict},
	{Name: "describe", Run: Describe},
	{Name: "train", Run: train.Run(nil)},
}
