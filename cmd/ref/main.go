// Command ref trains, evaluates, describes and checks SDNet networks on a CPU.
//
// This file is the table of its verbs. Each verb is a file: its flags, and the conversation with the user. The arithmetic is in
// the packages below.
package main

var verbs = []verb{
	{name: "train", summary: "train a network on drawn images, CIFAR or folders of images, resumable", run: runTrain},
	{name: "eval", summary: "evaluate a checkpoint on images", run: runEval},
	{name: "import", summary: "make a checkpoint from weights of PyTorch or of a safetensors file", run: runImport},
	{name: "export", summary: "write a checkpoint's weights for PyTorch, or as a safetensors file", run: runExport},
	{name: "table", summary: "make the paper's table of networks: parameters, accuracy, memory, speed", run: runTable},
	{name: "figures", summary: "draw the paper's figures for trained networks, and a page that shows them", run: runFigures},
	{name: "robust", summary: "measure a network on noisy images, its lambda adapted to them", run: runRobust},
	{name: "attack", summary: "look for images nearby that a network mistakes", run: runAttack},
	{name: "describe", summary: "show a network as a table: layer, shape, parameters, multiply-adds", run: runDescribe},
	{name: "check", summary: "compare this program with stored values of the authors' code", run: runCheck},
	{name: "trace", summary: "show the iterates of a CSC layer on an image, beside (A.1) to (A.3)", run: runTrace},
	{name: "spectrum", summary: "bound the CSC layers' largest eigenvalues and judge their step sizes", run: runSpectrum},
	{name: "certify", summary: "say how far a sparse code is from the solution, and prove it", run: runCertify},
	{name: "judge", summary: "find out whether, and where, another backend is wrong", run: runJudge},
	{name: "cases", summary: "list, show and export the cases that backends are judged by", run: runCases},
	{name: "bench", summary: "measure speed and memory, as shares of the machine's peak", run: runBench},
	{name: "cpu", summary: "show what the processor can do and which kernels are used", run: runCPU},
}

func main() { runMain(verbs) }
