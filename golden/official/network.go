package official

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"sdref/csc"
	"sdref/golden"
	"sdref/sdnet"
	"sdref/tensor"
)

// networkCase is a case of kind network: evaluation, one training step in detail, several in the end.
type networkCase struct {
	*golden.Case
	spec                  sdnet.Spec
	batch, steps, count   int
	rate, momentum, decay float64
}

func readNetwork(c *golden.Case) (*networkCase, error) {
	n := &networkCase{Case: c}
	var network, data, optimizer string
	shortcut, nonnegative := true, true
	iterations, lambda, mu, image, classes := 0, 0.0, 0.0, 0, 0
	a := c.Attrs
	err := errors.Join(a.Into("network", &network), a.Into("dataset", &data), a.Into("image", &image),
		a.Into("classes", &classes),
		a.Into("batch", &n.batch), a.Into("iterations", &iterations), a.Into("lambda", &lambda),
		a.Into("nonnegative", &nonnegative),
		a.Into("shortcut", &shortcut), a.Into("train_steps", &n.steps), a.Into("parameters", &n.count),
		a.Into("optimizer", &optimizer))
	if a.Has("mu") {
		err = errors.Join(err, a.Into("mu", &mu))
	}
	if err != nil {
		return nil, err
	}
	if !shortcut && !strings.HasSuffix(network, "_noshortcut") {
		network += "_noshortcut"
	}
	if n.spec, err = sdnet.Lookup(network, data); err != nil {
		return nil, refuse(c, "attrs.network, attrs.dataset", "%w", err)
	}
	for name, size := range map[string]int{"image": image, "classes": classes, "iterations": iterations} {
		if size < 1 || size > largestSize {
			return nil, refuse(c, "attrs."+name, "%d is not between 1 and %d", size, largestSize)
		}
	}
	n.spec.Data.Classes, n.spec.Data.Image = classes, image
	s := &n.spec.CSC
	s.Lambda, s.Mu, s.Nonnegative, s.Iterations = lambda, mu, nonnegative, iterations
	if err := errors.Join(readVariant(c, &s.Variant), n.readOptimizer(optimizer)); err != nil {
		return nil, err
	}
	if err := n.spec.Check(); err != nil {
		return nil, refuse(c, "attrs", "%w", err)
	}
	if len(c.Labels) != n.batch || n.batch < 1 || slices.Max(c.Labels) >= classes {
		return nil, refuse(c, "inputs.labels", "%v are not those of %d images of %d classes", c.Labels,
			n.batch, classes)
	}
	if n.steps < 0 {
		return nil, refuse(c, "attrs.train_steps", "%d is negative", n.steps)
	}
	return n, nil
}

// readOptimizer reads "SGD lr=0.1 momentum=0.9 weight_decay=5e-4 nesterov".
func (n *networkCase) readOptimizer(text string) error {
	words := strings.Fields(text)
	if !slices.Contains(words, "SGD") || !slices.Contains(words, "nesterov") {
		return refuse(n.Case, "attrs.optimizer", "%q is not SGD with nesterov", text)
	}
	for _, word := range words {
		key, value, ok := strings.Cut(word, "=")
		if !ok {
			continue
		}
		number, err := strconv.ParseFloat(value, 64)
		into := map[string]*float64{"lr": &n.rate, "momentum": &n.momentum, "weight_decay": &n.decay}[key]
		if err != nil || into == nil {
			return refuse(n.Case, "attrs.optimizer", "cannot read %q", word)
		}
		*into = number
	}
	return nil
}

// networkCheck is the computation of a network case in type T.
type networkCheck[T tensor.Float] struct {
	*networkCase
	net     *sdnet.Network[T]
	x       *tensor.Tensor[T]
	rep     *report
	tensors []string // that are expected and have not been seen
}

