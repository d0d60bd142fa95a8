package train

import (
	"flag"
	"reflect"
	"testing"

	"sdref/cmd/ref/internal/cli"
	"sdref/sdnet/training"
)

// A setting has the recipe's value unless its flag is given.
func TestOverride(t *testing.T) {
	c := &cli.Call{Flags: flag.NewFlagSet("train", flag.ContinueOnError)}
	config := training.Published()
	configFlags(c, &config)
	if got, err := override(c, training.Demo()); err != nil || !reflect.DeepEqual(got, training.Demo()) {
		t.Errorf("nothing given: %+v, %v", got, err)
	}
	values := map[string]string{"net": "sdnet34", "type": "float64", "seed": "9", "epochs": "11.25",
		"batch": "12", "images": "13", "augment": "true", "schedule": "steps",
		"rate": "0.3", "warmup": "4", "momentum": "0.6", "decay": "0.7", "lambda": "0.8", "mu": "0.9",
		"iterations": "14", "variant": "paper", "algorithm": "winograd", "milestones": "3,5",
		"plain-momentum": "true", "size": "64",
		"holdout": "15", "holdout-every": "2", "learn-lambda": "true", "learn-step": "true",
		"gradient": "implicit", "stem": "imagenet", "smoothing": "0.1", "mixup": "0.2",
		"rate-from": "0.21", "rate-to": "0.22", "bias-rate": "23", "stem-rate": "24", "muon": "0.24", "muon-momentum": "0.29", "lookahead": "25", "reflect": "3", "alternating-flip": "true",
		"dirac": "true", "stem-atoms": "patches", "activation": "gelu", "norm-epsilon": "0.26", "norm-momentum": "0.27", "fixed-scale": "true",
		"fixed-stem": "true", "whitening": "true", "atoms": "28"}
	var args []string
	c.Flags.VisitAll(func(f *flag.Flag) { args = append(args, "-"+f.Name+"="+values[f.Name]) })
	if err := c.Flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	want := config
	want.Data = training.Demo().Data
	if got, err := override(c, training.Demo()); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("all given: %+v, want %+v, %v", got, want, err)
	}
}

// A triangle's highest rate stays at its share of the run if only -epochs is given.
func TestTrianglesShare(t *testing.T) {
	cosine := training.Short()
	for _, test := range []struct {
		base training.Config
		args []string
		want float64
	}{
		{training.FastAir(), nil, 3.427},
		{training.FastAir(), []string{"-epochs", "9.9"}, 2.277},
		{training.FastAir(), []string{"-epochs", "10", "-warmup", "3"}, 3},
		{training.FastWide(), []string{"-epochs", "10"}, 2.3},
		{training.FastAir(), []string{"-rate", "1"}, 3.427},
		{training.FastAir(), []string{"-epochs", "20", "-schedule", "cosine"}, 3.427},
		{cosine, []string{"-epochs", "5"}, cosine.Warmup},
		{cosine, []string{"-epochs", "20", "-schedule", "triangle"}, cosine.Warmup},
	} {
		c := &cli.Call{Flags: flag.NewFlagSet("train", flag.ContinueOnError)}
		config := training.Published()
		configFlags(c, &config)
		if err := c.Flags.Parse(test.args); err != nil {
			t.Fatal(err)
		}
		if got, err := override(c, test.base); err != nil || got.Warmup != test.want {
			t.Errorf("%v: warmup %v, want %v, %v", test.args, got.Warmup, test.want, err)
		}
	}
}
