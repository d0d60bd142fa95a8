package train

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"sdref/cmd/ref/internal/cli"
	"sdref/sdnet/data"
	"sdref/sdnet/training"
	"sdref/tensor"
)

// session is the part of a run that one call of ref train does.
type session[T tensor.Float] struct {
	*cli.Call
	trainFlags
	r      *training.Run[T]
	data   data.Dataset
	p      *cli.Progress
	log    *runLog
	saved  time.Time
	images int     // trained on since the session's start
	steps  float64 // how many steps the running means go over, at most runningSteps
	means  runningMeans
}

// runningMeans are means of the last steps' losses and shares of images recognised, the older ones with less weight.
type runningMeans struct{ loss, accuracy float64 }

// runningSteps is about how many steps the running means go over: single steps scatter too much to be read.
const runningSteps = 50

// add brings a step into the means.
func (s *session[T]) add(step training.Step) {
	s.steps = min(s.steps+1, runningSteps)
	s.means.loss += (step.Loss - s.means.loss) / s.steps
	s.means.accuracy += (float64(step.Correct)/float64(step.Images) - s.means.accuracy) / s.steps
}

func newSession[T tensor.Float](c *cli.Call, f trainFlags, r *training.Run[T], d data.Dataset) *session[T] {
	return &session[T]{Call: c, trainFlags: f, r: r, data: d,
		p: cli.NewProgress(c.Stdout, float64(r.Iteration)/float64(r.TotalSteps())), saved: time.Now()}
}

// run does the steps that are left, saves the run from time to time, and evaluates the network at the end.
func (s *session[T]) run(notes []string) error {
	defer s.p.End()
	r := s.r
	s.p.Say("%s", cli.Machine())
	s.p.Say("%s on %d images of %s, %s: %d epochs of %d steps, batch %d, %s rate %g, step %d of %d, in %s",
		r.Network, r.Images, s.data.Train,
		r.Type, r.Epochs, r.StepsPerEpoch(), r.Batch, r.Schedule, r.Rate, r.Iteration, r.TotalSteps(), s.out)
	for _, n := range notes {
		s.p.Say("note: %s", n)
	}
	var layers []string
	for _, l := range r.Net().Layers {
		layers = append(layers, l.Name)
	}
	var err error
	if s.log, err = openRunLog(s.out, layers, r.Iteration, r.HoldoutDue()); err != nil {
		return fmt.Errorf("opening the log: %w", err)
	}
	defer s.log.close()
	if r.HoldoutDue() { // the run was stopped during this evaluation
		if err := s.holdOut(); err != nil {
			return err
		}
	}
	s.sayPace()
	for !r.Done() {
		if stopped, err := s.step(); stopped || err != nil {
			return err
		}
	}
	return s.finish()
}

// step does a step, logs it and saves the run if it is time, and tells whether the session ends.
func (s *session[T]) step() (stopped bool, err error) {
	r, total := s.r, s.r.TotalSteps()
	step, err := r.Step()
	if err != nil {
		return false, cli.HowToGoOn(fmt.Errorf("%w; the last checkpoint is %s", err, cli.CheckpointIn(s.out)),
			fmt.Sprintf("ref train -resume %s -data %s", cli.Quote(s.out), cli.Quote(s.trainFlags.images)))
	}
	if err := s.log.step(step); err != nil {
		return false, fmt.Errorf("writing the log: %w", err)
	}
	s.images += step.Images
	s.add(step)
	speed := float64(s.images) / time.Since(s.p.Start).Seconds()
	s.p.Show(float64(r.Iteration)/float64(total),
		fmt.Sprintf("step %d of %d, loss %.4f, %.1f %% right, %.1f images/s",
			r.Iteration, total, s.means.loss, 100*s.means.accuracy, speed))
	if e := step.Epoch; e != nil {
		s.p.Say("epoch %d: loss %.4f, training accuracy %.2f %%, rate %.4f, %.1f images/s", e.Epoch, e.Loss,
			100*e.Accuracy, e.Rate, speed)
	}
	stop := s.Context.Err() != nil || r.Iteration == s.stop
	switch {
	case r.HoldoutDue() && s.Context.Err() == nil:
		if err := s.holdOut(); err != nil {
			return false, err
		}
	case step.Epoch != nil || stop || time.Since(s.saved) > s.save:
		if err := s.store(); err != nil {
			return false, err
		}
	}
	if !stop || r.Done() && !r.HoldoutDue() {
		return false, nil
	}
	return true, s.sayStopped()
}

