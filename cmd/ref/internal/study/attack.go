package study

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"sdref/cmd/ref/internal/cli"
	"sdref/sdnet/attack"
	"sdref/sdnet/training"
	"sdref/tensor"
	"sdref/tensor/safetensors"
)

const attackHelp = `ref attack attacks networks with projected gradient descent (Madry et al., 2018): for each epsilon it
looks for an image that the network mistakes within that distance of each test image, by gradients
through the unrolled layers, pixels staying in [0, 1]. It reports the share of images for which none
was found, so what it says of robustness is an upper bound, and stronger attacks exist.

Beside the network of -checkpoint it attacks, if asked to, another one (-beside) and copies with
another lambda of the stem (-lambdas), each with the gradients of its own. Transferred images were
made for one network, towards its largest loss, and shown to another; a defence that withstands its
own attack better than transferred images only hides its gradients. Four checks of the attack itself
end the report; exit status 1 says that one failed, so that the numbers mean little.

On the drawn images a network that was trained on others is asked whether it stays with its answer.`

// attackFlags are the flags of ref attack.
type attackFlags struct {
	checkpoint, beside, images, out string
	pgd                             attack.PGD
	// epsilons are sizes in the norm; on the command line those of linf are in units of 1/255.
	epsilons     []float64
	lambdas      []float64
	count, batch int
	checks       bool
}

// Attack attacks networks.
func Attack(c *cli.Call) error {
	f := attackFlags{pgd: attack.PGD{Norm: attack.Linf}}
	c.Flags.StringVar(&f.checkpoint, "checkpoint", "pretrained:sdnet8_slim", cli.CheckpointUsage())
	c.Flags.StringVar(&f.beside, "beside", "",
		"attack this network too, and show either the other's images: "+cli.CheckpointUsage())
	c.Flags.StringVar(&f.images, "data", cli.ShapesName, cli.DataUsage)
	c.Flags.Func("norm", "`linf` (the largest change of a value, default) or l2 (the length of the change)",
		func(s string) (err error) {
			f.pgd.Norm, err = attack.ParseNorm(s)
			return err
		})
	epsilons := c.Flags.String("epsilons", "",
		"the sizes to try, ascending, `numbers` separated by commas: for linf in units of 1/255 (default "+
			"0.5,1,2,4,8), for l2 with values from 0 to 1 (default 0.1,0.25,0.5,1)")
	c.Flags.IntVar(&f.pgd.Steps, "steps", 20, "of each attack, together 2.5 times as long as epsilon")
	c.Flags.IntVar(&f.pgd.Restarts, "restarts", 1, "random starts of each attack")
	c.Flags.Func("lambdas", "attack copies with these `lambdas` of the stem too, separated by commas, "+
		"ascending", func(s string) (err error) {
		f.lambdas, err = parseAscending(s)
		return err
	})
	c.Flags.IntVar(&f.count, "images", 200, "attack that `number` of test images")
	c.Flags.IntVar(&f.batch, "batch", 50, "images per batch")
	c.Flags.Uint64Var(&f.pgd.Seed, "seed", 1, "of the choice of images and of the random starts")
	c.Flags.BoolVar(&f.checks, "checks", true, "check the attack itself")
	c.ResultFolder(&f.out, "",
		"write the numbers as attack.json, and a picture with its numbers as PNG, SVG and CSV, to this "+
			"`folder`")
	if err := c.Parse(attackHelp); err != nil {
		return err
	}
	if f.count < 1 || f.batch < 1 || f.pgd.Steps < 1 || f.pgd.Restarts < 1 {
		return fmt.Errorf("-images %d, -batch %d, -steps %d, -restarts %d: at least 1 each", f.count, f.batch,
			f.pgd.Steps, f.pgd.Restarts)
	}
	unit := 1.
	if f.pgd.Norm == attack.Linf {
		unit = 1. / 255
	}
	if *epsilons == "" {
		*epsilons = map[attack.Norm]string{attack.Linf: "0.5,1,2,4,8",
			attack.L2: "0.1,0.25,0.5,1"}[f.pgd.Norm]
	}
	var err error
	if f.epsilons, err = parseAscending(*epsilons); err != nil {
		return fmt.Errorf("-epsilons: %w", err)
	}
	if f.epsilons[0] == 0 {
		return fmt.Errorf("-epsilons: 0 is no attack; the row of 0 is always there")
	}
	for i := range f.epsilons {
		f.epsilons[i] *= unit
	}
	file, config, err := cli.OpenTrained(c, f.checkpoint)
	if err != nil {
		return err
	}
	return cli.ByType(config.Type, attackAs[float32], attackAs[float64])(c, f, file, config)
}

