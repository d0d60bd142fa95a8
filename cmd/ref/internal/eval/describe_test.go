package eval

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"sdref/sdnet"
)

// count counts a network's parameters and multiply-adds by the textbook: a convolution of k x k has
// out*in*k*k weights, used at each place of its output; K iterations of a CSC layer use them 2K-1 times.
func count(s sdnet.Spec, iterations int) (parameters, adds int) {
	filter := func(out, in, k, side int, sparse bool) {
		parameters += out * in * k * k
		times := 1
		if sparse {
			times = 2*iterations - 1
		}
		adds += out * in * k * k * side * side * times
	}
	norm := func(channels, side int) {
		parameters += 2 * channels
		if s.Norm.FixedScale {
			parameters -= channels
		}
		adds += channels * side * side
	}
	if s.Chain {
		return countChain(s, filter, norm, &parameters, &adds)
	}
	side, in := s.Data.Image, s.Widths[0]
	if s.Data.Stem.Pool {
		side /= 2
	}
	filter(in, 3, s.Data.Stem.Kernel, side, s.CSCStem)
	norm(in, side)
	if s.Data.Stem.Pool {
		side /= 2
		if s.CSCBlocks {
			filter(in, in, 3, side, true)
		}
	}
	for stage, blocks := range s.Blocks {
		for block := range blocks {
			out := s.Widths[stage]
			halves := stage > 0 && block == 0
			if halves {
				side /= 2
			}
			filter(out, in, 3, side, s.CSCBlocks)
			filter(out, out, 3, side, s.CSCBlocks)
			norm(out, side)
			norm(out, side)
			if (in != out || halves) && !s.Plain {
				filter(out, in, 1, side, false)
				norm(out, side)
			}
			in = out
		}
	}
	parameters += s.Data.Classes * (in + 1)
	return parameters, adds + s.Data.Classes*in
}

// countChain is count for a chain.
func countChain(s sdnet.Spec, filter func(out, in, k, side int, sparse bool), norm func(channels, side int), parameters, adds *int) (int, int) {
	side, in, k := s.Data.Image, s.Atoms, s.Data.Stem.Kernel
	switch stride := max(1, s.Data.Stem.Stride); {
	case k == 2:
		side--
	case stride == 2:
		side /= 2
	}
	if s.Whitening && s.CSCStem {
		*adds += 3 * 3 * 9 * s.Data.Image * s.Data.Image
	}
	filter(in, 3, k, side, s.CSCStem)
	if s.Whitening && !s.CSCStem {
		*parameters += in - in*3*k*k // a bias, and filters that are not trained
	} else {
		norm(in, side)
	}
	if s.Data.Stem.Pool {
		side /= 2
		if s.CSCBlocks {
			filter(in, in, 3, side, true)
		}
	}
	for stage, out := range s.Widths {
		filter(out, in, 3, side, s.CSCBlocks)
		side /= 2
		norm(out, side)
		filter(out, out, 3, side, s.CSCBlocks)
		norm(out, side)
		in = s.Widths[stage]
	}
	return *parameters + s.Data.Classes*(in+1), *adds + s.Data.Classes*in
}

// numbers returns the last two columns of a line of the table.
func numbers(t *testing.T, line string) (parameters, adds int) {
	t.Helper()
	f := strings.Fields(strings.ReplaceAll(line, ",", ""))
	parameters, err1 := strconv.Atoi(f[len(f)-2])
	adds, err2 := strconv.Atoi(f[len(f)-1])
	if err1 != nil || err2 != nil {
		t.Errorf("no numbers in %q", line)
	}
	return parameters, adds
}

func TestDescribe(t *testing.T) {
	for _, s := range sdnet.Networks {
		for _, d := range sdnet.DataSets {
			for _, iterations := range []int{2, 3} {
				r := ref.Works(t, []string{"describe", "-net", s.Name, "-data", d.Name, "-iterations",
					fmt.Sprint(iterations)}, s.Name+" for "+d.Name, fmt.Sprintf("%d classes", d.Classes))
				_, table, _ := strings.Cut(r.Out, "multiply-adds")
				lines := strings.Split(strings.TrimSpace(table), "\n")
				parameters, adds := 0, 0
				for _, line := range lines[:len(lines)-1] {
					p, a := numbers(t, line)
					parameters, adds = parameters+p, adds+a
				}
				p, a := numbers(t, lines[len(lines)-1])
				if s.Data.Stem.Kernel == 2 { // the network's own
					d.Stem = s.Data.Stem
				}
				s.Data = d
				wantP, wantA := count(s, iterations)
				if p != wantP || a != wantA || parameters != wantP || adds != wantA {
					t.Errorf("%s for %s, %d iterations: total %d and %d, columns %d and %d, want %d and %d",
						s.Name, d.Name, iterations, p, a, parameters, adds, wantP, wantA)
				}
			}
		}
	}
}

// The published networks' parameters, as the authors' code counts them.
func TestDescribePublished(t *testing.T) {
	for _, c := range []struct{ net, data, total string }{
		{"resnet18", "cifar10", "11,173,962"}, {"sdnet18", "cifar10", "11,173,962"},
		{"sdnet18_all", "cifar10", "11,173,962"},
		{"sdnet18_all_noshortcut", "cifar10", "11,000,138"}, {"sdnet34", "cifar100", "21,328,292"},
		{"sdnet18", "imagenet", "11,689,512"}, {"sdnet18_all", "imagenet", "11,726,376"},
	} {
		ref.Works(t, []string{"describe", "-net", c.net, "-data", c.data}, c.total)
	}
}

// A plan is one of shapes: it costs no memory for the weights, here 2 TB.
func TestPlanOfManyClasses(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	ref.Works(t, []string{"describe", "-plan", "prediction", "-classes", "1000000000", "-batch", "1"}, "images 3 x 32 x 32 of cifar10, 1000000000 classes")
	runtime.ReadMemStats(&after)
	if bytes := after.TotalAlloc - before.TotalAlloc; bytes > 16<<20 {
		t.Errorf("%d bytes were taken", bytes)
	}
}
