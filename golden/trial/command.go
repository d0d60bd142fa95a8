package trial

import (
	"context"
	"io"

	"sdref/golden/judge"
)

// Command is the witness that a command gives, started once with the folder dir as its last argument. dir is made, and must be
// empty if it exists. What the command prints goes to log.
func Command(dir string, command []string, log io.Writer) Witness {
	return func(ctx context.Context, exams []Exam) (b Backend, answers func(Exam) (judge.Answers, error), err error) {
		if err := WriteExams(dir, exams); err != nil {
			return b, nil, err
		}
		if err := RunCommand(ctx, dir, command, log); err != nil {
			return b, nil, err
		}
		b, err = ReadBackend(dir)
		return b, func(e Exam) (judge.Answers, error) { return ReadAnswers(dir, e) }, err
	}
}
