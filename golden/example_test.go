package golden_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"

	"sdref/golden"
	"sdref/tensor/safetensors"
)

// Judge something against every case of a folder: here, doubling a tensor.
func Example() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	const text = `{
		"name": "double/small", "kind": "double", "attrs": {"times": 2},
		"inputs": {"x": {"shape": [2, 2], "seed": 1, "scale": 0.5}}
	}`
	if err := os.WriteFile(filepath.Join(dir, "small.json"), []byte(text), 0o666); err != nil {
		panic(err)
	}
	expected := golden.Fill{Shape: []int{2, 2}, Seed: 1, Scale: 1}.Values()
	err = safetensors.Write(filepath.Join(dir, "small.safetensors"), &safetensors.File{
		Tensors: []safetensors.Tensor{safetensors.New("y", []int{2, 2}, expected)},
	})
	if err != nil {
		panic(err)
	}

	cases, err := golden.Open(dir)
	if err != nil {
		panic(err)
	}
	var rows []golden.Row
	for _, c := range cases {
		times, err := c.Attrs.Float("times")
		if err != nil {
			panic(err)
		}
		x, err := c.Input("x", 2, 2)
		if err != nil {
			panic(err)
		}
		want, err := c.Tensor("y", 2, 2)
		if err != nil {
			panic(err)
		}
		y := make([]float64, len(x))
		for i := range x {
			y[i] = times * x[i]
		}
		rows = append(rows, golden.Judge(c.Name, "y", golden.Compare(y, want), 0))
	}
	for _, r := range rows {
		fmt.Println(r)
	}
	fmt.Println(golden.Passed(rows))
	// Output:
	// pass double/small y: error 0, bound 0
	// true
}

// Golden files of one's own: what a function gave is recorded once, reviewed, committed, and compared with what it gives now. In a
// test, update is a flag,
//
//	var update = flag.Bool("update", false, "record the golden files anew")
//
// and the folder is testdata.
func ExampleCase_Check() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	// dots sums the products of pairs of neighbours; magnitude is what bounds the rounding of each sum.
	dots := func(x []float64) (y []float32, magnitude []float64) {
		for i := range len(x) - 1 {
			y = append(y, float32(x[i]*x[i+1]))
			magnitude = append(magnitude, math.Abs(x[i]*x[i+1]))
		}
		return y, magnitude
	}
	check := func(update bool, mistake float32) {
		c := &golden.Case{Path: filepath.Join(dir, "dots.json"), Name: "dots", Kind: "dots",
			Inputs: map[string]golden.Fill{"x": {Shape: []int{5}, Seed: 7, Scale: 1}}}
		y, magnitude := dots(c.Inputs["x"].Values())
		y[2] += mistake
		golden.Put(c, "y", []int{4}, y, magnitude)
		rows, err := c.Check(2*0x1p-24, update) // a product and its rounding to float32
		if err != nil {
			panic(err)
		}
		for _, row := range rows {
			fmt.Println(row)
		}
	}
	check(true, 0) // go test -update
	check(false, 0)
	check(false, 1e-4)
	// Output:
	// pass dots y: error 0, bound 1.2e-07
	// FAIL dots y: error 0.00075, bound 1.2e-07; element 2 of 4 is 0.13304075598716736, want 0.13294075429439545, 6711 ulp
}

func ExampleFill() {
	x := golden.Fill{Shape: []int{2, 2}, Seed: 1002, Scale: 2}
	fmt.Println(x.Values())
	// Output:
	// [1.734020471572876 -0.47711181640625 -1.7688171863555908 1.8320999145507812]
}

// The error is norm-wise: here 0.5 of a largest expected value of 4.
func ExampleCompare() {
	d := golden.Compare([]float32{1, 2.5, -4}, []float64{1, 2, -4})
	fmt.Println(d.Error, d.Worst, d.Got, d.Want)
	fmt.Println(golden.Judge("layer/stem", "z", d, 1e-6))
	// Output:
	// 0.125 1 2.5 2
	// FAIL layer/stem z: error 0.12, bound 1e-06; element 1 of 3 is 2.5, want 2
}

func ExampleCompareSummary() {
	stored := []float64{-1, 7, 5, 4, 3, -4, 0, 0, 0, 0, 0, 0} // of the tensor 3, -4
	d := golden.CompareSummary(golden.Summarize([]float64{3, -4}), stored)
	fmt.Println(golden.Judge("network/small", "grad/weight", d, 1e-12))
	d = golden.CompareSummary(golden.Summarize([]float64{3, -8}), stored)
	fmt.Println(golden.Judge("network/small", "grad/weight", d, 1e-12))
	// Output:
	// pass network/small grad/weight: error 0, bound 1e-12
	// FAIL network/small grad/weight: error 1, bound 1e-12; largest absolute value is 8, want 4
}

func ExampleULP() {
	third := float32(1) / 3
	fmt.Println(golden.ULP(third, third), golden.ULP(float32(1), 1+0x1p-23), golden.ULP(1.0, 2))
	// Output:
	// 0 1 4503599627370496
}
