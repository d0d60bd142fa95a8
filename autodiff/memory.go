package autodiff

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// Memory is what a plan needs at its busiest step.
type Memory struct {
	Elements int       // in all buffers and packed values alive there
	Step     *Step     // where; nil if there are no elements
	Buffers  []*Buffer // alive there, the largest first
	Packed   []*Value  // waiting there in a packed form
}

// Peak returns the plan's busiest step, if packed values keep the given share of their elements (and a bit for each).
func (p *Plan) Peak(share float64) (m Memory) {
	waiting := map[*Value]bool{}
	alive := map[*Buffer]bool{}
	for _, s := range p.Steps {
		for _, b := range s.alloc {
			alive[b] = !b.input
		}
		if v := s.Values[0]; v.How == Packed {
			waiting[v] = true
		}
		if now := elements(alive, waiting, share); now > m.Elements {
			m = Memory{Elements: now, Step: s}
			for b, is := range alive {
				if is {
					m.Buffers = append(m.Buffers, b)
				}
			}
			for v := range waiting {
				m.Packed = append(m.Packed, v)
			}
		}
		if v := s.Values[0]; v.How == Unpacked {
			delete(waiting, v.In[0])
		}
		for _, b := range s.free {
			delete(alive, b)
		}
	}
	place := func(b *Buffer) int { return slices.Index(p.buffers, b) } // alive has no order
	slices.SortFunc(m.Buffers, func(a, b *Buffer) int { return cmp.Or(b.Size-a.Size, a.First-b.First, place(a)-place(b)) })
	slices.SortFunc(m.Packed, func(a, b *Value) int { return a.step.at - b.step.at })
	return m
}

// elements counts what is alive.
func elements(alive map[*Buffer]bool, waiting map[*Value]bool, share float64) (n int) {
	for b, is := range alive {
		if is {
			n += b.Size
		}
	}
	for v := range waiting {
		n += packedSize(v, share)
	}
	return n
}

// packedSize is the number of elements of a packed value: what is not zero, and a mask of 32 to an element.
func packedSize(v *Value, share float64) int { return int(float64(v.size())*share) + v.size()/32 }

// leastShown is the part of the peak, as a divisor, below which a buffer has no line of its own.
const leastShown = 1000

// Print writes the plan as a table: a line for each step with what it computes, then one for each buffer with the values that it
// holds one after the other and from which step to which, then the busiest step.
func (p *Plan) Print(w io.Writer, share float64) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "step\tcomputes")
	for _, s := range p.Steps {
		var names []string
		for _, v := range s.Values {
			names = append(names, v.String())
		}
		sign := " + "
		if s.Pair != nil {
			sign = " & "
		}
		fmt.Fprintf(t, "%d\t%s\n", s.at, strings.Join(names, sign))
	}
	fmt.Fprintln(t, "\nbuffer\telements\tsteps\tholds")
	for i, b := range p.buffers {
		until := fmt.Sprint(b.Last)
		if b.Last < 0 {
			until = "end"
		}
		var names []string
		for _, v := range b.Values {
			names = append(names, v.String())
		}
		fmt.Fprintf(t, "%d\t%d\t%d to %s\t%s\n", i, b.Size, b.First, until, strings.Join(names, ", "))
	}
	m := p.Peak(share)
	t.Flush()
	if m.Step == nil {
		_, err := fmt.Fprintln(w, "\nmost memory: 0 elements")
		return err
	}
	fmt.Fprintf(w, "\nmost memory: %d elements at step %d (%s), packed values holding %.0f %% of their elements:\n", m.Elements, m.Step.at, m.Step.Values[0], 100*share)
	rest, count := 0, 0
	line := func(size int, what *Value) {
		if size < m.Elements/leastShown {
			rest, count = rest+size, count+1
			return
		}
		fmt.Fprintf(t, "%d\t%s\n", size, what)
	}
	for _, b := range m.Buffers {
		line(b.Size, b.Values[len(b.Values)-1])
	}
	for _, v := range m.Packed {
		line(packedSize(v, share), v)
	}
	if count > 0 {
		fmt.Fprintf(t, "%d\tin %d smaller ones\n", rest, count)
	}
	return t.Flush()
}

// String is the node's name and how the value comes about, unless it is computed.
func (v *Value) String() string {
	if v.How == Computed {
		return v.Node.Name
	}
	return fmt.Sprintf("%s (%v)", v.Node.Name, v.How)
}
