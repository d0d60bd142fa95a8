package autodiff

import "slices"

// The list of values that a graph needs is rewritten three times before it is scheduled: sums are split, what is cheap is computed
// again for the gradient, and what is sparse waits packed. None of it changes a bit of any value.

// splitSums makes of a sum of more than two terms sums of two, and puts each as early as it can be: its terms need not wait in
// memory.
func splitSums(list []*Value) []*Value {
	at := map[*Value]int{}
	after := map[int][]*Value{} // what is put behind a place
	for i, v := range list {
		at[v] = i
		if v.Node.Op != addOp || len(v.In) < 2 {
			continue
		}
		put := func(sum *Value) {
			at[sum] = max(at[sum.In[0]], at[sum.In[1]])
			after[at[sum]] = append(after[at[sum]], sum)
		}
		for len(v.In) > 2 {
			sum := &Value{Node: v.Node, How: Computed, In: v.In[:2:2], late: v.late}
			put(sum)
			v.In = append([]*Value{sum}, v.In[2:]...)
		}
		put(v)
	}
	var split []*Value
	for i, v := range list {
		if v.Node.Op != addOp || len(v.In) < 2 {
			split = append(split, v)
		}
		split = append(split, after[i]...)
	}
	return split
}

// link enters v among the uses of what it is made of.
func (v *Value) link() {
	for _, in := range v.In {
		if !slices.Contains(in.uses, v) {
			in.uses = append(in.uses, v)
		}
	}
}

// usedLate tells whether the gradient's part reads v.
func (v *Value) usedLate() bool {
	return slices.ContainsFunc(v.uses, func(u *Value) bool { return u.late })
}

// insertions are values to be put into a list.
type insertions struct {
	list          []*Value
	before, after map[*Value][]*Value
}

// insertInto returns no insertions into a list, whose values it numbers.
func insertInto(list []*Value) *insertions {
	for i, v := range list {
		v.number, v.anchor = i, nil
	}
	return &insertions{list, map[*Value][]*Value{}, map[*Value][]*Value{}}
}

// done is the list with all that was inserted.
func (i *insertions) done() (list []*Value) {
	for _, v := range i.list {
		list = append(append(append(list, i.before[v]...), v), i.after[v]...)
	}
	return list
}

// beforeUse puts values before the first late use of v, and lets all late uses read the last of them instead.
func (i *insertions) beforeUse(v *Value, values []*Value) {
	instead := values[len(values)-1]
	var rest []*Value
	for _, u := range v.uses {
		if !u.late {
			rest = append(rest, u)
			continue
		}
		for k, in := range u.In {
			if in == v {
				u.In[k] = instead
			}
		}
		instead.uses = append(instead.uses, u)
	}
	v.uses = rest
	for _, n := range values {
		n.link()
	}
	first := slices.MinFunc(instead.uses, i.compare)
	anchor := first
	if first.anchor != nil {
		anchor = first.anchor
	}
	for _, n := range values {
		n.number, n.anchor = anchor.number, anchor
	}
	at := len(i.before[anchor])
	if first != anchor {
		at = slices.Index(i.before[anchor], first)
	}
	i.before[anchor] = slices.Insert(i.before[anchor], at, values...)
}

// compare orders values as they will stand in the list.
func (i *insertions) compare(u, v *Value) int {
	switch {
	case u.number != v.number:
		return u.number - v.number
	case u.anchor == nil:
		return 1
	case v.anchor == nil:
		return -1
	}
	list := i.before[u.anchor]
	return slices.Index(list, u) - slices.Index(list, v)
}

// recompute lets the gradient's part compute again what is cheap, just before it is first read there.
func (p *Plan) recompute(list []*Value) []*Value {
	i := insertInto(list)
	for _, v := range slices.Backward(list) {
		if v.late || p.isOutput(v) || !v.usedLate() {
			continue
		}
		recipe := p.recipe(v)
		if recipe == nil {
			continue
		}
		again := map[*Value]*Value{}
		var copies []*Value
		for _, r := range recipe {
			c := &Value{Node: r.Node, How: Again, late: true}
			for _, in := range r.In {
				if again[in] != nil {
					in = again[in]
				}
				c.In = append(c.In, in)
			}
			again[r] = c
			copies = append(copies, c)
		}
		i.beforeUse(v, copies)
	}
	return i.done()
}

// recipe lists what is to be computed again to have v again, ending with v; nil if that is not cheap: an operator that is, and
// elementwise ones that follow it and nothing else. All that they read is there for other reasons, as inputs or for the gradient.
func (p *Plan) recipe(v *Value) []*Value {
	if v.How != Computed {
		return nil
	}
	op := v.Node.Op
	var before []*Value
	var from *Value
	if op.Cheap == nil || !op.Cheap(v.Node) {
		if !op.elementwise() || op.Sparse {
			return nil
		}
		for _, i := range op.Overwrites {
			if i < len(v.In) && len(v.In[i].uses) == 1 && !p.isOutput(v.In[i]) {
				if before = p.recipe(v.In[i]); before != nil {
					from = v.In[i]
					break
				}
			}
		}
		if from == nil {
			return nil
		}
	}
	for i, in := range v.In {
		there := in == from || in.How == Given || in.size() < v.size()/8 || in.usedLate()
		// A normalisation costs as much as reading one more operand, which is not worth the memory saved.
		if !there || from != nil && in != from && i < op.Aligned && before[0].Node.Op == batchNormOp {
			return nil
		}
	}
	return append(before, v)
}

// pack lets sparse values wait for the gradient in a packed form.
func (p *Plan) pack(list []*Value) []*Value {
	i := insertInto(list)
	for _, v := range list {
		if v.late || !v.Node.Op.Sparse || p.isOutput(v) || !v.usedLate() {
			continue
		}
		last, late := v, len(list) // the last early use, the first late one
		for _, u := range v.uses {
			if u.late {
				late = min(late, u.number)
			} else if u.number > last.number {
				last = u
			}
		}
		if last.number > late {
			continue // what follows on the gradient needs it, too
		}
		packed := &Value{Node: v.Node, How: Packed, In: []*Value{v}}
		i.beforeUse(v, []*Value{{Node: v.Node, How: Unpacked, In: []*Value{packed}, late: true}})
		packed.link()
		i.after[last] = append(i.after[last], packed)
	}
	return i.done()
}
