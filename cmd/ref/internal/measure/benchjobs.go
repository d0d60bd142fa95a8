package measure

import (
	"fmt"
	"runtime"
	"time"

	"sdref/cmd/ref/internal/cli"
	"sdref/conv"
	"sdref/sdnet"
	"sdref/tensor"
)

// benchJob is one measurement.
type benchJob struct {
	name string
	typ  string // float32 or float64
	slow bool   // whether it is run only if asked for by name
	run  func() benchResult
}

// benchJobs lists all jobs.
func benchJobs() []benchJob {
	var jobs []benchJob
	jobs = append(jobs, productJobs[float32]("float32")...)
	jobs = append(jobs, productJobs[float64]("float64")...)
	for _, net := range []string{"sdnet18", "sdnet18_all", "resnet18"} {
		for _, algorithm := range []conv.Algorithm{conv.Direct, conv.Winograd} {
			for _, batch := range []int{32, 128} {
				jobs = append(jobs, trainJob(net, batch, algorithm))
			}
			if algorithm == conv.Direct {
				jobs = append(jobs, singleThreadJob(trainJob(net, 32, algorithm)))
			}
			for _, batch := range []int{1, 32} {
				jobs = append(jobs, predictJob(net, batch, algorithm))
			}
		}
	}
	for _, net := range []string{"sdnet18", "resnet18"} {
		for _, batch := range []int{1, 2, 4, 8, 16} {
			jobs = append(jobs, latencyJob(net, batch))
		}
	}
	return append(jobs, solveJobs()...)
}

// suffix is the end of a job's name for an algorithm.
func suffix(a conv.Algorithm) string {
	if a == conv.Direct {
		return ""
	}
	return "/" + a.String()
}

// convShapes are the convolutions of SDNet-18 with 32 images: the blocks', the strided ones, the shortcuts,
// the stems for CIFAR's and for ImageNet's images.
var convShapes = []struct{ c, m, h, k, stride int }{
	{64, 64, 32, 3, 1}, {128, 128, 16, 3, 1}, {256, 256, 8, 3, 1}, {512, 512, 4, 3, 1},
	{64, 128, 32, 3, 2}, {128, 256, 16, 3, 2}, {256, 512, 8, 3, 2}, {64, 128, 32, 1, 2}, {128, 256, 16, 1, 2},
	{256, 512, 8, 1, 2},
	{3, 64, 32, 3, 1}, {3, 64, 224, 7, 2},
}

// productJobs are the matrix product and the convolutions in one type.
func productJobs[T tensor.Float](typ string) []benchJob {
	const side = 1024
	jobs := []benchJob{{name: fmt.Sprintf("matmul/%d/%s", side, typ), typ: typ}}
	jobs[0].run = func() benchResult {
		a, b, c := uniform[T](1, side, side), uniform[T](2, side, side), tensor.New[T](side, side)
		return arithmeticResult[T](jobs[0].name, func() { tensor.MatMul(c, a, b, false, false) }, 2*side*side*side, time.Second)
	}
	for _, s := range convShapes {
		for _, function := range []string{"forward", "transpose", "filter"} {
			for _, algorithm := range []conv.Algorithm{conv.Direct, conv.Winograd} {
				g := conv.Geometry{Stride: s.stride, Padding: s.k / 2, Algorithm: algorithm}
				x, w := []int{32, s.c, s.h, s.h}, []int{s.m, s.c, s.k, s.k}
				if g.Used(x, w) != algorithm {
					continue
				}
				name := fmt.Sprintf("conv/%s/%dx%dx%d", function, s.c, s.m, s.h)
				if s.k != 3 || s.stride != 1 {
					name += fmt.Sprintf("/%dx%ds%d", s.k, s.k, s.stride)
				}
				name += "/" + typ + suffix(algorithm)
				jobs = append(jobs, benchJob{name: name, typ: typ, run: func() benchResult {
					call, flops := contraction[T](function, x, w, g)
					return arithmeticResult[T](name, call, flops, time.Second/2)
				}})
			}
		}
	}
	return jobs
}

// arithmeticResult is what was measured of so many floating-point operations.
func arithmeticResult[T tensor.Float](name string, work func(), flops float64, atLeast time.Duration) benchResult {
	all, one := measureThreads[T](work, flops/1e9, 1, atLeast)
	return benchResult{Name: name, GFLOPS: all.Rate, ShareOfPeak: all.Ratio, All: all, One: one}
}

