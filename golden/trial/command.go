package trial

import (
	"context"
	"io"

	"sdref/golden/judge"
	"sdref/golden/protocol"
)

// Command is the witness that a command gives, started once with the folder dir as its last argument. dir is made, and must be
// empty if it exists. What the command prints goes to log.
func Command(dir string, command []string, log io.Writer) Witness {
	return func(ctx context.Context, exams []protocol.Exam) (b protocol.Backend, answers func(protocol.Exam) (judge.Answers, error), err error) {
		if err := protocol.Write(dir, exams); err != nil {
			return b, nil, err
		}
		if err := protocol.Run(ctx, dir, command, log); err != nil {
			return b, nil, err
		}
		b, err = protocol.ReadBackend(dir)
		return b, func(e protocol.Exam) (judge.Answers, error) { return protocol.ReadAnswers(dir, e) }, err
	}
}
