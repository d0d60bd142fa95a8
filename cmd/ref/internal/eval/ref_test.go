package eval

import (
	"sdref/cmd/ref/internal/cli/clitest"
	"sdref/cmd/ref/internal/train"
)

// ref is as much of the program as these tests call.
var ref = clitest.Program{
	{Name: "eval", Run: Run},
	{Name: "describe", Run: Describe},
	{Name: "train", Run: train.Run},
}