// networkResult is what was measured of work on so many images.
func networkResult(name string, work func(), images int, atLeast time.Duration) benchResult {
	all, one := measureThreads[float32](work, float64(images), 1000, atLeast)
	return benchResult{Name: name, ImagesPerSec: all.Rate, All: all, One: one}
}

// contraction is a call of one of the three contractions, and its operations as the definition has them.
func contraction[T tensor.Float](function string, xShape, wShape []int, g conv.Geometry) (call func(), flops float64) {
	x, w, y := uniform[T](1, xShape...), uniform[T](2, wShape...),
		uniform[T](3, g.CodeShape(xShape, wShape)...)
	call = map[string]func(){
		"forward":   func() { conv.Forward(y, x, w, g) },
		"transpose": func() { conv.Transpose(x, y, w, g) },
		"filter":    func() { conv.WeightGradient(w, x, y, g) },
	}[function]
	return call, 2 * float64(y.Len()) * float64(w.Len()/wShape[0])
}

func trainJob(net string, batch int, algorithm conv.Algorithm) benchJob {
	name := fmt.Sprintf("train/%s/batch%d%s", net, batch, suffix(algorithm))
	return benchJob{name: name, typ: "float32", run: func() benchResult {
		return networkResult(name, trainStep(benchNetwork(net, "cifar10", algorithm), batch), batch, 5*time.Second)
	}}
}

// trainSpeed is the speed of training steps in images per second, measured for at least the given time.
func trainSpeed(net *sdnet.Network[float32], batch int, atLeast time.Duration) float64 {
	return float64(batch) / median(atLeast, trainStep(net, batch))
}

// trainStep is a training step, always on the same images.
func trainStep(net *sdnet.Network[float32], batch int) func() {
	cli.CollectEarly(cli.TrainingGarbageShare) // as ref train does
	t := sdnet.NewTrainer(net, 0.9, 5e-4)
	images, labels := uniform[float32](1, batch, 3, net.Data.Image, net.Data.Image), make([]int, batch)
	for i := range labels {
		labels[i] = i % net.Data.Classes
	}
	return func() { t.Step(images, labels, 0.01) }
}

// singleThreadJob is a job with one goroutine, for comparison.
func singleThreadJob(j benchJob) benchJob {
	run, name := j.run, j.name+"/alone"
	j.name = name
	j.run = func() benchResult {
		runtime.GOMAXPROCS(1)
		r := run()
		r.Name = name
		return r
	}
	return j
}

func predictJob(net string, batch int, algorithm conv.Algorithm) benchJob {
	name := fmt.Sprintf("predict/%s/batch%d%s", net, batch, suffix(algorithm))
	return benchJob{name: name, typ: "float32", run: func() benchResult {
		return networkResult(name, prediction(benchNetwork(net, "cifar10", algorithm), batch), batch, 3*time.Second)
	}}
}

// predictSpeed is the speed of prediction in images per second, measured for at least the given time.
func predictSpeed(net *sdnet.Network[float32], batch int, atLeast time.Duration) float64 {
	return float64(batch) / median(atLeast, prediction(net, batch))
}

// prediction is a prediction, always of the same images.
func prediction(net *sdnet.Network[float32], batch int) func() {
	p := sdnet.NewPredictor(net.Evaluable())
	images := uniform[float32](1, batch, 3, net.Data.Image, net.Data.Image)
	return func() { p.Logits(images) }
}

// benchNetwork is a network for a data set with its initial weights.
func benchNetwork(name, data string, algorithm conv.Algorithm) *sdnet.Network[float32] {
	spec, err := sdnet.Lookup(name, data)
	if err != nil {
		panic(err) // the names have been checked
	}
	spec.Algorithm = algorithm
	net, err := sdnet.New[float32](spec)
	if err != nil {
		panic(err)
	}
	net.Initialize(1)
	return net
}

func uniform[T tensor.Float](seed uint64, shape ...int) *tensor.Tensor[T] {
	t := tensor.New[T](shape...)
	tensor.FillUniform(t, seed, 1, 0)
	return t
}
