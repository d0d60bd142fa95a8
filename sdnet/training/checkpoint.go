package training

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"sdref/sdnet"
	"sdref/sdnet/data"
	"sdref/tensor"
	"sdref/tensor/safetensors"
)

// The keys of a checkpoint's metadata. Its tensors are the network's state under the published names, weights
// as the optimiser left them, and each parameter's velocity under "velocity/" and the parameter's name; with lookahead the slow weights
// under "slow/" and the name of what follows them.
const (
	formatKey    = "format"
	formatValue  = "sdref run 1"
	configKey    = "config"
	iterationKey = "iteration"
	historyKey   = "history"
	currentKey   = "epoch in progress"
	velocity     = "velocity/"
	slow         = "slow/"
)

// Save writes the run to a file. An existing file is replaced only once the new one is complete on the disk.
// A run whose weights are no longer finite is an error, so that it does not replace one that can go on.
func (r *Run[T]) Save(path string) error {
	f := &safetensors.File{Metadata: map[string]string{formatKey: formatValue,
		iterationKey: strconv.Itoa(r.Iteration)}}
	for key, value := range map[string]any{configKey: r.Config, historyKey: r.History,
		currentKey: r.current} {
		text, err := json.Marshal(value)
		if err != nil {
			return fmt.Errorf("save %s: %w", path, err)
		}
		f.Metadata[key] = string(text)
	}
	if err := describe(f, r.about); err != nil {
		return fmt.Errorf("save %s: %w", path, err)
	}
	for _, s := range r.tensors() {
		if size := tensor.SumAbs(s.Tensor); math.IsNaN(size) || math.IsInf(size, 0) {
			return fmt.Errorf("save %s: tensor %s is not finite: the run has diverged", path, s.Name)
		}
		f.Tensors = append(f.Tensors, safetensors.New(s.Name, s.Shape, s.Data))
	}
	return safetensors.Write(path, f)
}

// tensors are all tensors of a checkpoint under their names.
func (r *Run[T]) tensors() []sdnet.Named[T] {
	list := append(slices.Clone(r.Net().State()), r.velocities()...)
	if r.lookahead != nil {
		for i, s := range followers(r.Net()) {
			list = append(list, sdnet.Named[T]{Name: slow + s.Name, Tensor: r.lookahead.Slow[i]})
		}
	}
	return list
}

// velocities are the optimiser's velocities under the names that they have in a checkpoint.
func (r *Run[T]) velocities() []sdnet.Named[T] {
	list := r.Net().Parameters()
	for i := range list {
		list[i].Name, list[i].Tensor = velocity+list[i].Name, r.Trainer.Optimizer.Velocity[i]
	}
	return list
}

// ErrForeign says of a file of tensors that ref train and ref import did not write it.
var ErrForeign = errors.New("not a checkpoint of this program")

// ReadConfig reads the configuration of a checkpoint, and how many steps had been made. It looks at no tensor: see CheckShapes.
func ReadConfig(f *safetensors.File) (c Config, iteration int, err error) {
	if f.Metadata[formatKey] != formatValue {
		return c, 0, fmt.Errorf("%s: metadata %s is %q: %w", f.Path, formatKey, f.Metadata[formatKey], ErrForeign)
	}
	if err := decodeStrictly(f.Metadata[configKey], &c); err != nil {
		return c, 0, fmt.Errorf("%s: metadata %s: %w", f.Path, configKey, err)
	}
	if err := c.Check(); err != nil {
		return c, 0, fmt.Errorf("%s: metadata %s: %w", f.Path, configKey, err)
	}
	if iteration, err = strconv.Atoi(f.Metadata[iterationKey]); err != nil || iteration < 0 {
		return c, 0, fmt.Errorf("%s: metadata %s: %q is not a count", f.Path, iterationKey,
			f.Metadata[iterationKey])
	}
	return c, iteration, nil
}

// CheckShapes compares the tensors of a checkpoint, whose configuration is c, with those of its network by names and shapes. Nothing is
// made of the network, so that a file that says of its network what it does not hold costs no memory.
func CheckShapes(f *safetensors.File, c Config) error {
	spec, err := c.Spec()
	if err != nil {
		return err
	}
	state, err := spec.StateInputs()
	if err != nil {
		return err
	}
	for _, s := range state {
		if _, err := f.GetShaped(s.Name, s.Shape...); err != nil {
			return err
		}
	}
	return nil
}

