package autodiff

import (
	"slices"

	"sdref/internal/misuse"
)

// schedule makes steps of the values. What is packed is packed when the step is over in which it was read last.
func (p *Plan) schedule(list []*Value) {
	var packed []*Value
	for _, v := range list {
		if v.How == Packed {
			packed = append(packed, v)
			continue
		}
		if s := p.joined(v); s != nil {
			s.Values = append(s.Values, v)
			v.step = s
			continue
		}
		for _, q := range append(packed, v) {
			q.step = &Step{Values: []*Value{q}, at: len(p.Steps)}
			p.Steps = append(p.Steps, q.step)
		}
		packed = nil
	}
	for i, s := range p.Steps {
		s.at = i
	}
}

// joined is the step that v can be computed in, moved to the end of the plan if it was not there; nil if there is none.
func (p *Plan) joined(v *Value) *Step {
	if v.How != Computed && v.How != Again {
		return nil
	}
	op := v.Node.Op
	if last := len(p.Steps) - 1; last >= 0 {
		if s := p.Steps[last]; s.Pair == nil && len(s.Values) == 1 {
			for _, pair := range pairs() {
				if first := s.Values[0]; first.How == v.How && pair.First == first.Node.Op && pair.Second == op && pair.Fits(first.Node, v.Node) {
					s.Pair = pair
					return s
				}
			}
		}
	}
	if !op.elementwise() {
		return nil
	}
	var best *Step
	for _, in := range v.In[:min(op.Aligned, len(v.In))] {
		s := in.step
		if s != nil && s.open(in, v) && (best == nil || s.at > best.at) && (s.at == len(p.Steps)-1 || p.movable(s)) {
			best = s
		}
	}
	if best != nil && best.at != len(p.Steps)-1 {
		from := best.at
		p.Steps = append(slices.Delete(p.Steps, from, from+1), best)
		for i, s := range p.Steps[from:] {
			s.at = from + i
		}
	}
	return best
}

// open tells whether v may follow on the planes, or ranges, of the step, which ends with the value in.
func (s *Step) open(in, v *Value) bool {
	first := s.Values[0]
	if s.Pair != nil || s.Values[len(s.Values)-1] != in || first.How == Packed || first.How == Unpacked {
		return false
	}
	op := first.Node.Op
	if !op.elementwise() && (!op.contracts() || len(first.Node.Shape) < 3) {
		return false // it has no planes, or gives them all at once
	}
	for i, other := range v.In {
		if i >= v.Node.Op.Aligned && other.step == s {
			return false // it must be whole before
		}
	}
	return slices.Equal(in.Node.Shape, v.Node.Shape)
}

// movable tells whether nothing computed after the step reads what it computes, or packs what it reads, and whether the step frees no
// more memory than it takes: a sum of two terms is better done early.
func (p *Plan) movable(s *Step) bool {
	if p.frees(s) > s.Values[0].size() {
		return false
	}
	for _, v := range s.Values {
		for _, u := range v.uses {
			if u.step != nil && u.step != s {
				return false
			}
		}
		for _, in := range v.In {
			for _, u := range in.uses {
				if u.How == Packed && u.step != nil && u.step.at > s.at {
					return false
				}
			}
		}
	}
	return true
}

// frees counts the elements that the step is the last to read so far.
func (p *Plan) frees(s *Step) (n int) {
	seen := map[*Value]bool{}
	for _, v := range s.Values {
		for _, in := range v.In {
			done := !seen[in] && in.step != nil && in.step != s && !p.isOutput(in)
			for _, u := range in.uses {
				done = done && (u.step == s || u.step != nil && u.step.at < s.at)
			}
			if seen[in] = true; done {
				n += in.size()
			}
		}
	}
	return n
}

// assign gives the values memory.
func (p *Plan) assign() {
	for at, s := range p.Steps {
		for _, v := range s.Values {
			if v.Node.Op.Wide || v.How == Packed {
				continue
			}
			b := p.taken(v)
			if b == nil {
				b = &Buffer{Size: v.size(), First: at}
				p.buffers = append(p.buffers, b)
			}
			b.Values = append(b.Values, v)
			v.Buffer = b
		}
	}
	for out, in := range p.updates {
		if out.Buffer == nil || !out.Buffer.input || out.Buffer.Values[0] != in {
			panic(cannotOverwrite(out.Node, in.Node))
		}
	}
	for _, b := range p.buffers {
		b.Last = b.First
		for _, v := range b.Values {
			if p.isOutput(v) {
				b.Last = -1
				break
			}
			for _, u := range v.uses {
				b.Last = max(b.Last, u.step.at)
			}
			b.Last = max(b.Last, v.step.at)
		}
		p.Steps[b.First].alloc = append(p.Steps[b.First].alloc, b)
		if b.Last >= 0 {
			p.Steps[b.Last].free = append(p.Steps[b.Last].free, b)
		}
	}
}

func cannotOverwrite(out, in *Node) *MisuseError {
	return misuse.Errorf("autodiff: %s cannot overwrite %s", out.Name, in.Name)
}

// taken is the buffer of an operand that nobody reads any more when v is computed, if v can overwrite it.
func (p *Plan) taken(v *Value) *Buffer {
	if v.How != Computed && v.How != Again || len(v.Node.Op.Overwrites) == 0 {
		return nil
	}
	if in := p.updates[v]; in != nil {
		for _, i := range v.Node.Op.Overwrites {
			if v.In[i] == in && p.dies(in, v) {
				return &Buffer{Size: v.size(), Values: []*Value{in}, input: true}
			}
		}
		return nil
	}
	var best *Buffer
	for _, i := range v.Node.Op.Overwrites {
		if i >= len(v.In) {
			continue
		}
		in := v.In[i]
		if in.Buffer == nil || in.Buffer.input || in.size() != v.size() || p.isOutput(in) || p.shown(in) && in.step == v.step || !p.dies(in, v) {
			continue
		}
		if best == nil || in.step == v.step { // what is in the caches anyway
			best = in.Buffer
		}
	}
	return best
}

// dies tells whether v is the last to read in, and nobody reads more of it than v has overwritten.
func (p *Plan) dies(in, v *Value) bool {
	for _, u := range in.uses {
		if u == v || u.step.at < v.step.at {
			continue
		}
		if u.step != v.step {
			return false
		}
		// Within a step only elements at the same place are read, and before v's turn.
		place := slices.Index(v.step.Values, u)
		k := slices.Index(u.In, in)
		if place > slices.Index(v.step.Values, v) || !u.Node.Op.elementwise() || k >= u.Node.Op.Aligned {
			return false
		}
	}
	// What is an operand twice must be one that may be overwritten both times: Extrapolate reads its first one once more.
	for i, other := range v.In {
		if other == in && !slices.Contains(v.Node.Op.Overwrites, i) {
			return false
		}
	}
	return true
}
