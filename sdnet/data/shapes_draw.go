package data

import (
	"sdref/internal/elementary"
	"sdref/internal/random"
)

// Lengths in the image are in eighths of a pixel: the centres of a pixel's 4x4 samples are at odd eighths.
const (
	px           = 8
	samples      = 4
	canvasExtent = Side * px
)

// sampler returns the numbers of a stream one after another.
type sampler struct {
	stream random.Stream
	next   uint64 // the next number
}

// between returns an integer from low to high, both included.
func (d *sampler) between(low, high int) int64 {
	d.next++
	return int64(low + d.stream.Intn(d.next-1, high-low+1))
}

// colour returns red, green and blue, each from 0 to 255.
func (d *sampler) colour() colour {
	return colour{d.between(0, 255), d.between(0, 255), d.between(0, 255)}
}

type colour [Channels]int64

// distance is the sum of the channels' differences.
func (c colour) distance(o colour) int64 {
	sum := int64(0)
	for k := range c {
		sum += abs(c[k] - o[k])
	}
	return sum
}

// canvas is an image that is being drawn: the colour of each pixel, not yet clamped to 0..255.
type canvas [Side][Side]colour

// drawShape writes one image, 3 x 32 x 32, of the figure that contains the points for which covers is true.
func drawShape(image []byte, covers func(u, v int64) bool, stream random.Stream) {
	d := &sampler{stream: stream.Sub("scene")}
	var c canvas
	ground, ink := d.contrast()
	c.ground(d, ground)
	for range d.between(0, 2) {
		c.stroke(d, 5*px, 12*px, 4, 8)
	}
	c.figure(d, covers, ink)
	if d.between(0, 2) == 0 {
		c.stroke(d, 8*px, 14*px, 6, 10)
	}
	c.finish(image, stream.Sub("noise"))
}

// contrast returns two colours that differ by at least 240 levels of the 765 between black and white.
func (d *sampler) contrast() (a, b colour) {
	for {
		if a, b = d.colour(), d.colour(); a.distance(b) >= 240 {
			return a, b
		}
	}
}

// ground fills the canvas with a background: a colour, a ramp in a random direction, and mottles from a 5x5
// lattice.
func (c *canvas) ground(d *sampler, base colour) {
	var ramp [2]colour // the change per channel over the width and over the height
	for axis := range ramp {
		for k := range base {
			ramp[axis][k] = d.between(-30, 30)
		}
	}
	var lattice [5][5]int64
	strength := int(d.between(0, 30))
	for i := range lattice {
		for j := range lattice[i] {
			lattice[i][j] = d.between(-strength, strength)
		}
	}
	const half = Side / 2
	for y := range c {
		for x := range c[y] {
			mottle := blend(&lattice, x, y)
			for k := range base {
				shade := ramp[0][k]*int64(x-half) + ramp[1][k]*int64(y-half)
				c[y][x][k] = base[k] + shade/Side + mottle
			}
		}
	}
}

// blend is the bilinear interpolation of the lattice, whose points are 8 pixels apart.
func blend(lattice *[5][5]int64, x, y int) int64 {
	i, j := y/8, x/8
	fy, fx := int64(y%8), int64(x%8)
	top := lattice[i][j]*(8-fx) + lattice[i][j+1]*fx
	bottom := lattice[i+1][j]*(8-fx) + lattice[i+1][j+1]*fx
	return (top*(8-fy) + bottom*fy) / 64
}

// figure draws the shape in the colour ink at a random place, size and angle. At most one pixel of its circle
// is outside the image.
func (c *canvas) figure(d *sampler, covers func(u, v int64) bool, ink colour) {
	r := d.between(9*px, 13*px)
	margin := int(r - px)
	cx, cy := d.between(margin, canvasExtent-margin), d.between(margin, canvasExtent-margin)
	turn := rotations[d.between(0, len(rotations)-1)]
	// A sample's offset from the centre, turned and scaled so that r becomes unit.
	cos, sin := turn.cos*figureUnit/r, turn.sin*figureUnit/r
	c.paint(cx-r, cy-r, cx+r, cy+r, ink, func(x, y int64) bool {
		x, y = x-cx, y-cy
		return covers((x*cos+y*sin)>>rotationBits, (y*cos-x*sin)>>rotationBits)
	})
}

// stroke draws a straight stroke with round ends in a random colour, shortest to longest eighths long and
// thinnest to thickest eighths to either side of its middle line.
func (c *canvas) stroke(d *sampler, shortest, longest, thinnest, thickest int) {
	cx, cy := d.between(0, canvasExtent), d.between(0, canvasExtent)
	half, w := d.between(shortest, longest)/2, d.between(thinnest, thickest)
	turn := rotations[d.between(0, len(rotations)-1)]
	reach := half + w
	c.paint(cx-reach, cy-reach, cx+reach, cy+reach, d.colour(), func(x, y int64) bool {
		x, y = x-cx, y-cy
		along, across := (x*turn.cos+y*turn.sin)>>rotationBits, (y*turn.cos-x*turn.sin)>>rotationBits
		return within(max(abs(along)-half, 0), across, w)
	})
}

// paint mixes ink into each pixel that the box touches, by the number of its samples that inside accepts.
func (c *canvas) paint(left, top, right, bottom int64, ink colour, inside func(x, y int64) bool) {
	const all = samples * samples
	for y := max(top, 0) / px; y < min(bottom/px+1, Side); y++ {
		for x := max(left, 0) / px; x < min(right/px+1, Side); x++ {
			n := int64(0)
			for s := range int64(all) {
				if inside(x*px+s%samples*2+1, y*px+s/samples*2+1) {
					n++
				}
			}
			for k := range ink {
				c[y][x][k] = (c[y][x][k]*(all-n) + ink[k]*n) / all
			}
		}
	}
}

// finish adds noise with a standard deviation of 10 levels, the sum of two uniform numbers, and writes the
// bytes of the image.
func (c *canvas) finish(image []byte, noise random.Stream) {
	const plane = Side * Side
	for p := range plane {
		bits := noise.At(uint64(p))
		for k := range Channels {
			// Two numbers of 0..1023 sum to 1023 on average, with a standard deviation of 418.
			grain := int64(bits&1023+bits>>10&1023) - 1023
			bits >>= 20
			level := c[p/Side][p%Side][k] + grain/42
			image[k*plane+p] = byte(min(max(level, 0), 255))
		}
	}
}

// rotationBits is the number of binary places of rotations.
const rotationBits = 14

// rotations is the cosine and the sine of k/256 of a turn, in integers with rotationBits binary places.
var rotations = func() (table [256]struct{ cos, sin int64 }) {
	const pi = 3.14159265358979323846
	round := func(x float64) int64 {
		if x < 0 {
			return -int64(0.5 - float64(x*(1<<rotationBits)))
		}
		return int64(float64(x*(1<<rotationBits)) + 0.5)
	}
	for k := range table {
		angle := float64(k) * (pi / 128)
		table[k].cos, table[k].sin = round(elementary.Cos(angle)), round(elementary.Sin(angle))
	}
	return table
}()
