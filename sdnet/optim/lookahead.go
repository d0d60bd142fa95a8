package optim

import (
	"sdref/autodiff"
	"sdref/tensor"
)

// Lookahead keeps slow weights (M. Zhang et al., "Lookahead optimizer: k steps forward, 1 step back", 2019, with the schedule of K. Jordan,
// 2024): after every Every-th step, with s of the run's S steps made,
//
//	slow' = slow + (1 - d) (fast - slow),   fast' = slow',   d = 0.95^Every (s/S)^3,
//
// so that the weights hardly differ from those of plain descent at first, and are a mean of the last steps at the end. After the last
// step fast is slow.
type Lookahead[T tensor.Float] struct {
	Every int
	Slow  []*tensor.Tensor[T] // one for each tensor that follows; a part of checkpoints
	// Workers is the greatest number of goroutines of a step, beside GOMAXPROCS; 0 is no other.
	Workers int

	moves map[int]*move[T] // by size
}

// move is the program that moves slow weights of one size.
type move[T tensor.Float] struct {
	*autodiff.Program[T]
	slow, fast, share, after *autodiff.Node
}

// NewLookahead returns slow weights equal to the fast ones.
func NewLookahead[T tensor.Float](every int, fast []*tensor.Tensor[T]) *Lookahead[T] {
	l := &Lookahead[T]{Every: every, moves: map[int]*move[T]{}}
	for _, w := range fast {
		l.Slow = append(l.Slow, w.Clone())
	}
	return l
}

// lookaheadDecay is the base of d.
const lookaheadDecay = 0.95

// Step moves slow and fast weights if that is due after the given step of a run, counted from 1.
func (l *Lookahead[T]) Step(step, total int, fast []*tensor.Tensor[T]) {
	if step%l.Every != 0 && step != total {
		return
	}
	share := float64(step) / float64(total)
	d := share * share * share
	for range l.Every {
		d *= lookaheadDecay
	}
	if step%l.Every != 0 { // the last step, between two moves
		d = 1
	}
	for i, w := range fast {
		p := l.move(w.Len())
		p.Set(p.slow, l.Slow[i].Reshape(w.Len()))
		p.Set(p.fast, w.Reshape(w.Len()))
		p.SetNumber(p.share, 1-d)
		p.Workers = l.Workers
		p.Run()
		copy(w.Data, l.Slow[i].Data)
	}
}

func (l *Lookahead[T]) move(size int) *move[T] {
	p := l.moves[size]
	if p == nil {
		g := autodiff.NewGraph()
		p = &move[T]{slow: g.Input("slow", size), fast: g.Input("fast", size), share: g.Input("share")}
		difference := autodiff.Axpy(p.fast, p.slow, -1, nil).At("lookahead", 0, "difference")
		p.after = autodiff.Axpy(p.slow, difference, 1, p.share).At("lookahead", 0, "slow")
		p.Program = autodiff.NewProgram(autodiff.NewPlan(autodiff.Wanted{
			Outputs: []*autodiff.Node{p.after}, Updates: map[*autodiff.Node]*autodiff.Node{p.after: p.slow},
		}), tensor.NewArena[T]())
		l.moves[size] = p
	}
	return p
}
