package cases

import (
	"fmt"
	"slices"
	"strings"
)

// Check says what is wrong with the coordinates.
func (p Point) Check() error {
	list := AxesOf(p.Kind)
	if list == nil {
		return fmt.Errorf("kind %q: want one of %s", p.Kind, strings.Join(Drawable(), ", "))
	}
	for name, v := range p.At {
		i := slices.IndexFunc(axes, func(a Axis) bool { return a.Name == name })
		if i < 0 {
			return fmt.Errorf("at: there is no coordinate %q", name)
		}
		if v < axes[i].Least || v > axes[i].Most {
			return fmt.Errorf("at: %s %d: want %d to %d", name, v, axes[i].Least, axes[i].Most)
		}
	}
	if p.Cost() < 0 {
		return fmt.Errorf("at: a case of more than 2^22 elements in a tensor, or 2^30 multiply-adds")
	}
	s := p.size()
	switch p.Kind {
	case "prox":
		return nil
	case "batchnorm":
		if p.exact() && p.is("training") {
			return fmt.Errorf("at: exact and training: statistics of a batch round")
		}
		return p.checkStatistics(s.n * s.h * s.w)
	case "block":
		stride := p.Get("stride")
		if stride > 2 {
			return fmt.Errorf("at: stride %d: a block has 1 or 2", stride)
		}
		return p.checkStatistics(s.n * ((s.h + stride - 1) / stride) * ((s.w + stride - 1) / stride))
	case "network", "training_step":
		if p.Kind == "training_step" && s.n < 2 {
			return fmt.Errorf("at: batch 1: the last stage has statistics of one value")
		}
		return p.network("").spec.Check()
	}
	if p.Kind == "csc_layer" && p.Get("iterations") > maxLayer {
		return fmt.Errorf("at: iterations %d: a layer, whose step few rounds of power iteration give, has %d at the most",
			p.Get("iterations"), maxLayer)
	}
	if p.Get("iterations") < 1 {
		return fmt.Errorf("at: iterations 0: want 1 at the least")
	}
	if !p.meets(s.h, s.u) || !p.meets(s.w, s.v) {
		return fmt.Errorf("at: a kernel of %dx%d, with this stride, padding and dilation, meets no pixel of %dx%d",
			s.u, s.v, s.h, s.w)
	}
	return nil
}

// checkStatistics refuses a variance of fewer than two values.
func (p Point) checkStatistics(values int) error {
	if p.is("training") && values < 2 {
		return fmt.Errorf("at: statistics of one value")
	}
	return nil
}

// meets tells whether along an axis some tap of the kernel meets a pixel.
func (p Point) meets(size, kernel int) bool {
	g := p.geometry()
	for i := range g.CodeSize(size, kernel) {
		for u := range kernel {
			if at := i*g.Stride + u*g.Dilation - g.Padding; at >= 0 && at < size {
				return true
			}
		}
	}
	return false
}

// Elements is the number of elements of the largest activation.
func (p Point) Elements() int { return max(p.SignalElements(), p.CodeElements()) }

// SignalElements is the number of elements of the signal, or of whatever else the case starts from.
func (p Point) SignalElements() int {
	s := p.size()
	if p.Kind == "network" || p.Kind == "training_step" {
		return s.n * s.c * s.h * s.h // of the first stage
	}
	return s.n * s.c * s.h * s.w
}

// CodeElements is the number of elements of the code, or of the result.
func (p Point) CodeElements() int {
	s, g := p.size(), p.geometry()
	switch {
	case p.Kind == "network" || p.Kind == "training_step":
		return s.n * s.m * s.h * s.h / 4
	case p.Kind == "block":
		return s.n * s.m * ((s.h + g.Stride - 1) / g.Stride) * ((s.w + g.Stride - 1) / g.Stride)
	case !p.HasAxis("kernel rows"):
		return p.SignalElements()
	}
	return s.n * s.m * g.CodeSize(s.h, s.u) * g.CodeSize(s.w, s.v)
}

// CodeSides are rows and columns of the code, of a kind that has a kernel.
func (p Point) CodeSides() map[string]int {
	s, g := p.size(), p.geometry()
	return map[string]int{"rows": g.CodeSize(s.h, s.u), "columns": g.CodeSize(s.w, s.v)}
}

// Cost is about how many multiply-adds the case has, at least its elements; -1 if more than a case may have.
func (p Point) Cost() int {
	s, k := p.size(), p.Get("iterations")
	elements := float64(s.n) * float64(max(s.c, s.m)) * float64(s.h) * float64(s.w)
	code := elements
	if p.HasAxis("kernel rows") {
		g := p.geometry()
		code = float64(s.n) * float64(s.m) * float64(g.CodeSize(s.h, s.u)) * float64(g.CodeSize(s.w, s.v))
	}
	products, times := 0.0, 1.0
	switch p.Kind {
	case "prox", "batchnorm":
	case "block", "network", "training_step":
		if p.Kind != "block" {
			elements *= float64(s.h) // w is 1
		}
		products, times = 9*elements*float64(max(s.c, s.m)), float64(8+12*k*k)
	case "fista":
		products, times = code*float64(s.c*s.u*s.v), float64(6*k)
	case "csc_layer":
		products, times = code*float64(s.c*s.u*s.v), float64(6*k+2*layerRounds)
	case "power_iteration":
		products, times = code*float64(s.c*s.u*s.v), float64(2*k)
	default:
		products = code * float64(s.c*s.u*s.v)
	}
	if max(elements, code) > maxElements || products*times > maxProducts {
		return -1
	}
	return int(max(products*times, elements, code))
}
