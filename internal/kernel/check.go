package kernel

import "fmt"

// checkLengths panics if one of the lengths is below n, the length that op needs.
func checkLengths(op string, n int, lengths ...int) {
	for i, length := range lengths {
		if length < n {
			panic(fmt.Sprintf("kernel: %s: input %d has %d elements, dst has %d", op, i, length, n))
		}
	}
}

// checkTile panics unless the slices hold a rows x cols tile and its panels.
func checkTile(rows, cols, k, lenA, lenB, lenC, ldc int) {
	if k < 0 || lenA < k*rows || lenB < k*cols || ldc < cols || lenC < (rows-1)*ldc+cols {
		panic(fmt.Sprintf("kernel: Tile %dx%d: k %d, ldc %d do not fit panels of %d and %d elements and c of %d",
			rows, cols, k, ldc, lenA, lenB, lenC))
	}
}

// checkRuns panics unless the lines of a Gather or Interleave fit dst, and the first and last run of n elements fit src.
// It reports whether there is anything to copy.
func checkRuns(op string, lenDst, stride, lines, lineWidth, lenSrc int, off []int, n int) bool {
	if n < 0 || stride < lineWidth {
		panic(fmt.Sprintf("kernel: %s: %d runs of %d elements do not fit stride %d", op, len(off), n, stride))
	}
	if len(off) == 0 || n == 0 {
		return false
	}
	if lenDst < (lines-1)*stride+lineWidth {
		panic(fmt.Sprintf("kernel: %s: %d runs of %d elements at stride %d do not fit dst of %d", op, len(off), n, stride, lenDst))
	}
	first, last := off[0], off[len(off)-1]
	if min(first, last) < 0 || max(first, last) > lenSrc-n {
		panic(fmt.Sprintf("kernel: %s: runs of %d elements at %d and %d do not fit src of %d", op, n, first, last, lenSrc))
	}
	return true
}