// sayStopped tells how to go on with the run, which is saved.
func (s *session[T]) sayStopped() error {
	s.SayPassedOver(s.p)
	s.p.Say("stopped after step %d and saved; go on with: ref train -resume %s", s.r.Iteration, cli.Quote(s.out))
	if s.Context.Err() != nil {
		return cli.ErrInterrupted
	}
	return nil
}

// holdOut evaluates the images held out and saves the run. If that is interrupted, the run is saved without
// the evaluation, which is done when the run is resumed.
func (s *session[T]) holdOut() error {
	r := s.r
	set, err := r.HoldoutImages(s.data)
	if err != nil {
		return err
	}
	e := training.Evaluate(r.Net().Evaluable(), set, s.data.Mean, s.data.Std, cli.EvaluationBatch,
		func(e training.Evaluation) bool {
			s.p.Show(float64(r.Iteration)/float64(r.TotalSteps()),
				fmt.Sprintf("held out: evaluated %d of %d images, top-1 %.2f %%", e.Images, set.Len(),
					100*e.Accuracy()))
			return s.Context.Err() == nil
		})
	if e.Err != nil {
		return cli.HowToGoOn(fmt.Errorf("evaluating the images held out: %w", e.Err),
			fmt.Sprintf("ref train -resume %s -data %s", cli.Quote(s.out), cli.Quote(s.trainFlags.images)))
	}
	if s.Context.Err() != nil {
		if err := s.store(); err != nil {
			return err
		}
		return s.sayStopped()
	}
	r.SetHoldout(e)
	if s.keepBest && r.IsBest() {
		if err := r.Save(bestIn(s.out)); err != nil {
			return err
		}
	}
	if err := s.log.held(r.Iteration, e); err != nil {
		return fmt.Errorf("writing the log: %w", err)
	}
	s.p.Say("epoch %d: held out: accuracy %.2f %%, loss %.4f on %d images", len(r.History), 100*e.Accuracy(),
		e.Loss, e.Images)
	return s.store()
}

// store saves the run, after its logs.
func (s *session[T]) store() error {
	if err := s.log.sync(); err != nil {
		return fmt.Errorf("writing the log: %w", err)
	}
	s.saved = time.Now()
	return save(s.r, s.trainFlags)
}

// finish evaluates the test images, unless choices between runs are still to be made, and prints where the
// files are.
func (s *session[T]) finish() error {
	s.SayPassedOver(s.p)
	if s.data.Test.Len() == 0 {
		s.p.Say("%s: nothing was evaluated after the last step", s.data.Test)
	} else if s.test && (s.r.Holdout == 0 || s.testGiven) {
		known := "nothing before this depended on"
		if s.r.Start != "" { // it is not known what those weights depended on
			known = "nothing in this run depended on"
		}
		s.p.Say("the test images, which %s:", known)
		if _, err := cli.Evaluate(s.Call, cli.NewProgress(s.Stdout, 0), s.r.Net(), s.data, s.data.Test,
			cli.EvaluationBatch); err != nil {
			return err
		}
	} else {
		s.p.Say("the test images were not looked at; once all choices are made: ref eval -checkpoint %s "+
			"-data %s", cli.Quote(cli.CheckpointIn(s.out)), cli.Quote(s.trainFlags.images))
	}
	s.p.Say("weights and run: %s\nlogs: %s", cli.CheckpointIn(s.out),
		strings.Join([]string{cli.EpochsIn(s.out), cli.StepsIn(s.out), cli.EventsIn(s.out)}, ", "))
	if _, err := os.Stat(bestIn(s.out)); err == nil && s.keepBest {
		s.p.Say("weights of the epoch that did best on the images held out: %s", bestIn(s.out))
	}
	s.p.Say("%s", s.next())
	return nil
}

// next is what one may do with a run that is over: three commands.
func (s *session[T]) next() string {
	on := ""
	if s.trainFlags.images != cli.ShapesName {
		on = " -data " + cli.Quote(s.trainFlags.images)
	}
	checkpoint := cli.Quote(cli.CheckpointIn(s.out))
	third := fmt.Sprintf("  ref train -resume %s -epochs %d", cli.Quote(s.out), s.r.Epochs+max(1, s.r.Epochs/2))
	if s.r.LastEpoch > 0 { // such a run cannot be prolonged
		third = "  ref eval -augment crops -checkpoint " + checkpoint + on
	}
	return strings.Join([]string{
		`what to try next, "ref" being go run ./cmd/ref:`,
		"  ref eval -confusion -checkpoint " + checkpoint + on,
		"  ref figures -checkpoint " + checkpoint + on + " -out " + cli.Quote(filepath.Join(s.out, "figures")),
		third,
	}, "\n")
}
