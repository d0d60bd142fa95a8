package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"sdref/golden/safetensors"
	"sdref/sdnet/cifar"
	"sdref/sdnet/training"
	"sdref/tensor"
)

const trainHelp = `ref train trains a network. Alone it trains a narrow one on drawn images, in about a minute. With
-data FOLDER it follows the published recipe for CIFAR (SDNet-18, 220 epochs, batch 128, cosine from
0.1, crops and flips). Every flag can change either; the defaults below are the recipe's, and on the
drawn images it is
  %s.

A run is a folder: checkpoint.safetensors (weights and all else that the run is) and epochs.csv. It
is saved at its start, after each epoch, every -save, and on Ctrl-C; -resume FOLDER goes on with the
same bits as if it had never stopped, and ref eval -checkpoint FOLDER/checkpoint.safetensors
evaluates it.`

// demoFlags are the settings in which a run on drawn images differs from the published recipe.
func demoFlags() string {
	d := training.Demo()
	return fmt.Sprintf("-net %s -epochs %d -batch %d -warmup %g -augment=%t", d.Network, d.Epochs, d.Batch, d.Warmup, d.Augment)
}

// trainFlags are the flags that are not part of the run's configuration.
type trainFlags struct {
	images, out, resume string
	save                time.Duration
	stop                int
}

// runTrain trains a network, or goes on with a run.
func runTrain(c *call) error {
	var f trainFlags
	config := training.Published()
	c.flags.StringVar(&f.images, "data", shapesName, "a `folder` with CIFAR-10 or CIFAR-100 in the binary layout, or \"shapes\" for the drawn images")
	c.flags.StringVar(&f.out, "out", "", "the `folder` to write to (default: a new one under runs)")
	c.flags.StringVar(&f.resume, "resume", "", "go on with the run in this `folder`; only -data, -kernel, -save and -stop may be given beside it")
	c.flags.DurationVar(&f.save, "save", 5*time.Minute, "save at least this often")
	c.flags.IntVar(&f.stop, "stop", 0, "save and stop once this many steps have been made in all (0: at the end)")
	configFlags(c, &config)
	if err := c.parse(fmt.Sprintf(trainHelp, demoFlags())); err != nil {
		return err
	}
	if f.save < 0 || f.stop < 0 {
		return fmt.Errorf("-save %v, -stop %d: must not be negative", f.save, f.stop)
	}
	if f.resume != "" {
		return resume(c, f)
	}
	data, err := openImages(f.images)
	if err != nil {
		return err
	}
	if f.images == shapesName {
		config = c.override(training.Demo(), config)
	}
	config.Data = training.DataName(data)
	if config.Images == 0 {
		config.Images = data.Train.Len()
	}
	if err := config.Check(); err != nil {
		return err
	}
	if config.Type == "float64" {
		return trainNew[float64](c, f, config, data)
	}
	return trainNew[float32](c, f, config, data)
}

// configFlags defines a flag for each setting of a run.
func configFlags(c *call, k *training.Config) {
	c.flags.StringVar(&k.Network, "net", k.Network, "the `network`: "+networkNames())
	c.flags.StringVar(&k.Type, "type", k.Type, "float32 or float64")
	c.flags.Uint64Var(&k.Seed, "seed", k.Seed, "of all random choices")
	c.flags.IntVar(&k.Epochs, "epochs", k.Epochs, "passes over the training images")
	c.flags.IntVar(&k.Batch, "batch", k.Batch, "images per step")
	c.flags.IntVar(&k.Images, "images", k.Images, "train on the first `N` images only (0: all)")
	c.flags.BoolVar(&k.Augment, "augment", k.Augment, "crop and flip; -augment=false does not")
	c.flags.StringVar(&k.Schedule, "schedule", k.Schedule, "of the learning rate: cosine, or steps (a tenth after 30, 60 and 90 epochs)")
	c.flags.Float64Var(&k.Rate, "rate", k.Rate, "learning rate at its highest")
	c.flags.Float64Var(&k.Warmup, "warmup", k.Warmup, "epochs in which the rate rises linearly, with cosine")
	c.flags.Float64Var(&k.Momentum, "momentum", k.Momentum, "Nesterov momentum")
	c.flags.Float64Var(&k.Decay, "decay", k.Decay, "weight decay")
	c.flags.Float64Var(&k.Lambda, "lambda", k.Lambda, "weight of |z|_1 in the CSC layers")
	c.flags.Float64Var(&k.Mu, "mu", k.Mu, "weight of |z|^2/2 in the CSC layers")
	c.flags.IntVar(&k.Iterations, "iterations", k.Iterations, "FISTA iterations of each CSC layer")
	c.flags.TextVar(&k.Algorithm, "algorithm", k.Algorithm, "of the 3x3 convolutions: direct, or winograd (faster, other bits, somewhat less exact)")
	c.flags.StringVar(&k.Variant, "variant", k.Variant, "FISTA's gradient from the third iteration on: published (at the last iterate) or paper (at the extrapolated point)")
}

// override returns base with the settings that were given on the command line taken from set.
func (c *call) override(base, set training.Config) training.Config {
	for name, copy := range map[string]func(){
		"net": func() { base.Network = set.Network }, "type": func() { base.Type = set.Type }, "seed": func() { base.Seed = set.Seed },
		"epochs": func() { base.Epochs = set.Epochs }, "batch": func() { base.Batch = set.Batch }, "images": func() { base.Images = set.Images },
		"augment": func() { base.Augment = set.Augment }, "schedule": func() { base.Schedule = set.Schedule }, "rate": func() { base.Rate = set.Rate },
		"warmup": func() { base.Warmup = set.Warmup }, "momentum": func() { base.Momentum = set.Momentum }, "decay": func() { base.Decay = set.Decay },
		"lambda": func() { base.Lambda = set.Lambda }, "mu": func() { base.Mu = set.Mu }, "iterations": func() { base.Iterations = set.Iterations },
		"variant": func() { base.Variant = set.Variant }, "algorithm": func() { base.Algorithm = set.Algorithm },
	} {
		if c.given(name) {
			copy()
		}
	}
	return base
}

