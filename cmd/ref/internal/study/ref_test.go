package study

import (
	"sdref/cmd/ref/internal/cli/clitest"
	"sdref/cmd/ref/internal/eval"
	"sdref/cmd/ref/internal/train"
)

// ref is the part of the program that these tests call.
var ref = clitest.Program{
	{Name: "robust", Run: Robust},
	{Name: "attack", Run: Attack},
	{Name: "certify", Run: Certify},
	{Name: "spectrum", Run: Spectrum},
	{Name: "trace", Run: Trace},
	{Name: "solve", Run: Solve},
	{Name: "learn", Run: Learn},
	{Name: "train", Run: train.Run(nil)},
	{Name: "eval", Run: eval.Run},
}