// Resume returns the run of a checkpoint; it goes on as if it had never been interrupted. If the training images
// are not those that the run began with, the error says how they differ and wraps ErrOtherImages.
func Resume[T tensor.Float](f *safetensors.File, d data.Dataset) (*Run[T], error) {
	c, iteration, err := ReadConfig(f)
	if err != nil {
		return nil, err
	}
	return resume[T](f, d, c, iteration)
}

// Prolong is Resume for a run that is to have more epochs than it was planned for. It goes on with the learning rate that a run of so
// many epochs, and the same warm-up, would have had at this step, which with a cosine is higher than the last one.
func Prolong[T tensor.Float](f *safetensors.File, d data.Dataset, epochs int) (*Run[T], error) {
	c, iteration, err := ReadConfig(f)
	if err != nil {
		return nil, err
	}
	if epochs <= c.Epochs {
		return nil, fmt.Errorf("epochs: %d are not more than the %d of the run in %s", epochs, c.Epochs, f.Path)
	}
	if c.LastEpoch > 0 {
		return nil, fmt.Errorf("epochs: the run in %s ends within an epoch and cannot be prolonged", f.Path)
	}
	c.Planned, c.Epochs = append(c.Planned, c.Epochs), epochs
	return resume[T](f, d, c, iteration)
}

func resume[T tensor.Float](f *safetensors.File, d data.Dataset, c Config, iteration int) (*Run[T], error) {
	var was data.Description
	var now *data.Description
	if d.Name == c.Data { // if not, prepare says so
		var err error
		if was, err = DescribeImages(f, c); err != nil {
			return nil, err
		}
		if now, err = compare(was, d); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Path, err)
		}
		if err := CheckShapes(f, c); err != nil {
			return nil, err
		}
	}
	r, err := prepare[T](c, d, now)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Path, err)
	}
	r.note(was)
	if r.Iteration = iteration; iteration > r.TotalSteps() {
		return nil, fmt.Errorf("%s: metadata %s: %d of %d steps", f.Path, iterationKey, iteration,
			r.TotalSteps())
	}
	err = decodeStrictly(f.Metadata[historyKey], &r.History)
	if err = errors.Join(err, decodeStrictly(f.Metadata[currentKey], &r.current)); err != nil {
		return nil, fmt.Errorf("%s: metadata %s, %s: %w", f.Path, historyKey, currentKey, err)
	}
	full, rest := iteration/r.StepsPerEpoch(), iteration%r.StepsPerEpoch()
	if iteration == r.TotalSteps() {
		full, rest = r.Epochs, 0
	}
	if len(r.History) != full ||
		r.current.Images != rest*r.Batch {
		return nil, fmt.Errorf("%s: metadata %s, %s: %d epochs and %d images do not make %d steps", f.Path,
			historyKey, currentKey,
			len(r.History), r.current.Images, iteration)
	}
	r.lookAhead()
	if err := load(f, r.tensors()); err != nil {
		return nil, err
	}
	return r, nil
}

// LoadNetwork returns the network of a checkpoint, weights as the optimiser left them. Functions change what the weights do not depend on,
// such as the number of iterations, before it is made.
func LoadNetwork[T tensor.Float](f *safetensors.File, change ...func(*sdnet.Spec)) (*sdnet.Network[T], Config, error) {
	c, _, err := ReadConfig(f)
	if err != nil {
		return nil, c, err
	}
	if err := CheckShapes(f, c); err != nil {
		return nil, c, err
	}
	spec, err := c.Spec()
	if err != nil {
		return nil, c, err
	}
	for _, c := range change {
		c(&spec)
	}
	net, err := sdnet.New[T](spec)
	if err != nil {
		return nil, c, err
	}
	return net, c, load(f, net.State())
}

// load copies the named tensors from a file, converting the type where it differs.
func load[T tensor.Float](f *safetensors.File, into []sdnet.Named[T]) error {
	for _, s := range into {
		t, err := f.GetShaped(s.Name, s.Shape...)
		if err != nil {
			return err
		}
		values, err := safetensors.ToTensor[T](t)
		if err != nil {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
		copy(s.Data, values.Data)
	}
	return nil
}
