package trial_test

import (
	"context"
	"fmt"

	"sdref/golden/cases"
	"sdref/golden/graph"
	"sdref/golden/judge"
	"sdref/golden/precision"
	"sdref/golden/trial"
	"sdref/tensor"
)

// images is the type of the functions that are judged here.
type images = tensor.Tensor[float32]

// correlate is the function of somebody who writes convolutions, and who forgot that rows and columns are dilated.
func correlate(n *graph.Node, in []*images) *images {
	x, w, g := in[0], in[1], n.Geometry()
	y := tensor.New[float32](n.Shape...)
	at := 0
	for image := range y.Shape[0] {
		for m := range y.Shape[1] {
			for i := range y.Shape[2] {
				for j := range y.Shape[3] {
					for c := range x.Shape[1] {
						for u := range w.Shape[2] {
							for v := range w.Shape[3] {
								row, col := i*g.Stride+u-g.Padding, j*g.Stride+v-g.Padding
								if row >= 0 && row < x.Shape[2] && col >= 0 && col < x.Shape[3] {
									y.Data[at] += x.At(image, c, row, col) * w.At(m, c, u, v)
								}
							}
						}
					}
					at++
				}
			}
		}
	}
	return y
}

// answer computes what the table of functions can: a backend of as many operators as it has.
func answer(operators map[string]func(n *graph.Node, in []*images) *images) func(trial.Request) (judge.Answers, error) {
	return func(r trial.Request) (judge.Answers, error) {
		values, answers := map[string]*images{}, judge.Answers{}
		for name, t := range r.In {
			values[name] = tensor.Convert[float32](t)
		}
		for _, n := range r.Case.Nodes {
			var in []*images
			for _, name := range n.Inputs {
				in = append(in, values[name])
			}
			if operators[n.Op] == nil {
				break
			}
			values[n.Name] = operators[n.Op](&n, in)
			answers[n.Name] = judge.NewAnswer(values[n.Name])
		}
		return answers, nil
	}
}

// A function of one's own, judged by all cases of a kind. In a test, the loop's body is a subtest:
//
//	t.Run(report.Case, func(t *testing.T) {
//		if report.Verdict.Failed() {
//			t.Error(report)
//		}
//	})
func Example() {
	d := trial.Declaration{Name: "correlate", Profile: precision.FP32, Device: "this CPU", Deterministic: true, Kinds: []string{"conv_forward"}}
	all := trial.Trial{Cases: cases.All(), Kinds: cases.Kinds(), Bounds: cases.Bounds, Facts: cases.Facts, Relations: cases.Relations()}
	result, err := all.Run(context.Background(), trial.Func(d, answer(map[string]func(*graph.Node, []*images) *images{"analysis": correlate})))
	if err != nil {
		panic(err)
	}
	count := map[judge.Verdict]int{}
	for _, report := range result.Reports {
		count[report.Verdict]++
		if report.Verdict.Failed() && count[report.Verdict] == 1 {
			fmt.Println(report)
		}
	}
	fmt.Println(count)
	// Output:
	// LOGIC       conv_forward-3x3-dilation2-exact: y (y by analysis): differs where nothing is rounded; 1 of 1 nodes answered, 1 judged by themselves, worst error 2.76e+07 units
	//     y (y by analysis): LOGIC: differs where nothing is rounded
	//       error 2.76e+07 units (honest 0, provable 0) at [0 3 6 6]: got 29 = 0x1.dp+04, want 1 = 0x1p+00, 2.35e+08 ULP
	//       wrong: 437 of 448 elements, scattered
	// map[LOGIC:3 NOT COVERED:161 PASS:37]
}
