package kernel

func genericGather[T Float](dst []T, stride int, src []T, off []int, width int) {
	if !checkRuns("Gather", len(dst), stride, len(off), width, len(src), off, width) {
		return
	}
	for i, o := range off {
		copy(dst[i*stride:i*stride+width], src[o:o+width])
	}
}

func genericGatherAlternate[T Float](dst []T, stride int, src []T, off []int, width int) {
	if checkAlternate(len(dst), stride, len(src), off, width) {
		gatherAlternate(dst, stride, src, off, width)
	}
}

// gatherAlternate is GatherAlternate on checked arguments.
func gatherAlternate[T Float](dst []T, stride int, src []T, off []int, width int) {
	for i, o := range off {
		line := dst[i*stride : i*stride+width]
		for j := range line {
			line[j] = src[o+2*j]
		}
	}
}

func genericWeave[T Float](dst, src []T, n int) {
	if checkWeave(len(dst), len(src), n) {
		weave(dst, src, n)
	}
}

// weave is Weave on checked arguments.
func weave[T Float](dst, src []T, n int) {
	for ; len(dst) > 0; dst, src = dst[2*n:], src[2*n:] {
		for j := range n {
			dst[2*j], dst[2*j+1] = src[j], src[n+j]
		}
	}
}

func genericInsertZeros[T Float](dst, src []T, n int) {
	if checkInsertZeros(len(dst), len(src), n) {
		insertZeros(dst, src, n)
	}
}

// insertZeros is InsertZeros on checked arguments.
func insertZeros[T Float](dst, src []T, n int) {
	clear(dst)
	for ; len(src) > 0; dst, src = dst[4*n:], src[n:] {
		for j, v := range src[:n] {
			dst[2*j] = v
		}
	}
}

func genericInterleave[T Float](dst []T, stride int, src []T, off []int, n int) {
	if checkRuns("Interleave", len(dst), stride, n, len(off), len(src), off, n) {
		interleave(dst, stride, src, off, n)
	}
}

// interleave is Interleave on checked arguments.
func interleave[T Float](dst []T, stride int, src []T, off []int, n int) {
	for r, o := range off {
		for j, v := range src[o : o+n] {
			dst[j*stride+r] = v
		}
	}
}
