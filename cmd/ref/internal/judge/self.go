package judge

import (
	"context"

	"sdref/golden/cases"
	"sdref/golden/judge"
	"sdref/golden/own"
	"sdref/golden/precision"
	"sdref/golden/trial"
)

// ownCode is the witness that this program is itself: its float32 program, run in this process, which answers every node.
func ownCode(context.Context, []trial.Exam) (trial.Backend, func(trial.Exam) (judge.Answers, error), error) {
	b := trial.Backend{Name: "sdref", Profile: precision.FP32, Device: "this CPU", Deterministic: true, Kinds: cases.Kinds()}
	return b, func(e trial.Exam) (judge.Answers, error) {
		values, err := own.Answers[float32](e.Case, e.In, false)
		if err != nil {
			return nil, err
		}
		answers := judge.Answers{}
		for name, t := range values {
			a := &judge.Answer{Shape: t.Shape, DType: "float32", Data: make([]float64, t.Len())}
			for i, v := range t.Data {
				a.Data[i] = float64(v)
			}
			answers[name] = a
		}
		return answers, nil
	}, nil
}
