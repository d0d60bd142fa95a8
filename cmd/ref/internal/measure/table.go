package measure

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"sdref/cmd/ref/internal/cli"
	"sdref/conv"
	"sdref/internal/atomicfile"
	"sdref/internal/kernel"
	"sdref/sdnet"
	"sdref/sdnet/data"
	"sdref/sdnet/training"
	"sdref/tensor"
	"sdref/tensor/safetensors"
)

const tableHelp = `ref table makes the rows of the supplement's Table D.1: SDNet-18 and -34 with one CSC layer and with
all of them, on CIFAR-10, CIFAR-100 and ImageNet: parameters, accuracy, and the peak memory and speed
of training and prediction, measured now, each in a process of its own on random images; then the
ratios of the networks of CSC layers to those with one.

The accuracy is that of -checkpoint on the test images of -data. Beside it stands that of the weights
which the authors give away, as they state it (github.com/Delay-Xili/SDNet, README); - means that
nothing is known here. Memory and speed depend on the machine: compare the ratios.`

// publishedAccuracy is that of the authors' weights in per cent, as the README of their code states it.
var publishedAccuracy = map[[2]string]float64{
	{"sdnet18", "cifar10"}: 95.34, {"sdnet18_all", "cifar10"}: 95.02,
	{"sdnet18_all_noshortcut", "cifar10"}: 94.89,
	{"sdnet18", "cifar100"}:               78.45, {"sdnet18_all", "cifar100"}: 77.89,
	{"sdnet18_all_noshortcut", "cifar100"}: 77.28,
	{"sdnet18", "imagenet"}:                69.78, {"sdnet18_all_noshortcut", "imagenet"}: 69.03,
}

// tableRow is a line of the table and an entry of its files. Unknown values are left out.
type tableRow struct {
	Network    string  `json:"network"`
	Data       string  `json:"data"`
	Parameters int     `json:"parameters"`
	Batch      int     `json:"batch"`
	Published  float64 `json:"published_accuracy,omitempty"` // in per cent
	Accuracy   float64 `json:"accuracy,omitempty"`           // in per cent
	Images     int     `json:"accuracy_images,omitempty"`    // test images on which the accuracy was measured
	Train      speed   `json:"train,omitzero"`
	Predict    speed   `json:"predict,omitzero"`
}

// speed is the result of a job.
type speed struct {
	ImagesPerSec float64 `json:"images_per_second"`
	PeakRSS      float64 `json:"peak_rss_mb"` // of the job's process, in units of 2^20 bytes
}

// tableRatio compares a network of CSC layers with the one that has only a CSC stem.
type tableRatio struct {
	All    string  `json:"all"`
	Stem   string  `json:"stem"`
	Data   string  `json:"data"`
	Memory float64 `json:"train_memory"` // the first network's over the second's
	Time   float64 `json:"train_time"`   // per image, the first network's over the second's
}

// tableReport is the JSON file.
type tableReport struct {
	CPU    string       `json:"cpu"`
	Row    string       `json:"row"`
	Quick  bool         `json:"quick,omitempty"`
	Rows   []tableRow   `json:"rows"`
	Ratios []tableRatio `json:"ratios"`

	failed error // a checkpoint's loss is not finite
}

// tableFlags are the flags of ref table.
type tableFlags struct {
	nets, sets, data  string
	checkpoints       []string
	batch             int
	quick, unmeasured bool
	json, csv, job    string
	algorithm         conv.Algorithm
}

// Table makes the table.
func Table(c *cli.Call) error {
	var f tableFlags
	c.Flags.StringVar(&f.nets, "net", "sdnet18,sdnet34,sdnet18_all,sdnet34_all",
		"the `networks`, separated by commas: "+cli.NetworkNames())
	c.Flags.StringVar(&f.sets, "sets", "cifar10,cifar100,imagenet",
		"the data `sets` that they are made for: "+cli.DataNames())
	c.Flags.Func("checkpoint", cli.CheckpointUsage()+
		"; its accuracy enters the row of its network; may be given several times", func(s string) error {
		f.checkpoints = append(f.checkpoints, s)
		return nil
	})
	c.Flags.StringVar(&f.data, "data", "", cli.DataUsage+"; for the accuracy")
	c.Flags.IntVar(&f.batch, "batch", 0, "images at once (0: 32, and 8 of ImageNet's size)")
	c.Flags.BoolVar(&f.quick, "quick", false, "measure as few steps as can be, three of each kind")
	c.Flags.BoolVar(&f.unmeasured, "unmeasured", false, "leave memory and speed out")
	c.Flags.TextVar(&f.algorithm, "algorithm", conv.Direct, "of the 3x3 convolutions: direct or winograd")
	c.Flags.StringVar(&f.json, "json", "", "write the table to this `file` too")
	c.Flags.StringVar(&f.csv, "csv", "", "write the rows to this `file` too")
	c.Flags.StringVar(&f.job, "job", "",
		"measure `train/NETWORK/SET` or predict/NETWORK/SET in this process and print the result as JSON")
	if err := c.Parse(tableHelp); err != nil {
		return err
	}
	if f.batch < 0 || f.batch > 4096 {
		return fmt.Errorf("-batch: %d is not between 0 and 4096", f.batch)
	}
	if f.job != "" {
		return measureJob(c, f)
	}
	if len(f.checkpoints) > 0 && f.data == "" {
		return errors.New("-checkpoint without -data: the accuracy needs images")
	}
	r, err := makeTable(c, f)
	if err != nil {
		return err
	}
	if err := r.print(c.Stdout); err != nil {
		return err
	}
	if f.json != "" {
		err = cli.WriteJSON(f.json, r)
	}
	if f.csv != "" && err == nil {
		err = atomicfile.Write(f.csv, r.writeCSV)
	}
	return errors.Join(err, r.failed)
}

