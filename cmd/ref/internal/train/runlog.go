package train

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"sdref/cmd/ref/internal/cli"
	"sdref/internal/tfevents"
	"sdref/sdnet/training"
)

// runLog is the logs of a run: a table with a row for each step, and the same for TensorBoard. They reach the
// disk before the checkpoint of the same step is saved, and a resumed run truncates them to its checkpoint.
// So, except for the times in TensorBoard's file, they are those of a run that was never interrupted.
type runLog struct {
	steps  *os.File
	events *tfevents.Writer
	layers []string // the names of the CSC layers
}

// stepsHeader names the columns of the table of steps: the mean and the largest of the CSC layers' eigenvalue
// estimates, and the share of zeros in all their codes, which is counted in the last step of an epoch.
const stepsHeader = "step,loss,accuracy,rate,eigenvalue_mean,eigenvalue_max,zeros\n"

// The prefixes of the tags in TensorBoard's file for the results of an epoch.
const (
	epochTag = "epoch/"
	heldTag  = "held_out/"
)

// openRunLog opens the logs of the run in a folder, truncated after the given step. If the images held out
// are due then, an evaluation of them at this step is not in the checkpoint, and is removed too.
func openRunLog(folder string, layers []string, step int, due bool) (*runLog, error) {
	steps, err := openSteps(cli.StepsIn(folder), step)
	if err != nil {
		return nil, err
	}
	events, err := tfevents.Open(cli.EventsIn(folder), func(e tfevents.Event) bool {
		held := len(e.Scalars) > 0 && strings.HasPrefix(e.Scalars[0].Tag, heldTag)
		return e.Step < int64(step) || e.Step == int64(step) && !(held && due)
	})
	if err != nil {
		steps.Close()
		return nil, err
	}
	return &runLog{steps, events, layers}, nil
}

// openSteps opens the table of steps, truncated after the row of the given step.
func openSteps(path string, step int) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	end, err := endOfStep(file, step)
	if err == nil {
		err = file.Truncate(end)
	}
	if err == nil {
		_, err = file.Seek(end, io.SeekStart)
	}
	if err == nil && end == 0 {
		_, err = file.WriteString(stepsHeader)
	}
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return file, nil
}

// endOfStep is the length of the rows of a table of steps up to the given one; incomplete rows do not count.
func endOfStep(file io.Reader, step int) (end int64, err error) {
	r := bufio.NewReader(file)
	for {
		line, err := r.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		switch whole := err == nil; {
		case end == 0 && !strings.HasPrefix(stepsHeader, string(line)):
			return 0, errors.New("not a table of steps")
		case !whole:
			return end, nil
		case end > 0:
			number, _, _ := bytes.Cut(line, []byte(","))
			if n, err := strconv.Atoi(string(number)); err != nil || n > step {
				return end, nil
			}
		}
		end += int64(len(line))
	}
}

// step adds a step.
func (l *runLog) step(s training.Step) error {
	accuracy := float64(s.Correct) / float64(s.Images)
	scalars := []tfevents.Scalar{{Tag: "train/loss", Value: s.Loss}, {Tag: "train/accuracy", Value: accuracy},
		{Tag: "train/rate", Value: s.Rate}}
	mean, maximum := "", ""
	if len(s.Estimates) > 0 {
		sum, largest := 0.0, 0.0
		for i, e := range s.Estimates {
			sum += e.Value
			largest = max(largest, e.Value)
			scalars = append(scalars, tfevents.Scalar{Tag: "eigenvalue/" + l.layers[i], Value: e.Value})
		}
		mean, maximum = fmt.Sprintf("%g", sum/float64(len(s.Estimates))), fmt.Sprintf("%g", largest)
	}
	zeros, all := "", training.Codes{}
	for _, c := range s.Codes {
		all.Zeros, all.Total = all.Zeros+c.Zeros, all.Total+c.Total
		scalars = append(scalars, tfevents.Scalar{Tag: "zeros/" + c.Layer, Value: c.ZeroShare()})
	}
	if all.Total > 0 {
		zeros = fmt.Sprintf("%g", all.ZeroShare())
	}
	if _, err := fmt.Fprintf(l.steps, "%d,%g,%g,%g,%s,%s,%s\n", s.Iteration, s.Loss, accuracy, s.Rate, mean,
		maximum, zeros); err != nil {
		return err
	}
	if s.Epoch != nil {
		scalars = append(scalars, tfevents.Scalar{Tag: epochTag + "loss", Value: s.Epoch.Loss},
			tfevents.Scalar{Tag: epochTag + "accuracy", Value: s.Epoch.Accuracy})
	}
	return l.events.Append(tfevents.Event{Wall: time.Now(), Step: int64(s.Iteration), Scalars: scalars})
}

// held adds an evaluation of the images held out.
func (l *runLog) held(step int, e training.Evaluation) error {
	return l.events.Append(tfevents.Event{Wall: time.Now(), Step: int64(step), Scalars: []tfevents.Scalar{
		{Tag: heldTag + "loss", Value: e.Loss}, {Tag: heldTag + "accuracy", Value: e.Accuracy()},
	}})
}

// sync writes the logs to the disk.
func (l *runLog) sync() error { return errors.Join(l.steps.Sync(), l.events.Sync()) }

func (l *runLog) close() { errors.Join(l.steps.Close(), l.events.Close()) }
