package study

import (
	"sdref/cmd/ref/internal/cli/clitest"
	"sdref/cmd/ref/internal/eval"
	"sdref/cmd/ref/internal/train"
)

// ref is as much of the program as these tests call.
var ref = clitest.Program{
	{Name: "robust", Run: Robust},
	{Name: "attack", Run: Attack},
	{Name: "certify", Run: Certify},
	{Name: "spectrum", Run: Spectrum},
	{Name: "trace", Run: Trace},
	{Name: "train", Run: train.Run},
	{Name: "eval", Run: eval.Run},
}
