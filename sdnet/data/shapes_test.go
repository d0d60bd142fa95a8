package data

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"testing"
)

// TestShapesPinned compares hashes of the first images with those computed on amd64, which must be the same
// on any architecture and with any compiler setting. They change if a figure or the scene is changed.
func TestShapesPinned(t *testing.T) {
	d := Shapes(200, 100, 1)
	for _, c := range []struct {
		set  *Set
		want string
	}{
		{d.Train, "42a25a48b9ad753e84915c232915ffacf05a4e8611455d1a3f90b4ab10f5270c"},
		{d.Test, "089e9f4ff17ab2f3d8684f5150b8e702253c6c1d86811e6b114fcee4239da81d"},
	} {
		sum := sha256.Sum256(c.set.Images)
		if got := hex.EncodeToString(sum[:]); got != c.want {
			t.Errorf("%s: SHA-256 %s, want %s", c.set.Name, got, c.want)
		}
	}
}

// TestShapesPrefix: a longer part begins like a shorter one; seeds and parts differ.
func TestShapesPrefix(t *testing.T) {
	long, short, other := Shapes(60, 40, 5), Shapes(20, 10, 5), Shapes(20, 10, 6)
	if !bytes.Equal(long.Train.Slice(0, 20).Images, short.Train.Images) ||
		!bytes.Equal(long.Test.Slice(0, 10).Images, short.Test.Images) {
		t.Error("a longer part begins differently")
	}
	seen := map[string]bool{}
	for _, s := range []*Set{long.Train, long.Test, other.Train, other.Test} {
		for i := range s.Len() {
			if seen[string(s.Image(i))] {
				t.Fatalf("%s %d was drawn before", s.Name, i)
			}
			seen[string(s.Image(i))] = true
		}
	}
}

func TestShapesLabels(t *testing.T) {
	d := Shapes(30, 0, 1)
	if len(d.Train.Classes) != 10 || d.Test.Len() != 0 || len(d.Train.Images) != 30*ImageBytes {
		t.Errorf("%d classes, %d test images, %d bytes", len(d.Train.Classes), d.Test.Len(),
			len(d.Train.Images))
	}
	for i, label := range d.Train.Labels {
		if int(label) != i%10 {
			t.Errorf("image %d has label %d", i, label)
		}
	}
}

// TestShapesMoments checks Mean and Std, and that no class is brighter than another: over 200 images a class
// the means scatter by about 0.012.
func TestShapesMoments(t *testing.T) {
	s := Shapes(2000, 0, 1).Train
	var sum, squares float64
	class := make([]float64, 10)
	for i := range s.Len() {
		for _, p := range s.Image(i) {
			v := float64(p) / 255
			sum += v
			squares += float64(v * v)
			class[s.Labels[i]] += v / (200 * ImageBytes)
		}
	}
	n := float64(len(s.Images))
	mean := sum / n
	if math.Abs(mean-ShapesMean) > 0.01 {
		t.Errorf("mean %.4f, stated %v", mean, ShapesMean)
	}
	if std := math.Sqrt(squares/n - float64(mean*mean)); math.Abs(std-ShapesStd) > 0.01 {
		t.Errorf("standard deviation %.4f, stated %v", std, ShapesStd)
	}
	for k, m := range class {
		if math.Abs(m-mean) > 0.05 {
			t.Errorf("%s: mean %.4f of %.4f", figures[k].name, m, mean)
		}
	}
}

