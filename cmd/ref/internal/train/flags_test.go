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
	if got := override(c, training.Demo(), config); !reflect.DeepEqual(got, training.Demo()) {
		t.Errorf("nothing given: %+v", got)
	}
	values := map[string]string{"net": "sdnet34", "type": "float64", "seed": "9", "epochs": "11",
		"batch": "12", "images": "13", "augment": "true", "schedule": "steps",
		"rate": "0.3", "warmup": "4", "momentum": "0.6", "decay": "0.7", "lambda": "0.8", "mu": "0.9",
		"iterations": "14", "variant": "paper", "algorithm": "winograd", "milestones": "3,5",
		"plain-momentum": "true", "size": "64",
		"holdout": "15", "holdout-every": "2", "learn-lambda": "true", "learn-step": "true",
		"gradient": "implicit", "stem": "imagenet", "smoothing": "0.1", "mixup": "0.2"}
	var args []string
	c.Flags.VisitAll(func(f *flag.Flag) { args = append(args, "-"+f.Name+"="+values[f.Name]) })
	if err := c.Flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	want := config
	want.Data = training.Demo().Data
	if got := override(c, training.Demo(), config); !reflect.DeepEqual(got, want) {
		t.Errorf("all given: %+v, want %+v", got, want)
	}
}