// checkpointIn is the checkpoint of the run in a folder.
func checkpointIn(folder string) string { return filepath.Join(folder, "checkpoint.safetensors") }

// makeFolder makes the folder of a new run: the one given, which must not hold a run, or the next free one under runs.
func makeFolder(given string, k training.Config) (string, error) {
	if given != "" {
		if _, err := os.Stat(checkpointIn(given)); err == nil {
			return "", fmt.Errorf("-out: %s holds a run already; go on with it by -resume %s, or choose another folder", given, given)
		}
		return given, os.MkdirAll(given, 0o755)
	}
	if err := os.MkdirAll("runs", 0o755); err != nil {
		return "", err
	}
	for i := 1; ; i++ {
		folder := filepath.Join("runs", fmt.Sprintf("%s-%s-%d", k.Network, k.Data, i))
		err := os.Mkdir(folder, 0o755)
		if !os.IsExist(err) {
			return folder, err
		}
	}
}

func trainNew[T tensor.Float](c *call, f trainFlags, k training.Config, data *cifar.Data) error {
	r, err := training.New[T](k, data)
	if err != nil {
		return err
	}
	if f.out, err = makeFolder(f.out, k); err != nil {
		return err
	}
	if err := save(r, f.out); err != nil { // now rather than after an epoch, if it cannot be done
		return err
	}
	return train(c, f, r, data)
}

// resume goes on with a run.
func resume(c *call, f trainFlags) error {
	allowed := map[string]bool{"resume": true, "data": true, "kernel": true, "save": true, "stop": true}
	var extra error
	c.flags.VisitAll(func(g *flag.Flag) {
		if c.given(g.Name) && !allowed[g.Name] {
			extra = fmt.Errorf("-%s: a run's settings cannot be changed when it is resumed", g.Name)
		}
	})
	if extra != nil {
		return extra
	}
	f.out = f.resume
	file, err := safetensors.Read(checkpointIn(f.out))
	if err != nil {
		return err
	}
	k, _, err := training.ReadConfig(file)
	if err != nil {
		return err
	}
	data, err := openImages(f.images)
	if err != nil {
		return err
	}
	if k.Type == "float64" {
		return trainFrom[float64](c, f, file, data)
	}
	return trainFrom[float32](c, f, file, data)
}

func trainFrom[T tensor.Float](c *call, f trainFlags, file *safetensors.File, data *cifar.Data) error {
	r, err := training.Resume[T](file, data)
	if err != nil {
		return err
	}
	if f.stop != 0 && f.stop <= r.Iteration {
		return fmt.Errorf("-stop %d: the run in %s has made %d steps already", f.stop, f.out, r.Iteration)
	}
	return train(c, f, r, data)
}

// train makes the steps that are left, saving now and then, and evaluates the network in the end.
func train[T tensor.Float](c *call, f trainFlags, r *training.Run[T], data *cifar.Data) error {
	total := r.Total()
	p := newProgress(c.stdout, float64(r.Iteration)/float64(total))
	defer p.end()
	p.say("%s", machine())
	p.say("%s on %d images of %s, %s: %d epochs of %d steps, batch %d, %s rate %g, step %d of %d, in %s", r.Network, r.Images, data.Train.Name,
		r.Type, r.Epochs, r.PerEpoch(), r.Batch, r.Schedule, r.Rate, r.Iteration, total, f.out)
	if len(data.Unknown) > 0 {
		p.say("note: these files are not the official ones: %v", data.Unknown)
	}
	saved, images := time.Now(), 0
	for !r.Done() {
		s, err := r.Step()
		if err != nil {
			return fmt.Errorf("%w; the last checkpoint is %s", err, checkpointIn(f.out))
		}
		images += s.Images
		speed := float64(images) / time.Since(p.start).Seconds()
		p.show(float64(r.Iteration)/float64(total), fmt.Sprintf("step %d of %d, loss %.4f, %.1f %% right, %.1f images/s",
			r.Iteration, total, s.Loss, 100*float64(s.Correct)/float64(s.Images), speed))
		stop := c.ctx.Err() != nil || r.Iteration == f.stop
		if s.Epoch != nil {
			p.say("epoch %d: loss %.4f, training accuracy %.2f %%, rate %.4f, %.1f images/s", s.Epoch.Epoch, s.Epoch.Loss, 100*s.Epoch.Accuracy, s.Epoch.Rate, speed)
		}
		if s.Epoch != nil || stop || time.Since(saved) > f.save {
			if err := save(r, f.out); err != nil {
				return err
			}
			saved = time.Now()
		}
		if stop && !r.Done() {
			p.say("stopped after step %d and saved; go on with: ref train -resume %s -data %s", r.Iteration, f.out, f.images)
			if c.ctx.Err() != nil {
				return errInterrupted
			}
			return nil
		}
	}
	if err := evaluate(c, newProgress(c.stdout, 0), r.Net(), data, data.Test, 100); err != nil {
		return err
	}
	p.say("weights and run: %s\nepochs: %s", checkpointIn(f.out), logIn(f.out))
	return nil
}

// logIn is the table of epochs of the run in a folder.
func logIn(folder string) string { return filepath.Join(folder, "epochs.csv") }
