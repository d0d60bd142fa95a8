// A noisy picture as the sum of few atoms, with a proof of how near the code is to the best one.
package main

import (
	"fmt"
	"image/png"
	"log"
	"math/rand/v2"
	"os"
	"path/filepath"

	"sdref/csc"
	"sdref/csc/solve"
	"sdref/sdnet/data"
	"sdref/sdnet/training"
	"sdref/tensor"
	"sdref/tensor/picture"
)

func main() {
	net, _, err := training.OpenNetwork[float32]("pretrained:sdnet8_slim")
	if err != nil {
		log.Fatal(err)
	}
	stem := net.Evaluable().Layers[0] // 64 learned atoms of 3x3 pixels

	clean := picture.Tensor[float64](data.Picture(data.Shapes(0, 1, 4).Test.Image(0), data.Side, data.Side), 3)
	noisy := clean.Clone()
	random := rand.New(rand.NewPCG(1, 1))
	for i := range noisy.Data {
		noisy.Data[i] += 0.1 * random.NormFloat64()
	}

	settings := csc.Settings{Geometry: stem.Geometry, Lambda: 0.15}
	problem := solve.FromSettings(noisy, tensor.Convert[float64](stem.Weight), settings)
	result := solve.Newton[float64]{}.Solve(problem, solve.Stop{RelativeGap: 5e-3, Iterations: 200}, nil)
	denoised := tensor.New[float64](noisy.Shape...)
	problem.A.Synthesize(denoised, result.Z)

	fmt.Printf("%v: within %.1e of the least objective, %.0f %% of the code proven 0\n", result.Reason,
		result.Certificate.RelativeGap, 100*float64(result.Certificate.SafeZeros)/float64(result.Certificate.Elements))
	fmt.Printf("squared error %.2f, before %.2f\n", distance(denoised, clean), distance(noisy, clean))
	file, err := os.Create(filepath.Join(os.TempDir(), "denoised.png"))
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	if err := png.Encode(file, picture.Image(denoised)); err != nil {
		log.Fatal(err)
	}
}

func distance(a, b *tensor.Tensor[float64]) float64 {
	d := tensor.New[float64](a.Shape...)
	tensor.AddScaled(d, a, b, -1)
	return tensor.SumSquares(d)
}
