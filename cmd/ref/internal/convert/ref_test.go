package convert

import (
	"sdref/cmd/ref/internal/cli/clitest"
	"sdref/cmd/ref/internal/eval"
	"sdref/cmd/ref/internal/train"
)

// ref is as much of the program as these tests call.
var ref = clitest.Program{
	{Name: "import", Run: Import},
	{Name: "export", Run: Export},
	{Name: "train", Run: train.Run(nil)},
	{Name: "eval", Run: eval.Run},
}