// makeTable makes the rows: from the specifications, then from the checkpoints, then by measuring.
func makeTable(c *cli.Call, f tableFlags) (*tableReport, error) {
	r := &tableReport{CPU: kernel.CPUName(), Row: kernel.ActiveName(), Quick: f.quick}
	for _, set := range strings.Split(f.sets, ",") {
		for _, net := range strings.Split(f.nets, ",") {
			row, err := newRow(net, set, f.batch)
			if err != nil {
				return nil, err
			}
			r.Rows = append(r.Rows, row)
		}
	}
	p := cli.NewProgress(c.Stderr, 0)
	defer p.End()
	for _, where := range f.checkpoints {
		if err := accuracy(c, r, f, where, p); err != nil {
			return nil, err
		}
	}
	for i := range r.Rows {
		for j, kind := range []string{"train", "predict"} {
			if f.unmeasured {
				continue
			}
			row := &r.Rows[i]
			job := fmt.Sprintf("%s/%s/%s", kind, row.Network, row.Data)
			done := 2*i + j
			p.Say("measuring %d of %d: %s, batch %d%s", done+1, 2*len(r.Rows), job, row.Batch,
				p.Left(float64(done)/float64(2*len(r.Rows))))
			var s speed
			peak, err := runChild(c, "", &s, "table", "-job", job, "-batch", strconv.Itoa(row.Batch),
				"-algorithm", f.algorithm.String(), "-quick="+strconv.FormatBool(f.quick))
			if err != nil {
				return nil, fmt.Errorf("measuring %s: %w", job, err)
			}
			s.PeakRSS = peak
			*map[string]*speed{"train": &row.Train, "predict": &row.Predict}[kind] = s
		}
	}
	r.Ratios = ratios(r.Rows)
	return r, nil
}

// newRow is the row of a network before anything is measured.
func newRow(network, d string, batch int) (tableRow, error) {
	spec, err := sdnet.Lookup(network, d)
	if err != nil {
		return tableRow{}, err
	}
	net, err := sdnet.New[float32](spec)
	if err != nil {
		return tableRow{}, err
	}
	if batch == 0 {
		batch = 32
		if spec.Data.Image > 32 {
			batch = 8
		}
	}
	return tableRow{Network: network, Data: d, Parameters: net.CountParameters(), Batch: batch,
		Published: publishedAccuracy[[2]string{network, d}]}, nil
}

// measureJob measures one job in this process.
func measureJob(c *cli.Call, f tableFlags) error {
	parts := strings.Split(f.job, "/")
	if len(parts) != 3 || (parts[0] != "train" && parts[0] != "predict") {
		return fmt.Errorf("-job: %q is neither train/NETWORK/SET nor predict/NETWORK/SET", f.job)
	}
	row, err := newRow(parts[1], parts[2], f.batch)
	if err != nil {
		return err
	}
	atLeast := 5 * time.Second
	if f.quick {
		atLeast = 0
	}
	measure := trainSpeed
	if parts[0] == "predict" {
		measure = predictSpeed
	}
	return json.NewEncoder(c.Stdout).Encode(speed{ImagesPerSec: measure(benchNetwork(row.Network, row.Data,
		f.algorithm), row.Batch, atLeast)})
}

// accuracy evaluates a checkpoint and adds the accuracy to its network's row, or to a new one.
func accuracy(c *cli.Call, r *tableReport, f tableFlags, where string, p *cli.Progress) error {
	file, config, err := cli.OpenTrained(c, where)
	if err != nil {
		return err
	}
	d, err := cli.OpenFor(c, f.data, file, config, c.Stderr)
	if err != nil {
		return err
	}
	if !d.Known {
		return fmt.Errorf("%s was trained on %s, -data %s is %s", where, config.Data, f.data, d.Name)
	}
	e, err := cli.ByType(config.Type, evaluateFile[float32], evaluateFile[float64])(c, p, file, d.Dataset)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(r.Rows, func(row tableRow) bool {
		return row.Network == config.Network && row.Data == config.Data
	})
	if at < 0 {
		row, err := newRow(config.Network, config.Data, f.batch)
		if err != nil {
			return err
		}
		at, r.Rows = len(r.Rows), append(r.Rows, row)
	}
	r.Rows[at].Accuracy, r.Rows[at].Images = 100*e.Accuracy(), e.Images
	if !cli.Finite(e.Loss) {
		r.failed = fmt.Errorf("%s: loss %v: %w", where, e.Loss, cli.ErrNotFinite)
	}
	return nil
}

// evaluateFile evaluates a checkpoint on the test images.
func evaluateFile[T tensor.Float](c *cli.Call, p *cli.Progress, file *safetensors.File,
	d data.Dataset) (training.Evaluation, error) {
	net, config, err := training.LoadNetwork[T](file)
	if err != nil {
		return training.Evaluation{}, err
	}
	e := training.Evaluate(net.Evaluable(), d.Test, d.Mean, d.Std, cli.EvaluationBatch,
		func(e training.Evaluation) bool {
			p.Show(float64(e.Images)/float64(d.Test.Len()),
				fmt.Sprintf("%s: evaluated %d of %d images", config.Network, e.Images, d.Test.Len()))
			return c.Context.Err() == nil
		})
	if c.Context.Err() != nil {
		return e, cli.ErrInterrupted
	}
	return e, e.Err
}
