package train

import (
	"sdref/cmd/ref/internal/cli/clitest"
	"sdref/cmd/ref/internal/eval"
)

// ref is the part of the program that these tests call.
var ref = clitest.Program{
	{Name: "train", Run: Run},
	{Name: "eval", Run: eval.Run},
}
