// Command ref trains, evaluates, describes and checks SDNet networks on a CPU.
//
// This file is the table of its verbs. A verb is a file of a package below internal, which holds one conversation with the user:
// flags, progress, what is printed and written. The arithmetic is in the packages of the module.
package main

import (
	"os"

	"sdref/cmd/ref/internal/cli"
	"sdref/cmd/ref/internal/convert"
	"sdref/cmd/ref/internal/eval"
	"sdref/cmd/ref/internal/figures"
	"sdref/cmd/ref/internal/figures/plot"
	"sdref/cmd/ref/internal/judge"
	"sdref/cmd/ref/internal/lab"
	"sdref/cmd/ref/internal/measure"
	"sdref/cmd/ref/internal/study"
	"sdref/cmd/ref/internal/train"
)

var verbs = []cli.Verb{
	{Name: "train", Summary: "train a network on drawn images, CIFAR or folders of images, resumable", Run: train.Run(plot.SaveCurves)},
	{Name: "eval", Summary: "evaluate a checkpoint on images", Run: eval.Run},
	{Name: "predict", Summary: "say what is on pictures", Run: eval.Predict},
	{Name: "import", Summary: "make a checkpoint from weights of PyTorch or of a safetensors file", Run: convert.Import},
	{Name: "export", Summary: "write a checkpoint for PyTorch, as a safetensors file, or as an ONNX model", Run: convert.Export},
	{Name: "table", Summary: "make the paper's table of networks: parameters, accuracy, memory, speed", Run: measure.Table},
	{Name: "figures", Summary: "draw the paper's figures for trained networks, and a page that shows them", Run: figures.Run},
	{Name: "robust", Summary: "measure a network on noisy images, its lambda adapted to them", Run: study.Robust},
	{Name: "attack", Summary: "look for images nearby that a network mistakes", Run: study.Attack},
	{Name: "describe", Summary: "show a network as a table: layer, shape, parameters, multiply-adds", Run: eval.Describe},
	{Name: "check", Summary: "compare this program with stored values of the authors' code", Run: judge.Check},
	{Name: "trace", Summary: "show the iterates of a CSC layer on an image, beside (A.1)", Run: study.Trace},
	{Name: "spectrum", Summary: "bound the CSC layers' largest eigenvalues and judge their step sizes", Run: study.Spectrum},
	{Name: "solve", Summary: "solve a sparse-coding problem of your own: arrays or an image, and atoms", Run: study.Solve},
	{Name: "learn", Summary: "learn a convolutional dictionary from images", Run: study.Learn},
	{Name: "certify", Summary: "say how far a sparse code is from the solution, and prove it", Run: study.Certify},
	{Name: "judge", Summary: "find out whether, and where, another backend is wrong", Run: judge.Run},
	{Name: "cases", Summary: "list, show and export the cases that backends are judged by", Run: judge.Cases},
	{Name: "lab", Summary: "open a page on which the layer and a network live in a browser", Run: lab.Run},
	{Name: "bench", Summary: "measure speed and memory, as shares of the machine's peak", Run: measure.Bench},
	{Name: "cpu", Summary: "show what the processor can do and which kernels are used", Run: measure.CPU},
}

func main() { cli.Main(verbs, os.Args[1:]) }
