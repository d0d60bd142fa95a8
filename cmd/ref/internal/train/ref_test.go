package train

import (
	"sdref/cmd/ref/internal/cli/clitest"
	"sdref/cmd/ref/internal/eval"
	"sdref/cmd/ref/internal/figures/plot"
)

// ref is the part of the program that these tests call.
var ref = clitest.Program{
	{Name: "train", Run: Run(plot.SaveCurves)},
	{Name: "eval", Run: eval.Run},
	{Name: "describe", Run: eval.Describe},
}
