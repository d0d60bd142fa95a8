package sdnet

import (
	"slices"
	"sync/atomic"

	"sdref/autodiff"
	"sdref/csc"
	"sdref/internal/misuse"
	"sdref/tensor"
)

// program is a network's flow for batches of one size, ready to run.
type program[T tensor.Float] struct {
	*autodiff.Program[T]
	*Flow
	step     Training       // of a training program
	labels   *autodiff.Node // nil where there are none
	loss     *autodiff.Node
	moved    map[string]*autodiff.Node // what takes the place of parts of the state
	settings []csc.Settings
}

// programKey is what a trainer's or predictor's programs differ in.
type programKey struct {
	images                      int
	training, observed, signals bool
	loss, soft                  bool // soft: the loss compares with shares of the classes
}

// programs keeps the programs of a network by batch size; their memory is the same. A network whose settings have changed gets new
// ones, and so does one with more batch sizes than mostPrograms.
type programs[T tensor.Float] struct {
	arena *tensor.Arena[T]
	known map[programKey]*program[T]
	last  *program[T]
	busy  atomic.Bool
}

const mostPrograms = 32

func newPrograms[T tensor.Float]() *programs[T] {
	return &programs[T]{arena: tensor.NewArena[T](), known: map[programKey]*program[T]{}}
}

// use marks the programs as in use until the returned function is called. It panics if they are: owner, which has them, was called by
// two goroutines at once.
func (c *programs[T]) use(owner string) (done func()) {
	if !c.busy.CompareAndSwap(false, true) {
		panic(misuse.Errorf("sdnet: a %s was called by two goroutines at once; each needs one of its own", owner))
	}
	return func() { c.busy.Store(false) }
}

// get returns the program for k, made by make unless it is known; what the last one left in memory is gone.
func (c *programs[T]) get(n *Network[T], k programKey, make func(*Network[T], programKey) (*program[T], autodiff.Wanted)) *program[T] {
	if c.last != nil {
		c.last.Release()
	}
	p := c.known[k]
	if settings := constants(n.settings()); p == nil || !slices.Equal(p.settings, settings) {
		if len(c.known) == mostPrograms {
			clear(c.known)
		}
		var w autodiff.Wanted
		p, w = make(n, k)
		if k.observed {
			for _, m := range p.Marks {
				w.Watched = append(w.Watched, m.Node)
			}
		}
		if k.signals {
			for _, l := range p.Flow.Layers {
				w.Watched = append(w.Watched, l.Signal)
			}
		}
		p.Program, p.settings = autodiff.NewProgram(autodiff.NewPlan(w), c.arena), settings
		c.known[k] = p
	}
	c.last = p
	return p
}

// constants are settings as a program depends on them: without lambda, which is an input, and workers.
func constants(list []csc.Settings) []csc.Settings {
	for i := range list {
		list[i].Lambda, list[i].Workers = 0, 0
	}
	return list
}

// run runs the program on images and labels, if it takes labels, and shows marked values and the layers' signals, unless a
// function is nil.
func (p *program[T]) run(n *Network[T], images, labels *tensor.Tensor[T], observe, signal func(name string, value *tensor.Tensor[T])) {
	n.Bind(p.Program, p.Flow)
	p.Set(p.X, images)
	if p.labels != nil {
		p.Set(p.labels, labels)
	}
	p.Observe = func(node *autodiff.Node, value *tensor.Tensor[T]) {
		for _, m := range p.Marks {
			if m.Node == node && observe != nil {
				observe(m.Name, value)
			}
		}
		for _, l := range p.Flow.Layers {
			if l.Signal == node && signal != nil {
				signal(l.Name, value)
			}
		}
	}
	p.Observe(p.X, images) // which no step computes
	p.Run()
}

// LabelTensor is labels as a program reads them.
func LabelTensor[T tensor.Float](labels []int) *tensor.Tensor[T] {
	list := tensor.New[T](len(labels))
	for i, l := range labels {
		list.Data[i] = T(l)
	}
	return list
}

// newFlow is a flow with its images, for those who append the rest.
func (n *Network[T]) newFlow(o Options) *Flow {
	o.Settings = n.settings()
	f := NewFlow(n.Spec, o)
	f.X = f.images()
	return f
}

// MisuseError is the value with which this package panics for mistakes of its caller that are not ones of shapes.
type MisuseError = misuse.Error