// parseAscending reads a list of ascending numbers that are not negative.
func parseAscending(s string) (list []float64, err error) {
	for text := range strings.SplitSeq(s, ",") {
		v, err := strconv.ParseFloat(text, 64)
		if err != nil || !(v >= 0 && v <= 1e6) {
			return nil, fmt.Errorf("%q is no number from 0 to 1e6", text)
		}
		if len(list) > 0 && v <= list[len(list)-1] {
			return nil, fmt.Errorf("%g after %g does not ascend", v, list[len(list)-1])
		}
		list = append(list, v)
	}
	return list, nil
}

// target is a network under attack, and its name in the report.
type target[T tensor.Float] struct {
	*attack.Model[T]
	name string
}

// attackRun is one call of ref attack: the attacks on all targets.
type attackRun[T tensor.Float] struct {
	c       *cli.Call
	p       *cli.Progress
	flags   attackFlags
	samples *samples
	targets []target[T]
	jobs    int // the number of attacks
	done    int // the number of attacks done
}

func attackAs[T tensor.Float](c *cli.Call, f attackFlags, file *safetensors.File,
	config training.Config) error {
	s := &attackRun[T]{c: c, p: cli.NewProgress(c.Stdout, 0), flags: f}
	defer s.p.End()
	var err error
	if s.samples, err = openSamples(c, file, config, f.images, 0, f.count, f.pgd.Seed); err != nil {
		return err
	}
	if err := s.add(file, f.lambdas); err != nil {
		return err
	}
	if f.beside != "" {
		other, theirs, err := cli.OpenTrained(c, f.beside)
		if err != nil {
			return err
		}
		if theirs.Data != config.Data || theirs.Classes != config.Classes {
			return fmt.Errorf("-beside: %s was trained on %s, %s on %s", f.beside, theirs.Data, f.checkpoint,
				config.Data)
		}
		if err := sameClasses(file, config, other, theirs); err != nil {
			return fmt.Errorf("-beside: %w", err)
		}
		if err := s.add(other, nil); err != nil {
			return err
		}
	}
	s.p.Say("%s\n%d images of %s, %v attack of %d steps, %d random starts", cli.Machine(), f.count,
		s.samples.test.Name, f.pgd.Norm, f.pgd.Steps, f.pgd.Restarts)
	s.samples.say(s.p)
	if !s.samples.known {
		s.p.Say("no accuracy, since these are none of the classes of %s: an answer is right if it is that "+
			"of %s on the clean image", config.Data, s.targets[0].name)
		first := s.targets[0]
		for i, class := range first.Classes(first.Begin(s.samples.test, all(s.samples.test)).Images) {
			s.samples.test.Labels[i] = uint8(class)
		}
	}
	return s.run()
}

// sameClasses refuses another network whose classes have other names, or another order.
func sameClasses(f *safetensors.File, config training.Config, other *safetensors.File,
	theirs training.Config) error {
	a, err := training.DescribeImages(f, config)
	if err != nil {
		return err
	}
	b, err := training.DescribeImages(other, theirs)
	if err != nil {
		return err
	}
	if list := a.ClassDifferences(b); len(list) > 0 {
		return fmt.Errorf("%s has not the classes of %s: %s", other.Path, f.Path, strings.Join(list, "; "))
	}
	return nil
}

// add adds a network to the targets, and copies of it with other lambdas.
func (s *attackRun[T]) add(file *safetensors.File, lambdas []float64) error {
	net, config, err := training.LoadNetwork[T](file)
	if err != nil {
		return err
	}
	if len(lambdas) > 0 && !net.CSCStem {
		return fmt.Errorf("-lambdas: the stem of %s is no CSC layer", config.Network)
	}
	name := config.Network
	if slices.ContainsFunc(s.targets, func(t target[T]) bool { return t.name == name }) {
		name += " beside"
	}
	model := func() *attack.Model[T] {
		return attack.NewModel(net, s.samples.data.Mean, s.samples.data.Std, s.flags.batch)
	}
	s.targets = append(s.targets, target[T]{model(), name})
	for _, lambda := range lambdas {
		v := model()
		v.Net.Layers[0].Lambda = lambda
		s.targets = append(s.targets, target[T]{v, fmt.Sprintf("%s with lambda %g", name, lambda)})
	}
	return nil
}
