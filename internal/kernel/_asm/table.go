package main

import (
	"fmt"
	"go/format"
	"strings"
)

// table is the Go source of the table of assembly: a variable of type native for each instruction set and element type, whose
// fields bear the functions' base names.
func table() ([]byte, error) {
	source := "// generate.sh writes this line.\n\n//go:build !purego\n\npackage kernel\n"
	for _, isa := range []string{"AVX2", "AVX512"} {
		for _, size := range []int{4, 8} {
			source += target{isa: isa, width: widths[isa], size: size}.row()
		}
	}
	return format.Source([]byte(source))
}

// row is the variable of a target. What main emits for AVX2 alone serves every row, but for the dense tiles; what packs is AVX512's alone.
func (t target) row() string {
	var b strings.Builder
	line := func(format string, args ...any) { b.WriteString(t.typed(fmt.Sprintf(format+"\n", args...))) }
	shared := target{isa: "AVX2", size: t.size}
	line("\nvar %sF%d = native[T]{", strings.ToLower(t.isa), 8*t.size)
	line("name: %q, lanes: %d, peak: %s, gather: %s, regular: %s,", strings.ToLower(t.isa), t.lanes(), t.name("peak"), t.name("gather"), t.name("regular"))
	line("tiles: []nativeTile[T]{")
	for _, h := range t.heights() {
		line("%s,", t.tiles(tileShape{h[0], h[1], 1}, tileShape{h[0], h[1], 2}))
	}
	line("},\nnarrow: nativeTile[T]%s,", t.tiles(t.narrow()))
	if t.isa == shared.isa {
		line("byRows: []denseFunc[T]{%s, %s},", t.name("denseRows6x1"), t.name("denseRows6x2"))
		line("byColumns: []denseFunc[T]{%s, %s},", t.name("denseColumns6x1"), t.name("denseColumns6x2"))
	}
	line("mark: %s,", t.name("mark"))
	if t.isa == "AVX512" {
		line("pack: %s, unpack: %s,", t.name("pack"), t.name("unpack"))
	}
	line("alternate: [2]gatherFunc[T]{%s, %s},", shared.name("gatherAlternate32"), shared.name("gatherAlternate16"))
	line("weave: %s,", shared.name("weave"))
	line("zeros: [2]rowsFunc[T]{%s, %s},", shared.name("insertZeros32"), shared.name("insertZeros16"))
	line("interleave: []nativeInterleave[T]{")
	for _, rows := range t.interleaved() {
		line("{%d, %d, %s},", rows, 16/t.size, shared.name(fmt.Sprint("interleave", rows)))
	}
	line("},\npools: []nativeMaxPool[T]{")
	for _, bytes := range t.pooled() {
		line("{%d, %s, %s},", bytes/t.size, shared.name(fmt.Sprint("maxPool", bytes)), shared.name(fmt.Sprint("maxPoolGrad", bytes)))
	}
	line("},\nnativeElementwise: nativeElementwise[T]{")
	for _, name := range []string{"normalize", "gelu", "geluGrad"} {
		line("%s: %s,", name, t.name(name))
	}
	for _, e := range elementwises {
		line("%s: %s,", e.name, t.name(e.name))
	}
	for _, r := range reductions {
		line("%s: %s,", r.name, t.name(r.name))
		line("%sLanes: %s,", r.name, t.name(r.name+"Lanes"))
	}
	line("},\nnativeWinograd: nativeWinograd[T]{")
	for _, f := range transforms {
		line("%s: %s,", strings.ToLower(f.name[:1])+f.name[1:], t.name("winograd"+f.name))
	}
	line("},\n}")
	return b.String()
}

// tiles is the literal of a nativeTile: the microkernels of one height, by their numbers of vectors.
func (t target) tiles(shapes ...tileShape) string {
	s := shapes[0]
	if w := t.wide(); w.groups == s.groups && w.rows == s.rows {
		shapes = append(shapes, w)
	}
	var names []string
	for _, of := range shapes {
		for len(names) < of.vectors-1 {
			names = append(names, "nil")
		}
		names = append(names, t.name(of.name()))
	}
	return fmt.Sprintf("{%d, %d, []tileFunc[T]{%s}}", s.groups, s.rows, strings.Join(names, ", "))
}
