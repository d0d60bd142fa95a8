package kernel

import "fmt"

// Of a window's elements, in row-major order, the first largest one wins, or the last NaN.

// checkMaxPool2 panics unless x is a whole number of planes, which have windows, and y has as many elements
// as windows. It returns the number of planes.
func checkMaxPool2(op string, lenX, lenY, height, width int) int {
	if height < 2 || width < 2 || lenX%(height*width) != 0 || lenX/(height*width)*(height/2*(width/2)) != lenY {
		panic(fmt.Sprintf("kernel: %s: %d elements in planes of %dx%d, and %d windows", op, lenX, height, width, lenY))
	}
	return lenX / (height * width)
}

// winner2 returns the place in x of the winner of the window that begins at.
func winner2[T Float](x []T, at, width int) int {
	best := at
	for _, i := range [3]int{at + 1, at + width, at + width + 1} {
		if x[i] > x[best] || x[i] != x[i] {
			best = i
		}
	}
	return best
}

func genericMaxPool2[T Float](dst, x []T, height, width int) {
	planes := checkMaxPool2("MaxPool2", len(x), len(dst), height, width)
	out := 0
	for p := range planes {
		for i := range height / 2 {
			for j := range width / 2 {
				dst[out] = x[winner2(x, (p*height+2*i)*width+2*j, width)]
				out++
			}
		}
	}
}

func genericMaxPool2Grad[T Float](dx, x, dy []T, height, width int) {
	checkLengths("MaxPool2Grad", len(dx), len(x))
	planes := checkMaxPool2("MaxPool2Grad", len(dx), len(dy), height, width)
	clear(dx)
	out := 0
	for p := range planes {
		for i := range height / 2 {
			for j := range width / 2 {
				dx[winner2(x, (p*height+2*i)*width+2*j, width)] += dy[out]
				out++
			}
		}
	}
}

// clearEdges sets what no window covers to +0: the last row and column of a plane with odd sizes.
func clearEdges[T Float](plane []T, height, width int) {
	if width%2 != 0 {
		for i := width - 1; i < len(plane); i += width {
			plane[i] = 0
		}
	}
	if height%2 != 0 {
		clear(plane[(height-1)*width:])
	}
}
