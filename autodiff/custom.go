package autodiff

import (
	"slices"

	"sdref/tensor"
)

// Rule is the derivative of a Custom operation y of args: for every argument whose gradient is wanted it sets dst[i], of the
// argument's shape and with undefined contents, to (df/dx)* dy. The other dst are nil. It gives back what it takes from arena.
type Rule[T tensor.Float] func(dst []*tensor.Tensor[T], dy, y *tensor.Tensor[T], args []*tensor.Tensor[T], arena *tensor.Arena[T])

// Custom returns the value y, computed in any way without a gradient (see Detach), as a function of args with the derivative
// rule: for what is better known than by the chain rule through its computation, as the solution of an optimisation problem
// is. A y that has a gradient is a caller's bug and panics. Pullbacks: rule, called once for all of them. Saves y and args.
func Custom[T tensor.Float](y *Var[T], rule Rule[T], args ...*Var[T]) *Var[T] {
	if y.wants {
		panic("autodiff: Custom of a value that has a gradient; compute it from detached arguments")
	}
	y.Value()
	y.buf.refs++
	out := y.tape.hold(y.buf, y.shape)
	y.consume()
	c := &custom[T]{rule: rule, tape: y.tape, out: y.buf, args: args, gradients: make([]*tensor.Tensor[T], len(args))}
	o := op[T]{args: args, saves: append([]*Var[T]{out}, args...)}
	for i, x := range args {
		x.Value()
		c.saved = append(c.saved, x.buf)
		o.pulls = append(o.pulls, func(dst, dy *tensor.Tensor[T]) { c.pull(i, dst, dy) })
	}
	return out.tape.finish(out, o)
}

// custom is the state of one Custom operation between its pullbacks, which the tape calls one by one.
type custom[T tensor.Float] struct {
	rule      Rule[T]
	tape      *Tape[T]
	out       *buffer[T]
	args      []*Var[T]
	saved     []*buffer[T]
	gradients []*tensor.Tensor[T] // those that the first pullback computed for the others
}

// pull sets dst to the gradient of argument i. The first call computes all that are wanted.
func (c *custom[T]) pull(i int, dst, dy *tensor.Tensor[T]) {
	if g := c.gradients[i]; g != nil {
		copy(dst.Data, g.Data)
		c.tape.arena.Put(g)
		return
	}
	values := make([]*tensor.Tensor[T], len(c.saved))
	for k, b := range c.saved {
		values[k] = b.Tensor
		if k != i && c.args[k].wants {
			c.gradients[k] = c.tape.arena.Get(c.args[k].shape...)
		}
	}
	all := slices.Clone(c.gradients)
	all[i] = dst
	c.rule(all, dy, c.out.Tensor, values, c.tape.arena)
}

// Detach consumes v and returns its value without its gradient: what is computed from it leaves no record.
func (v *Var[T]) Detach() *Var[T] {
	v.mustLive()
	if v.leaf {
		return v.tape.Constant(v.buf.Tensor)
	}
	v.buf.refs++
	out := v.tape.hold(v.buf, v.shape)
	v.consume()
	return out
}
