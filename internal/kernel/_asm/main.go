// Command asm writes the assembly of one instruction set: all functions of internal/kernel for float32 and
// float64; or, with -table, the rows of internal/kernel's table that name them.
package main

import (
	"flag"
	"log"
	"os"

	. "github.com/mmcloughlin/avo/build"
)

// widths are the bytes of a vector.
var widths = map[string]int{"AVX2": 32, "AVX512": 64}

func main() {
	isa := flag.String("isa", "", "AVX2 or AVX512")
	rows := flag.Bool("table", false, "write the table instead, to standard output")
	flag.Parse()
	if *rows {
		source, err := table()
		if err != nil {
			log.Fatal(err)
		}
		os.Stdout.Write(source)
		return
	}
	width := widths[*isa]
	if width == 0 {
		log.Fatalf("-isa %q: want AVX2 or AVX512", *isa)
	}
	ConstraintExpr("!purego")
	for _, size := range []int{4, 8} {
		t := target{isa: *isa, width: width, size: size}
		tiles(t)
		peak(t)
		gather(t)
		regular(t)
		for _, e := range elementwises {
			e.emit(t)
		}
		normalize(t)
		gelu(t)
		for _, r := range reductions {
			r.emit(t)
		}
		for _, f := range transforms {
			f.emit(t)
		}
		mark(t)
		if t.isa == "AVX512" {
			packs(t)
		}
		// These serve every row: ZMM would take 16 rows at a time, and there are not as many pointer
		// registers.
		if t.isa == "AVX2" {
			denseTiles(t)
			interleaves(t)
			gatherAlternate(t, 32)
			gatherAlternate(t, 16)
			weave(t)
			insertZeros(t, 32)
			insertZeros(t, 16)
			maxPools(t)
		}
	}
	Generate()
}
