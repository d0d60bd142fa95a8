package data

// figureUnit is the radius, in a figure's own coordinates, of the circle beyond which it does not reach.
const figureUnit = 1024

// figure is one class. covers tells whether the point (u, v) belongs to it, for |u|, |v| up to figureUnit and
// a little more.
type figure struct {
	name   string
	covers func(u, v int64) bool
}

// The classes in the order of their labels. Disc, ring and stripes share an outline, as do square, frame and
// checkerboard; disc and square share a middle. So neither the outline nor the middle identifies a class.
var figures = []figure{
	{"disc", func(u, v int64) bool { return within(u, v, 900) }},
	{"ring", func(u, v int64) bool { return within(u, v, 1000) && !within(u, v, 560) }},
	{"square", func(u, v int64) bool { return max(abs(u), abs(v)) <= 720 }},
	{"frame", func(u, v int64) bool { m := max(abs(u), abs(v)); return 400 <= m && m <= 720 }},
	{"triangle", func(u, v int64) bool { return outside(u, v, triangle, 512) == 0 }},
	{"cross", func(u, v int64) bool { return min(abs(u), abs(v)) <= 260 && max(abs(u), abs(v)) <= 960 }},
	{"star", func(u, v int64) bool { return outside(u, v, star, 316) <= 1 }},
	{"stripes", func(u, v int64) bool { return within(u, v, 1000) && cell(u)&1 == 0 }},
	{"checkerboard", func(u, v int64) bool { return max(abs(u), abs(v)) <= 720 && (cell(u)+cell(v))&1 == 0 }},
	{"crescent", func(u, v int64) bool { return within(u, v, 1000) && !within(u-480, v, 800) }},
}

// within reports whether (u, v) lies in the circle of radius r around the origin.
func within(u, v, r int64) bool { return u*u+v*v <= r*r }

func abs(u int64) int64 { return max(u, -u) }

// cell is the number of the strip, 360 wide, that contains u: four of them make the square.
func cell(u int64) int64 { return (u + 4*360) / 360 }

// direction is a unit vector times 4096.
type direction struct{ u, v int64 }

// The directions of a triangle's three sides and of a pentagram's five lines, round(4096 cos), round(4096
// sin) of 90 + 120 k and 90 + 72 k degrees.
var (
	triangle = []direction{{0, 4096}, {-3547, -2048}, {3547, -2048}}
	star     = []direction{{0, 4096}, {-3896, 1266}, {-2408, -3314}, {2408, -3314}, {3896, 1266}}
)

// outside counts the lines at distance d from the origin, square to the normals, beyond which (u, v) lies.
// A pentagram is the points beyond one of its five lines at most; its tips are at d/cos 72 degrees.
func outside(u, v int64, normals []direction, d int64) int {
	n := 0
	for _, m := range normals {
		if m.u*u+m.v*v > 4096*d {
			n++
		}
	}
	return n
}
