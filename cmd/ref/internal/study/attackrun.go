package study

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"

	"sdref/cmd/ref/internal/cli"
	"sdref/sdnet/attack"
)

// run does all attacks and reports; if it is stopped, what was finished.
func (s *attackRun[T]) run() error {
	f := s.flags
	r := &attackReport{Data: s.samples.data.Name, Known: s.samples.known, Images: f.count,
		Norm: f.pgd.Norm.String(), Steps: f.pgd.Steps,
		Restarts: f.pgd.Restarts, Seed: f.pgd.Seed, Epsilons: append([]float64{0}, f.epsilons...)}
	s.jobs = len(f.epsilons) * len(s.targets)
	if len(s.targets) > 1 {
		s.jobs *= 2 // each network's own attack, and one for the images that are transferred
	}
	if f.checks {
		s.jobs += checkJobs
	}
	r.Complete = s.own(r) && (len(s.targets) == 1 || s.transfer(r)) && (!f.checks || s.check(r))
	s.p.End()
	if err := r.print(s.c.Stdout); err != nil {
		return err
	}
	if f.out != "" {
		if err := r.write(s.p, f.out); err != nil {
			return err
		}
	}
	if !r.Complete {
		return s.stopped(r)
	}
	for _, check := range r.Checks {
		if !check.Good {
			return cli.ErrFailed
		}
	}
	return nil
}

// own does each network's own attacks; it returns false if it was stopped.
func (s *attackRun[T]) own(r *attackReport) bool {
	for _, t := range s.targets {
		examples := t.Begin(s.samples.test, all(s.samples.test))
		r.Networks = append(r.Networks, attackCurve{Name: t.name, Correct: []int{examples.Remaining()}})
		curve := &r.Networks[len(r.Networks)-1]
		for _, epsilon := range s.flags.epsilons {
			pgd := s.flags.pgd
			pgd.Epsilon = epsilon
			if !s.attack(t, examples, pgd) {
				return false
			}
			curve.Correct = append(curve.Correct, examples.Remaining())
		}
	}
	return true
}

// stopped says what is there of a report that was stopped, and how to get the rest.
func (s *attackRun[T]) stopped(r *attackReport) error {
	where := "shown above"
	if s.flags.out != "" {
		where += " and in " + filepath.Join(s.flags.out, "attack.json")
	}
	done := len(r.Epsilons) // epsilons that all networks have been attacked with, 0 among them
	for i := range s.targets {
		if i >= len(r.Networks) {
			done = 1
			break
		}
		done = min(done, len(r.Networks[i].Correct))
	}
	if done == len(r.Epsilons) {
		s.p.Say("stopped after %d of %d attacks; what was finished is %s; missing are images made for another network, or the checks", s.done-1, s.jobs, where)
		return cli.ErrInterrupted
	}
	unit := 1.
	if r.Norm == attack.Linf.String() {
		unit = 255
	}
	var rest []string
	for _, epsilon := range r.Epsilons[done:] {
		rest = append(rest, fmt.Sprint(math.Round(epsilon*unit*1e6)/1e6))
	}
	s.p.Say("stopped after %d of %d attacks; what was finished is %s; the same command with -epsilons %s and another -out does the rest", s.done-1, s.jobs, where,
		strings.Join(rest, ","))
	return cli.ErrInterrupted
}

// attack does one attack and shows its progress; it returns false if it was stopped.
func (s *attackRun[T]) attack(t target[T], examples *attack.Examples[T], a attack.PGD) bool {
	open := examples.Remaining()
	if a.MaximizeLoss {
		open = len(examples.Found)
	}
	total, done := max(1, open*a.Steps*a.Restarts), 0
	ok := t.Attack(examples, a, func(images int) bool {
		done += images
		s.p.Show((float64(s.done)+min(1, float64(done)/float64(total)))/float64(s.jobs),
			fmt.Sprintf("%s, epsilon %.4f: %d of %d images found", t.name, a.Epsilon,
				len(examples.Found)-examples.Remaining(), len(examples.Found)))
		return s.c.Context.Err() == nil
	})
	s.done++
	return ok && s.c.Context.Err() == nil
}

// transfer counts how many of the examples made for one network another network recognises: those made for
// the first by all others, those made for another by the first.
func (s *attackRun[T]) transfer(r *attackReport) bool {
	for i, from := range s.targets {
		var curves []attackCurve
		for k, to := range s.targets {
			if i != k && (i == 0 || k == 0) {
				curves = append(curves, attackCurve{to.name, from.name, []int{r.Networks[k].Correct[0]}})
			}
		}
		for _, epsilon := range s.flags.epsilons {
			pgd := s.flags.pgd
			pgd.Epsilon, pgd.MaximizeLoss = epsilon, true
			examples := from.Begin(s.samples.test, all(s.samples.test))
			if !s.attack(from, examples, pgd) {
				r.Transfer = append(r.Transfer, curves...)
				return false
			}
			j := 0
			for k, to := range s.targets {
				if i != k && (i == 0 || k == 0) {
					curves[j].Correct = append(curves[j].Correct, to.Recognised(examples))
					j++
				}
			}
		}
		r.Transfer = append(r.Transfer, curves...)
	}
	return true
}

// checkJobs is the number of attacks that check does.
const checkJobs = 3

// check looks for signs that the attack on the first network is weaker than it should be.
func (s *attackRun[T]) check(r *attackReport) bool {
	t, pgd, own := s.targets[0], s.flags.pgd, r.Networks[0].Correct
	// at is the index of the first epsilon that leaves less than half of the images, or of the last.
	at := len(own) - 1
	for i := at; i > 0; i-- {
		if 2*own[i] < own[0] {
			at = i
		}
	}
	pgd.Epsilon = r.Epsilons[at]
	begin := func() *attack.Examples[T] { return t.Begin(s.samples.test, all(s.samples.test)) }
	report := func(what, result string, good bool) {
		r.Checks = append(r.Checks, attackCheck{what, result, good})
	}

	examples := begin()
	t.RandomStart(examples, pgd)
	noise := t.Recognised(examples)
	report("the gradient does it", fmt.Sprintf("epsilon %.4f: %d images withstand a random change, %d the "+
		"attack", pgd.Epsilon, noise, own[at]), noise > own[at])

	left := map[int]int{}
	for _, steps := range []int{1, 2 * pgd.Steps} {
		examples, a := begin(), pgd
		a.Steps = steps
		if !s.attack(t, examples, a) {
			return false
		}
		left[steps] = examples.Remaining()
	}
	slack := 2 * math.Sqrt(float64(max(1, own[at]))) // two standard deviations of a count
	more := left[2*pgd.Steps]
	report("more steps do more", fmt.Sprintf("epsilon %.4f: %d images withstand 1 step, %d withstand %d, "+
		"%d withstand %d", pgd.Epsilon, left[1], own[at], pgd.Steps, more, 2*pgd.Steps),
		float64(more) <= float64(own[at])+slack && float64(own[at]) <= float64(left[1])+slack)

	examples, pgd.Epsilon = begin(), map[attack.Norm]float64{attack.Linf: 0.5, attack.L2: 20}[pgd.Norm]
	if !s.attack(t, examples, pgd) {
		return false
	}
	report("nothing withstands everything",
		fmt.Sprintf("epsilon %g: %d images withstand the attack", pgd.Epsilon, examples.Remaining()),
		examples.Remaining() == 0)

	zero := t.ZeroGradients(begin())
	report("gradients are there", fmt.Sprintf("%d of %d images have a gradient of zeros", zero, r.Images),
		100*zero <= r.Images)
	r.checkTransfer(report)
	return true
}
