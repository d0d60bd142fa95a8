package measure

import (
	"fmt"

	"sdref/cmd/ref/internal/cli"
	"sdref/internal/kernel"
)

// CPU shows the processor's features and the kernel rows.
func CPU(c *cli.Call) error {
	if err := c.Parse("ref cpu shows what the processor and the system offer, the kernel rows, and the one " +
		"in use."); err != nil {
		return err
	}
	fmt.Fprintln(c.Stdout, cli.Machine())
	for _, f := range kernel.Features() {
		has := "no"
		if f.Has {
			has = "yes"
		}
		fmt.Fprintf(c.Stdout, "  %-12s %s\n", f.Name, has)
	}
	caches := kernel.CacheSizes()
	fmt.Fprintf(c.Stdout, "  caches: first-level data %s, second level %s, third level %s\n", size(caches.L1), size(caches.L2), size(caches.L3))
	fmt.Fprintf(c.Stdout, "\n%-10s %-18s %s\n", "row", "float32 tile", "float64 tile")
	double := map[string]*kernel.Set[float64]{}
	for _, r := range kernel.All[float64]() {
		double[r.Name] = r
	}
	for _, r := range kernel.All[float32]() {
		used := ""
		if r.Name == kernel.ActiveName() {
			used = "  in use"
		}
		d := double[r.Name]
		fmt.Fprintf(c.Stdout, "%-10s %-18s %s%s\n", r.Name, tileSize(r), tileSize(d), used)
	}
	return nil
}

// size is a number of bytes in kB of 1024, as processors have them.
func size(bytes int) string {
	if bytes == 0 {
		return "not told"
	}
	return fmt.Sprintf("%d kB", bytes/1024)
}

// tileSize is the size of a row's largest tile.
func tileSize[T kernel.Float](r *kernel.Set[T]) string {
	return fmt.Sprintf("%d x %d", r.Tiles[0].Height(), kernel.Vectors*r.Lanes)
}
