package study

import (
	"fmt"
	"math"

	"sdref/cmd/ref/internal/cli"
	"sdref/sdnet/attack"
)

// run makes all attacks and reports.
func (s *siege[T]) run() error {
	f := s.flags
	r := &attackReport{Data: s.samples.data.Name, Known: s.samples.known, Images: f.count, Norm: f.pgd.Norm.String(), Steps: f.pgd.Steps,
		Restarts: f.pgd.Restarts, Seed: f.pgd.Seed, Epsilons: append([]float64{0}, f.epsilons...)}
	s.jobs = len(f.epsilons) * len(s.targets)
	if len(s.targets) > 1 {
		s.jobs *= 2 // each network's own attack, and images to be shown to others
	}
	if f.checks {
		s.jobs += checkJobs
	}
	for _, t := range s.targets {
		trial := t.Begin(s.samples.test, all(s.samples.test))
		curve := attackCurve{Name: t.name, Correct: []int{trial.Unfound()}}
		for _, epsilon := range f.epsilons {
			pgd := f.pgd
			pgd.Epsilon = epsilon
			if !s.attack(t, trial, pgd) {
				return robustStopped(s.p)
			}
			curve.Correct = append(curve.Correct, trial.Unfound())
		}
		r.Networks = append(r.Networks, curve)
	}
	if len(s.targets) > 1 && !s.transfer(r) {
		return robustStopped(s.p)
	}
	if f.checks && !s.check(r) {
		return robustStopped(s.p)
	}
	s.p.End()
	if err := r.print(s.c.Stdout); err != nil {
		return err
	}
	if f.out != "" {
		if err := r.write(s.p, f.out); err != nil {
			return err
		}
	}
	for _, finding := range r.Checks {
		if !finding.Good {
			return cli.ErrFailed
		}
	}
	return nil
}

// attack makes one attack, which is a job, and shows how far it is; false says that it was stopped.
func (s *siege[T]) attack(t target[T], trial *attack.Trial[T], a attack.PGD) bool {
	open := trial.Unfound()
	if a.Persist {
		open = len(trial.Found)
	}
	total, done := max(1, open*a.Steps*a.Restarts), 0
	ok := t.Attack(trial, a, func(images int) bool {
		done += images
		s.p.Show((float64(s.done)+min(1, float64(done)/float64(total)))/float64(s.jobs),
			fmt.Sprintf("%s, epsilon %.4f: %d of %d images found", t.name, a.Epsilon, len(trial.Found)-trial.Unfound(), len(trial.Found)))
		return s.c.Context.Err() == nil
	})
	s.done++
	return ok && s.c.Context.Err() == nil
}

// transfer shows images that were made for one network to the others: those made for the first to all, those made for another to the
// first.
func (s *siege[T]) transfer(r *attackReport) bool {
	for i, from := range s.targets {
		var curves []attackCurve
		for k, to := range s.targets {
			if i != k && (i == 0 || k == 0) {
				curves = append(curves, attackCurve{to.name, from.name, []int{r.Networks[k].Correct[0]}})
			}
		}
		for _, epsilon := range s.flags.epsilons {
			pgd := s.flags.pgd
			pgd.Epsilon, pgd.Persist = epsilon, true
			trial := from.Begin(s.samples.test, all(s.samples.test))
			if !s.attack(from, trial, pgd) {
				return false
			}
			j := 0
			for k, to := range s.targets {
				if i != k && (i == 0 || k == 0) {
					curves[j].Correct = append(curves[j].Correct, to.Recognised(trial))
					j++
				}
			}
		}
		r.Transfer = append(r.Transfer, curves...)
	}
	return true
}

// checkJobs is the number of attacks that check makes.
const checkJobs = 3

// check looks for signs that the attack on the first network is weaker than it should be.
func (s *siege[T]) check(r *attackReport) bool {
	t, pgd, own := s.targets[0], s.flags.pgd, r.Networks[0].Correct
	at := len(own) - 1 // the epsilon: the first that takes half of the images, or the last
	for i := at; i > 0; i-- {
		if 2*own[i] < own[0] {
			at = i
		}
	}
	pgd.Epsilon = r.Epsilons[at]
	begin := func() *attack.Trial[T] { return t.Begin(s.samples.test, all(s.samples.test)) }
	find := func(what, result string, good bool) { r.Checks = append(r.Checks, attackFinding{what, result, good}) }

	trial := begin()
	t.Start(trial, pgd)
	noise := t.Recognised(trial)
	find("the gradient does it", fmt.Sprintf("epsilon %.4f: %d images withstand a random change, %d the attack", pgd.Epsilon, noise, own[at]), noise > own[at])

	left := map[int]int{}
	for _, steps := range []int{1, 2 * pgd.Steps} {
		trial, a := begin(), pgd
		a.Steps = steps
		if !s.attack(t, trial, a) {
			return false
		}
		left[steps] = trial.Unfound()
	}
	slack := 2 * math.Sqrt(float64(max(1, own[at]))) // two deviations of a count
	more := left[2*pgd.Steps]
	find("more steps do more", fmt.Sprintf("epsilon %.4f: %d images withstand 1 step, %d withstand %d, %d withstand %d", pgd.Epsilon, left[1], own[at], pgd.Steps, more, 2*pgd.Steps),
		float64(more) <= float64(own[at])+slack && float64(own[at]) <= float64(left[1])+slack)

	trial, pgd.Epsilon = begin(), map[attack.Norm]float64{attack.Linf: 0.5, attack.L2: 20}[pgd.Norm]
	if !s.attack(t, trial, pgd) {
		return false
	}
	find("nothing withstands everything", fmt.Sprintf("epsilon %g: %d images withstand the attack", pgd.Epsilon, trial.Unfound()), trial.Unfound() == 0)

	zero := t.Flat(begin())
	find("gradients are there", fmt.Sprintf("%d of %d images have a gradient of zeros", zero, r.Images), 100*zero <= r.Images)
	r.checkTransfer(find)
	return true
}