func checkNetwork[T tensor.Float](c *golden.Case) ([]golden.Row, error) {
	n, err := readNetwork(c)
	if err != nil {
		return nil, err
	}
	image := n.spec.Data.Image
	images, err := c.Input("x", n.batch, 3, image, image)
	if err != nil {
		return nil, err
	}
	net, err := sdnet.New[T](n.spec)
	if err != nil {
		return nil, refuse(c, "attrs", "%w", err)
	}
	k := &networkCheck[T]{networkCase: n, net: net, x: from[T](images, n.batch, 3, image, image),
		rep: newReport[T](c, math.Inf(1))}
	for _, t := range c.Tensors.Tensors {
		k.tensors = append(k.tensors, t.Name)
	}
	if err := k.fill(); err != nil {
		return nil, err
	}
	if err := k.run(); err != nil {
		return nil, err
	}
	if len(k.tensors) > 0 {
		return nil, refuse(c, fmt.Sprintf("tensors %v", k.tensors),
			"this case's settings give none of that name")
	}
	return k.rep.rows, nil
}

// fill sets the network's state from the case's fill rules.
func (k *networkCheck[T]) fill() error {
	known := map[string]bool{}
	for _, s := range k.net.State() {
		if strings.HasSuffix(s.Name, ".step_size") {
			continue // computed
		}
		values, err := k.Parameter(s.Name, s.Shape...)
		if err != nil {
			return err
		}
		copy(s.Data, from[T](values, s.Shape...).Data)
		known[s.Name] = true
	}
	for name := range k.Parameters {
		if !known[name] {
			return refuse(k.Case, "inputs.parameters."+name, "network %s has no such tensor", k.spec.Name)
		}
	}
	return nil
}

// run evaluates the network, then trains it, in the order of the published code.
func (k *networkCheck[T]) run() error {
	for _, name := range k.Scalars.Names() {
		if !slices.Contains([]string{"step_sizes", "zero_fraction", "losses", "lambda_max_per_step"}, name) {
			return refuse(k.Case, "scalars."+name, "unknown")
		}
	}
	k.rep.add("parameters", golden.CompareInt(k.net.CountParameters(), k.count), 0)
	k.net.NormalizeAtoms()
	estimates := k.net.UpdateSteps()
	return errors.Join(k.steps64(estimates), k.evaluate(), k.train(estimates))
}

// steps64 checks the first step sizes.
func (k *networkCheck[T]) steps64(estimates []csc.Estimate) error {
	want, err := k.Scalars.Map("step_sizes")
	if err != nil {
		return err
	}
	if len(want.Names()) != len(k.net.Layers) {
		return refuse(k.Case, "scalars.step_sizes", "%d layers, the network has %d CSC layers",
			len(want.Names()), len(k.net.Layers))
	}
	for i, l := range k.net.Layers {
		entry, err := want.Map(l.Name)
		if err != nil {
			return err
		}
		value, err1 := entry.Float("lambda_max")
		step, err2 := entry.Float("step")
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		k.rep.add("lambda_max/"+l.Name, golden.CompareScalar(estimates[i].Value, value), 0)
		k.rep.add("step/"+l.Name, golden.CompareScalar(float64(l.StepSize.Data[0]), step), 0)
	}
	return nil
}

// expect compares a tensor, or its summary, with the expected one of that name, if there is one.
func (k *networkCheck[T]) expect(name string, value *tensor.Tensor[T], summary bool, atLeast float64) error {
	at := slices.Index(k.tensors, name)
	if at < 0 {
		return nil
	}
	k.tensors = slices.Delete(k.tensors, at, at+1)
	shape := value.Shape
	if summary {
		shape = []int{len(golden.Summary{})}
	}
	want, err := k.Tensor(name, shape...)
	if err != nil {
		return err
	}
	if summary {
		k.rep.add(name, golden.CompareSummary(golden.Summarize(value.Data), want), atLeast)
	} else {
		k.rep.add(name, golden.Compare(value.Data, want), atLeast)
	}
	return nil
}

// must is expect for tensors that every case has.
func (k *networkCheck[T]) must(name string, value *tensor.Tensor[T], summary bool) error {
	if !slices.Contains(k.tensors, name) {
		return refuse(k.Case, "tensor "+name, "missing")
	}
	return k.expect(name, value, summary, 0)
}