// TestShapesAreas compares each figure's area, counted at the centres of a grid of 4x4 cells, with its
// formula in the plane.
func TestShapesAreas(t *testing.T) {
	square := func(x float64) float64 { return float64(x * x) }
	disc := func(r float64) float64 { return math.Pi * square(r) }
	// The part of the circle of radius r around 0 within that of radius q around d.
	lens := func(r, q, d float64) float64 {
		a := math.Acos((d*d + r*r - q*q) / (2 * d * r))
		b := math.Acos((d*d + q*q - r*r) / (2 * d * q))
		return r*r*a + q*q*b - math.Sqrt((r+q-d)*(d+r-q)*(d-r+q)*(d+r+q))/2
	}
	// The strip of a circle of radius r from u to the right.
	segment := func(r, u float64) float64 { return r*r*math.Acos(u/r) - u*math.Sqrt(r*r-u*u) }
	tip := 316 / math.Cos(2*math.Pi/5)
	for name, want := range map[string]float64{
		"disc":     disc(900),
		"ring":     disc(1000) - disc(560),
		"square":   square(1440),
		"frame":    square(1440) - square(800),
		"triangle": square(1024) * 3 * math.Sqrt(3) / 4,
		"cross":    2*1920*520 - square(520),
		// Ten triangles between the centre, a tip and a notch, which lie 36 degrees apart.
		"star": 5 * tip * (316 / math.Cos(math.Pi/5)) * math.Sin(math.Pi/5),
		// The strips [-720, -360), [0, 360) and from 720 on.
		"stripes": segment(1000, 360) - segment(1000, 720) + segment(1000, 0) - segment(1000, 360) +
			segment(1000, 720),
		"checkerboard": square(1440) / 2,
		"crescent":     disc(1000) - lens(1000, 800, 480),
	} {
		for _, f := range figures {
			if f.name != name {
				continue
			}
			inside, beyond := 0, 0
			for u := int64(-1198); u < 1200; u += 4 {
				for v := int64(-1198); v < 1200; v += 4 {
					if f.covers(u, v) {
						inside++
						if !within(u, v, figureUnit) {
							beyond++
						}
					}
				}
			}
			if got := 16 * float64(inside); math.Abs(got-want) > 0.01*want {
				t.Errorf("%s: area %.0f, want %.0f", name, got, want)
			}
			if beyond > 0 {
				t.Errorf("%s: %d points beyond the circle", name, beyond)
			}
		}
	}
}

// TestShapesFigureIsDrawn: on a plain canvas the ink covers the figure's area to within the sampling, and a
// turned square is the square turned.
func TestShapesFigureIsDrawn(t *testing.T) {
	var c canvas
	c.paint(64, 64, 192, 192, colour{160, 160, 160}, func(x, y int64) bool {
		return within(x-128, y-128, 64)
	})
	sum := int64(0)
	for y := range c {
		for x := range c[y] {
			sum += c[y][x][1]
			if c[y][x] != c[31-y][x] || c[y][x] != c[y][31-x] || c[y][x] != c[x][y] {
				t.Fatalf("the disc is not symmetric at %d, %d", y, x)
			}
		}
	}
	if area := float64(sum) / 160; math.Abs(area-math.Pi*64) > 1 {
		t.Errorf("a disc of radius 8 covers %.2f pixels", area)
	}
	if c[16][16][0] != 160 || c[16][7][0] != 0 {
		t.Errorf("the middle is %d, the outside %d", c[16][16][0], c[16][7][0])
	}
}

// TestShapesRotations: each turn has length 1, and four quarters are exact.
func TestShapesRotations(t *testing.T) {
	const one = 1 << rotationBits
	for k, r := range rotations {
		if l := math.Hypot(float64(r.cos), float64(r.sin)); math.Abs(l-one) > 1 {
			t.Errorf("turn %d has length %v", k, l)
		}
		q := rotations[(k+64)%256]
		if q.cos != -r.sin || q.sin != r.cos {
			t.Errorf("turn %d and a quarter: %v, %v", k, r, q)
		}
	}
	if rotations[0].cos != one || rotations[64].sin != one {
		t.Errorf("no turn %v, a quarter %v", rotations[0], rotations[64])
	}
}

// TestShapesContrast: shape and ground are never too much alike, and either is the brighter about as often.
func TestShapesContrast(t *testing.T) {
	brighter := 0
	d := &sampler{}
	const n = 2000
	for range n {
		a, b := d.contrast()
		if a.distance(b) < 240 {
			t.Fatalf("%v and %v", a, b)
		}
		if a[0]+a[1]+a[2] > b[0]+b[1]+b[2] {
			brighter++
		}
	}
	if math.Abs(float64(brighter)-n/2) > 5*math.Sqrt(n)/2 {
		t.Errorf("the ground is brighter %d times of %d", brighter, n)
	}
}

func TestShapesPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	Shapes(-1, 0, 1)
}

func BenchmarkShapes(b *testing.B) {
	for b.Loop() {
		Shapes(100, 0, 1)
	}
}
