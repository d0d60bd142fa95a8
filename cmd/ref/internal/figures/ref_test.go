package figures

import (
	"sdref/cmd/ref/internal/cli/clitest"
	"sdref/cmd/ref/internal/eval"
	"sdref/cmd/ref/internal/train"
)

// ref is the part of the program that these tests call.
var ref = clitest.Program{
	{Name: "figures", Run: Run},
	{Name: "train", Run: train.Run(nil)},
	{Name: "eval", Run: eval.Run},
}