// evaluate checks the logits, the stages' outputs, the codes' sparsity and the inverses in evaluation.
func (k *networkCheck[T]) evaluate() error {
	zeros, err := k.Scalars.Map("zero_fraction")
	if err != nil {
		return err
	}
	for _, name := range zeros.Names() {
		if !slices.ContainsFunc(k.net.Layers, func(l *sdnet.CSC[T]) bool { return l.Name == name }) {
			return refuse(k.Case, "scalars.zero_fraction."+name, "no CSC layer of network %s", k.spec.Name)
		}
	}
	p := sdnet.NewPredictor(k.net)
	p.Observe = func(name string, value *tensor.Tensor[T]) {
		if zeros.Has(name) {
			want, missing := zeros.Float(name)
			err = errors.Join(err, missing)
			row := k.rep.add("zero_fraction/"+name,
				golden.CompareScalar(1-float64(tensor.CountNonzero(value))/float64(value.Len()), want), 0)
			if want == 0 && row.Got == 0 {
				row.Note = "no zeros expected"
			}
		} else if strings.HasPrefix(name, "layer") && !strings.Contains(name, ".") {
			err = errors.Join(err, k.must("eval_"+name, value, true))
		}
		err = errors.Join(err, k.inverse(name, value))
	}
	logits := p.Logits(k.x)
	return errors.Join(err, k.must("eval_logits", logits, false))
}

// inverse checks the reconstructions from a block's or the stem's output.
func (k *networkCheck[T]) inverse(name string, value *tensor.Tensor[T]) error {
	stage, block, ok := sdnet.ParseBlock(name)
	key := fmt.Sprintf("inverse_%d_%d", stage, block)
	if !ok || !slices.Contains(k.tensors, key) {
		return nil
	}
	x, err := k.net.Invert(value, stage, block, false)
	if err != nil {
		return refuse(k.Case, "tensor "+key, "%w", err)
	}
	return k.expect(key, x, false, 0)
}

// train checks the training passes.
func (k *networkCheck[T]) train(estimates []csc.Estimate) error {
	losses, err1 := k.Scalars.Floats("losses")
	values, err2 := k.Scalars.Rows("lambda_max_per_step")
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	if len(losses) == 0 || len(values) != len(losses) || (k.steps > 0 && len(losses) != k.steps) {
		return refuse(k.Case, "scalars.losses, scalars.lambda_max_per_step",
			"%d losses and %d rows for %d steps", len(losses), len(values), k.steps)
	}
	t := sdnet.NewTrainer(k.net, k.momentum, k.decay)
	for step, loss := range losses {
		atLeast := 0.0
		if step > 0 {
			estimates, atLeast = k.net.UpdateSteps(), boundSteps
		}
		if len(values[step]) != len(estimates) {
			return refuse(k.Case, fmt.Sprintf("scalars.lambda_max_per_step[%d]", step),
				"%d values for %d CSC layers", len(values[step]), len(estimates))
		}
		for i, e := range estimates {
			k.rep.add(fmt.Sprintf("lambda_max_per_step/%d/%s", step, k.net.Layers[i].Name),
				golden.CompareScalar(e.Value, values[step][i]), atLeast)
		}
		result := t.Gradients(k.x, k.Labels)
		k.rep.add(fmt.Sprintf("loss/%d", step), golden.CompareScalar(result.Loss, loss), atLeast)
		if step == 0 {
			if err := k.firstStep(t); err != nil {
				return err
			}
		}
		t.Apply(k.rate)
	}
	var err error
	for _, p := range k.net.State() {
		err = errors.Join(err, k.expect(fmt.Sprintf("after_%d_steps/%s", len(losses), p.Name), p.Tensor, true,
			boundSteps))
	}
	return err
}

// firstStep checks what the first training pass left: logits, gradients, running statistics.
func (k *networkCheck[T]) firstStep(t *sdnet.Trainer[T]) error {
	err := k.must("train_logits", t.Logits(), false)
	for _, p := range k.net.State() {
		if p.Buffer {
			err = errors.Join(err, k.expect("after_forward/"+p.Name, p.Tensor, true, 0))
		} else {
			err = errors.Join(err, k.must("grad/"+p.Name, t.Grad(p.Tensor), true))
		}
	}
	return err
}
