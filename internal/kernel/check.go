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

// checkPlanes panics unless dst is a whole number of planes, one for each mean, x is as long as dst, and
// scales and shifts are as many as means. It returns the size of a plane.
func checkPlanes(op string, lenDst, lenX, means, scales, shifts int) int {
	whole := means > 0 && lenDst%means == 0 || lenDst == 0
	if lenX < lenDst || scales < means || shifts < means || !whole {
		panic(fmt.Sprintf("kernel: %s: %d elements from %d, in planes for %d means, %d scales, %d shifts", op,
			lenDst, lenX, means, scales, shifts))
	}
	return lenDst / max(1, means)
}

// checkTile panics if a tile would read beyond its operands or write beyond c.
func checkTile(groups, height, lanes, lenA int, rows []int, step int, left []int, lenB int, cols, right []int,
	lenC int, out []int, ldc int) {
	bad := len(rows) != groups || step < 0 || ldc < 0 || len(left) != len(right) || len(cols) != len(out)
	for v := 0; v < len(out) && !bad; v++ {
		bad = out[v] < 0 || out[v]+(height-1)*ldc+lanes > lenC
	}
	if last := len(left) - 1; last >= 0 && !bad {
		first, end := -min(left[0], left[last]), lenA-max(left[0], left[last])-(height/groups-1)*step
		for _, row := range rows {
			bad = bad || row < first || row >= end
		}
		first, end = -min(right[0], right[last]), lenB-max(right[0], right[last])-lanes
		for _, col := range cols {
			bad = bad || col < first || col > end
		}
	}
	if bad {
		panic(fmt.Sprintf("kernel: Tile of %d rows, %d lanes: rows %v, step %d, %d links, columns %v, "+
			"%d links, out %v, ldc %d do not fit operands of %d and %d elements and c of %d",
			height, lanes, rows, step, len(left), cols, len(right), out, ldc, lenA, lenB, lenC))
	}
}

// checkDense panics if a dense tile of size elements of a would read beyond its operands or write beyond c.
func checkDense(size, height, lanes, k, lenA, step, lenB int, cols []int, lenC int, out []int, ldc int) {
	bad := k < 0 || step < 0 || ldc < 0 || len(cols) != len(out)
	for v := 0; v < len(out) && !bad; v++ {
		bad = out[v] < 0 || out[v]+(height-1)*ldc+lanes > lenC ||
			k > 0 && (cols[v] < 0 || cols[v]+(k-1)*Vectors*lanes+lanes > lenB)
	}
	if bad || k > 0 && size > lenA {
		panic(fmt.Sprintf("kernel: dense Tile of %d rows, %d lanes: step %d, %d links, columns %v, out %v, ldc %d "+
			"do not fit operands of %d and %d elements and c of %d", height, lanes, step, k, cols, out, ldc, lenA,
			lenB, lenC))
	}
}

// checkRuns panics unless the lines of a Gather or Interleave fit dst, and the first and last run of n
// elements fit src. It reports whether there is anything to copy.
func checkRuns(op string, lenDst, stride, lines, lineWidth, lenSrc int, off []int, n int) bool {
	if n < 0 || stride < lineWidth {
		panic(fmt.Sprintf("kernel: %s: %d runs of %d elements do not fit stride %d", op, len(off), n, stride))
	}
	if len(off) == 0 || n == 0 {
		return false
	}
	if lenDst < (lines-1)*stride+lineWidth {
		panic(fmt.Sprintf("kernel: %s: %d runs of %d elements at stride %d do not fit dst of %d", op,
			len(off), n, stride, lenDst))
	}
	first, last := off[0], off[len(off)-1]
	if min(first, last) < 0 || max(first, last) > lenSrc-n {
		panic(fmt.Sprintf("kernel: %s: runs of %d elements at %d and %d do not fit src of %d", op, n, first,
			last, lenSrc))
	}
	return true
}

// checkAlternate is checkRuns for GatherAlternate, whose runs span 2*width-1 elements of src.
func checkAlternate(lenDst, stride, lenSrc int, off []int, width int) bool {
	n := 2*width - 1
	if width == 0 {
		n = 0
	}
	return checkRuns("GatherAlternate", lenDst, stride, len(off), width, lenSrc, off, n)
}

// checkWeave panics unless the lengths are whole rows, and reports whether there is anything to copy.
func checkWeave(lenDst, lenSrc, n int) bool {
	if lenDst != lenSrc || n < 0 || n == 0 && lenDst > 0 || n > 0 && lenDst%(2*n) != 0 {
		panic(fmt.Sprintf("kernel: Weave: %d elements into %d, in rows of two times %d", lenSrc, lenDst, n))
	}
	return lenDst > 0
}

// checkInsertZeros panics unless the lengths are whole rows, and reports whether there is anything to copy.
func checkInsertZeros(lenDst, lenSrc, n int) bool {
	if lenDst != 4*lenSrc || n < 0 || n == 0 && lenSrc > 0 || n > 0 && lenSrc%n != 0 {
		panic(fmt.Sprintf("kernel: InsertZeros: %d elements into %d, in rows of %d", lenSrc, lenDst, n))
	}
	return lenSrc > 0
}
