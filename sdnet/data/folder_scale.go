package data

// taps is the weights that make a pixel of a scaled line: those of the source line's pixels from first on,
// and their sum.
type taps struct {
	first   int
	weights []int64
	sum     int64
}

// triangleTaps returns the taps of pixel o of a line of in pixels scaled to out: linear interpolation,
// widened where the line shrinks so that every pixel counts,
//
//	weight(x) = max(0, 1 - |x + 1/2 - c|/s),   c = (o + 1/2) in/out,   s = max(1, in/out)
//
// times 2 max(in, out), so that all weights are integers. Weights of pixels beyond the ends are dropped.
func triangleTaps(o, in, out int) taps {
	peak, centre := 2*int64(max(in, out)), (2*int64(o)+1)*int64(in)
	t := taps{first: -1}
	reach := max(in, out)/out + 1 // pixels on either side of the centre
	for x := max(0, int(centre/int64(2*out))-reach); x < in; x++ {
		offset := (2*int64(x)+1)*int64(out) - centre
		weight := peak - max(offset, -offset)
		switch {
		case weight > 0 && t.first < 0:
			t.first = x
			fallthrough
		case weight > 0:
			t.weights = append(t.weights, weight)
			t.sum += weight
		case offset > 0:
			return t
		}
	}
	return t
}

// mix is the weighted mean, rounded to the nearest byte, of values that are step apart.
func (t *taps) mix(values []byte, step int) byte {
	sum := int64(0)
	for k, w := range t.weights {
		sum += w * int64(values[(t.first+k)*step])
	}
	return byte((2*sum + t.sum) / (2 * t.sum))
}

// window returns the taps of the n pixels from the given one on.
func window(from, n, in, out int) []taps {
	list := make([]taps, n)
	for i := range list {
		list[i] = triangleTaps(from+i, in, out)
	}
	return list
}

// scale scales an image of channels x height x width bytes to toWidth x toHeight and writes the part of the given
// shape whose top left corner is at (left, top) to dst. Rows are scaled first, to bytes, then columns, as image
// libraries do.
func scale(dst []byte, shape [3]int, src []byte, width, height, toWidth, toHeight, left, top int) {
	across, down := shape[2], shape[1]
	columns, rows := window(left, across, width, toWidth), window(top, down, height, toHeight)
	last := rows[down-1]
	above, below := rows[0].first, last.first+len(last.weights) // the rows of the source that are needed
	narrow := make([]byte, (below-above)*across)
	for i := range rows {
		rows[i].first -= above
	}
	for c := range shape[0] {
		plane, out := src[c*width*height:][:width*height], dst[c*down*across:][:down*across]
		for y := above; y < below; y++ {
			row := plane[y*width:][:width]
			for x := range columns {
				narrow[(y-above)*across+x] = columns[x].mix(row, 1)
			}
		}
		for y := range rows {
			for x := range across {
				out[y*across+x] = rows[y].mix(narrow[x:], across)
			}
		}
	}
}
